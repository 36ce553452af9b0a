"""The actor: environment, episode loop, policy runtime. Importing it registers `hilserl/SO101PickLift-v0`."""

import gymnasium

PICK_LIFT = "hilserl/SO101PickLift-v0"

if PICK_LIFT not in gymnasium.registry:
    gymnasium.register(id=PICK_LIFT, entry_point="workers.actor.sim_env:make_pick_lift")
