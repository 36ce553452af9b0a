"""Where the results of evaluations lie, and how they are read again.

RUN/evaluations/20270131-141500-1f0c34ab9d77/ result.json, report.html, pictures
"""

import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from workers.model.evaluation import FORMAT, SHORT, Result

FOLDER, RESULT, REPORT = "evaluations", "result.json", "report.html"
CUT_OFF = "cut off after"
"""How the end of an evaluation is worded that can be continued."""
MOST_LOOKED_AT = 50


def new_folder(run_dir: Path, began_s: float, digest: str) -> Path:
    """A folder that is not there yet, in the directory of the run that is evaluated; `began_s` on the wall clock."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(began_s))
    first = run_dir.absolute() / FOLDER / f"{stamp}-{digest[:SHORT]}"
    number, folder = 1, first
    while folder.exists():
        number += 1
        folder = first.with_name(f"{first.name}-{number}")
    return folder


def folders(run_dir: Path) -> list[Path]:
    """Folders of the run's evaluations, newest first."""
    found = (run_dir / FOLDER).glob(f"*/{RESULT}")
    return sorted((path.parent for path in found), key=lambda path: path.name, reverse=True)


def read_result(folder: Path) -> Result:
    """The result that lies in `folder`. Raises ValueError saying what is wrong with it, or OSError."""
    try:
        result = msgspec.json.decode((folder / RESULT).read_bytes(), type=Result)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{folder / RESULT} cannot be read: {error}") from error
    if result.format != FORMAT:
        raise ValueError(f"{folder / RESULT} has format {result.format}; this version reads {FORMAT}")
    return msgspec.structs.replace(result, folder=str(folder))


def unfinished(run_dir: Path) -> Result | None:
    """The newest evaluation that was cut off, by a person, a failure or a power cut; None where there is none."""
    return cut_off(newest(run_dir, MOST_LOOKED_AT))


def cut_off(results: Iterable[Result]) -> Result | None:
    """The first of `results` that lacks trials and can be continued."""
    for result in results:
        if not result.complete and (not result.ended or result.ended.startswith(CUT_OFF)):
            return result
    return None


def newest(run_dir: Path, most: int) -> list[Result]:
    """Results of the run's last `most` evaluations, newest first; those that cannot be read are left out."""
    read = []
    for folder in folders(run_dir)[:most]:
        try:
            read.append(read_result(folder))
        except (ValueError, OSError):
            continue
    return read
