"""The doctor: does this machine have what a run needs? What only heavy libraries can tell; the terminal is the
console's own matter. Every finding says what, why, and what to do; none opens an arm or a camera."""
