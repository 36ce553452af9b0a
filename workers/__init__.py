"""Worker processes of hilserl-tui: robot, camera, actor, learner and the station that runs them."""
