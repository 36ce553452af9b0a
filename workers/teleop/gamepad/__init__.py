"""Gamepads through hidapi: mappings from report bytes to controls, the search for a pad, and the worker."""
