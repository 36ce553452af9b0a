"""Policies that leave their run: a folder of safetensors and JSON, ours or in LeRobot's layout, and the hub."""
