"""Ways for a person, or a script standing in for one, to drive the arm."""
