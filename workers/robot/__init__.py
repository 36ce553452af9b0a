"""One arm: its figures, kinematics, safety gate, controller and drivers."""
