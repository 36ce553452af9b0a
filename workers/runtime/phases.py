"""When in a period each loop does its work, so that a decision sees pictures and arm of the same moment.

    0 ms robot tick | 1 ms camera takes the scene | 8 ms actor observes and decides | 20 ms next tick takes the target

Loops stand on the same clock (see `Pacer`). Cameras of the real world run free and are as late as they are.
"""

ROBOT_S = 0.0
CAMERA_S = 0.001
ACTOR_S = 0.008
