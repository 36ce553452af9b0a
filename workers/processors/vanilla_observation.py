"""VanillaObservationProcessor: raw reading and pictures become named observations."""

from workers.processors.scaling import scaled_joints
from workers.processors.transition import Transition


class VanillaObservationProcessor:
    """Adds the joint positions to `observation.state` and each picture as `observation.images.<camera>`."""

    def reset(self) -> None:
        """Nothing to forget."""

    def __call__(self, transition: Transition) -> None:
        transition.add_state(scaled_joints(transition.reading.joints_deg))
        for camera, picture in transition.frames.items():
            transition.observation[f"observation.images.{camera}"] = picture
