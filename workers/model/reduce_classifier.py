"""How an event changes what the operator sees of the reward classifier. Pure."""

from msgspec.structs import replace

from workers.model import events as e
from workers.model.state import PROBABILITIES_KEPT, RESETS_KEPT, Classifier


def reduce_classifier(classifier: Classifier, event: e.Event) -> Classifier:
    """Fold one event; those that do not concern the classifier leave it unchanged."""
    match event:
        case e.EpisodeStarted():
            return replace(classifier, probabilities=(), votes=0, pending=None)
        case e.StepTaken(success_probability=probability, votes=votes) if probability is not None:
            seen = (*classifier.probabilities, probability)
            if not classifier.probabilities:
                at_resets = (*classifier.at_resets, probability)[-RESETS_KEPT:]
                classifier = replace(classifier, at_resets=at_resets)
            return replace(classifier, probabilities=seen[-PROBABILITIES_KEPT:], votes=votes)
        case e.SuccessDecided():
            return replace(classifier, pending=event, settled=None)
        case e.SuccessSettled(settled=settled):
            return replace(
                classifier,
                pending=None,
                settled=event,
                vetoes=classifier.vetoes + (settled in e.OBJECTIONS),
            )
        case e.EpisodeEnded() if classifier.pending is not None:
            return replace(classifier, pending=None)  # its actor died in between
        case e.HardNegativesSaved(root=root, total_frames=frames):
            return replace(classifier, hard_negatives=frames, hard_negatives_root=root)
        case e.ClassifierExamined():
            return replace(classifier, examined=event)
    return classifier
