"""The two pipelines between policy and arm: observations on the way in, actions on the way out.

One class per step, under the names LeRobot's users know. `pipeline.py` puts them together from plain
settings.
"""
