"""The learner's library: replay, networks, SAC/RLPD updates and checkpoints. No processes, queues or clocks in here."""
