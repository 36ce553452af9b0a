"""The supervisor on the robot PC: owns the workers, holds the state, serves the consoles."""
