"""What becomes of a run whose reward classifier was asked about reset frames."""

from workers.model.events import ClassifierExamined, RunEnded

RESET_FRAMES = 20


def refusal(said: ClassifierExamined) -> RunEnded | None:
    """The end of a run whose classifier fires where nothing was done yet; None where it does not."""
    if not said.fired:
        return None
    return RunEnded(
        f"the reward classifier sees success in {said.fired} of {len(said.probabilities)} frames right"
        f" after a reset (p up to {said.highest:.2f}, success_threshold {said.threshold:g}): it would take doing"
        " nothing for success. Likely cause: the scene is as after a success, or light, cameras or crops are not those"
        f" of its training. What to do: look at the pictures in {said.folder}; set up the scene and start again, or"
        " record such frames as negatives and train it again",
        succeeded=False,
        failed=True,
    )
