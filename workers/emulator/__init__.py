"""Emulated hardware: what tests, and people without an arm, drive instead of the real thing."""
