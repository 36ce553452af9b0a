"""LeRobotDataset v3.0: the demonstrations of a run written as one, and what a replay reads of one."""
