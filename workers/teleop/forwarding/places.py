"""Where receiver and operator on the robot PC meet."""

INVITATION = "forward-gamepad.txt"
"""In the run's folder, mode 0600: the line with which one more computer joins. Who takes it away gets a new one."""
