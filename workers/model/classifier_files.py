"""The report of a classifier on the disk."""

from pathlib import Path

import msgspec

from workers.model.classifier_events import REPORT, ClassifierReported


def read_report(folder: Path) -> ClassifierReported | None:
    """The report of the classifier in `folder`; None where there is none. Raises ValueError saying what is wrong."""
    try:
        return msgspec.json.decode((folder / REPORT).read_bytes(), type=ClassifierReported)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"{folder / REPORT} cannot be read: {error}") from error
