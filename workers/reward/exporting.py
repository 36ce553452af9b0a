"""A classifier in a folder of its own, in our layout or LeRobot's."""

import os
import shutil
from pathlib import Path
from typing import Literal

from workers.reward.checkpoint import found, is_lerobots, read_classifier, read_description, save_classifier
from workers.reward.errors import ClassifierError
from workers.reward.lerobot_layout import lerobot_files


def export(name: str, to: Path, layout: Literal["lerobot", "hilserl"]) -> None:
    """Write the classifier `name`, of ours or LeRobot's, as the new folder `to`.

    Raises ClassifierError where LeRobot's network cannot express it, or something is in `to`.
    """
    source = found(name)
    classifier = read_classifier(source)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ClassifierError(f"{to} is there already and not empty: nothing was written; give another --to")
    aside = to.with_name(f".{to.name}.tmp-{os.getpid()}")
    try:
        aside.mkdir(parents=True)
        if layout == "lerobot":
            for file, content in lerobot_files(classifier).items():
                (aside / file).write_bytes(content)
        elif is_lerobots(source):
            save_classifier(aside, classifier)
        else:
            known = read_description(source)
            save_classifier(aside, classifier, known.recommended, known.datasets, known.held_out)
        if to.exists():
            to.rmdir()
        aside.rename(to)
    except OSError as error:
        raise ClassifierError(f"{to} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
