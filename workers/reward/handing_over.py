"""Handing the reward over to a trained classifier: its folder and threshold in a configuration."""

from pathlib import Path

from workers.config.crops import difference
from workers.config.edit import replace_text, with_values
from workers.config.lines import KeyPath
from workers.config.load import parse, read_text
from workers.model.classifier_events import ClassifierReported
from workers.reward.errors import ClassifierError

SECTION: KeyPath = ("env", "processor", "reward_classifier")


def handed_over(report: ClassifierReported) -> list[str]:
    """The section of TOML that uses the classifier."""
    return [
        "It takes over the reward with:",
        f"[{'.'.join(SECTION)}]",
        f'pretrained_path = "{report.folder}"',
        f"success_threshold = {report.success_threshold:g}",
    ]


def hand_over(path: Path, report: ClassifierReported) -> list[str]:
    """Write that section into a configuration file, which is replaced at once; what changed, line by line.

    Raises ConfigError, ClassifierError for one that finds no success; then the file is as it was.
    """
    if not report.recommended.episodes.right_positive:
        raise ClassifierError(
            f"{path} was left as it was: the classifier finds none of the held-out successes, so that no episode would"
            " ever have a reward. The notes of the report say what to look at"
        )
    path = path.resolve()
    before = read_text(path)
    values = {
        (*SECTION, "pretrained_path"): report.folder,
        (*SECTION, "success_threshold"): report.success_threshold,
    }
    after = with_values(before, str(path), values)
    parse(after, str(path))
    if after == before:
        return [f"{path} had it already"]
    replace_text(path, after)
    return [f"{path} has it now:", *difference(before, after, path.name)]
