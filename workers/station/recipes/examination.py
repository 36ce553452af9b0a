"""What becomes of a run whose reward classifier was asked about reset frames."""

from workers.model.events import ClassifierExamined, RunEnded

RESET_FRAMES = 20


def refusal(said: ClassifierExamined, classifier: str) -> RunEnded | None:
    """The end of a run whose classifier fires where nothing was done yet; None where it does not."""
    if not said.fired:
        return None
    return RunEnded(
        f"the reward classifier {classifier} sees success in {said.fired} of {len(said.probabilities)} frames right"
        f" after a reset (highest p {said.highest:.2f}, success_threshold {said.threshold:g}): the policy would be"
        " rewarded for doing nothing. Likely cause: the scene is set up as after a success, or light, cameras or crops"
        f" are not those it was trained with. What to do: look at the pictures and numbers in {said.folder}; set up the"
        " scene and start again, or record such frames as negatives and train the classifier again; a higher"
        " success_threshold helps only if its report allows it",
        succeeded=False,
        failed=True,
    )
