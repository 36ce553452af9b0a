"""A gamepad on the operator's own computer: the sender there, and the receiver on the robot PC."""
