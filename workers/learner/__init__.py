"""The learner's room: replay, networks, SAC/RLPD updates, checkpoints, and the loop that runs them."""
