"""Cameras: one process each, newest frame in shared memory."""
