"""The actor: environment, episode loop, policy runtime. Importing it registers the simulated tasks with Gymnasium.

`gymnasium.make(REACH, reward="dense", light=0.5)`: keyword arguments are `render_mode` and the keys of
`env.simulation`. As `env.type = "gymnasium"`: id = "workers.actor:hilserl/SO101Reach-v0".
"""

import gymnasium

REACH = "hilserl/SO101Reach-v0"
PUSH = "hilserl/SO101Push-v0"
PICK_LIFT = "hilserl/SO101PickLift-v0"

for name, task in ((REACH, "reach"), (PUSH, "push"), (PICK_LIFT, "pick_lift")):
    if name not in gymnasium.registry:
        gymnasium.register(name, "workers.actor.sim_env:make_sim", kwargs={"task": task})
