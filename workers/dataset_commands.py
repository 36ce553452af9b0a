"""hilserl-worker dataset: look at recorded datasets, mend and edit them, and exchange them with the hub."""

import contextlib
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer

app = typer.Typer(
    no_args_is_help=True,
    help="Look at datasets, repair and edit them, fetch them from the hub and push them to it.",
)

EXIT_TROUBLE = 1
_REPO_ID = re.compile(r"[\w.-]+/[\w.-]+")
_QUIET_S = 2.0  # what takes longer says how far it is
Result = TypeVar("Result")

Where = Annotated[
    str,
    typer.Argument(
        metavar="ROOT_OR_REPO", help="Folder of the dataset, or USER/NAME where it lies in LeRobot's cache."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Go ahead without asking.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Episodes = Annotated[
    str,
    typer.Option("--episodes", "-e", metavar="N[,N-N...]", help="Numbers of the episodes, such as 3,5-7."),
]


@app.command()
def info(where: Where, as_json: Json = False) -> None:
    """Print what a dataset holds: episodes, successes, interventions, tasks, cameras, size."""
    from workers.dataset.summary import in_lines, summary

    found = _do("reading", lambda _: summary(_folder(where)))
    typer.echo(_json(found) if as_json else "\n".join(in_lines(found)))


@app.command()
def check(
    where: Where,
    as_json: Json = False,
    pictures: Annotated[
        bool, typer.Option(help="Look at every picture too. It takes longer and finds frozen cameras.")
    ] = True,
) -> None:
    """Look for everything that is wrong with a dataset. Nothing is changed; exit code 1 when something is wrong."""
    from workers.dataset.check import check as checked

    root = _folder(where)
    found = _do("checking", lambda _: checked(root, pictures=pictures))
    if as_json:
        typer.echo(_json(found))
    else:
        typer.echo("\n".join(map(str, found)) or f"nothing is wrong with {root}")
    raise typer.Exit(EXIT_TROUBLE if found else 0)


@app.command()
def repair(where: Where, yes: Yes = False) -> None:
    """Repair what can be repaired. The rest is left out, and stays in the version before, which is kept."""
    from workers.dataset.repair import repair as repaired

    root = _folder(where)
    _confirm(f"Mend {root}?", yes)
    done = _do("mending", lambda _: repaired(root))
    typer.echo("\n".join(done.done) or f"there was nothing to mend in {root}")
    if done.backup is not None:
        typer.echo(f"the version before is in {done.backup}")


@app.command()
def relabel(
    where: Where,
    episodes: Episodes,
    success: Annotated[
        bool | None,
        typer.Option(
            "--success/--failure", help="What the episodes, or their frames, are.", show_default=False
        ),
    ] = None,
    reward: Annotated[float | None, typer.Option(help="Reward of the frames, in place of 1 or 0.")] = None,
    frames: Annotated[
        str | None, typer.Option(metavar="N-N", help="Only these frames, such as 40-52, both included.")
    ] = None,
) -> None:
    """Correct the reward of episodes, or of frames in them. Videos are not touched."""
    from workers.dataset import edit

    if success is None and reward is None:
        raise typer.BadParameter("give --success, --failure or --reward")
    numbers, span = _numbers(episodes, "--episodes"), _span(frames)
    _edit(
        "relabelling",
        lambda told: edit.relabel(
            _folder(where), numbers, success=success, reward=reward, frames=span, progress=told
        ),
    )


@app.command()
def delete(where: Where, episodes: Episodes, yes: Yes = False) -> None:
    """Delete episodes. Those after them get new numbers."""
    from workers.dataset import edit
    from workers.dataset.layout import episodes_in_words

    root, numbers = _folder(where), _numbers(episodes, "--episodes")
    _confirm(f"Delete {episodes_in_words(len(numbers))} ({episodes}) from {root}?", yes)
    _edit("deleting", lambda told: edit.delete(root, numbers, told))


@app.command()
def trim(
    where: Where,
    episode: Annotated[int, typer.Option("--episode", "-e", min=0, help="Number of the episode.")],
    start: Annotated[int, typer.Option(min=0, help="Frames to cut off the beginning.")] = 0,
    end: Annotated[int, typer.Option(min=0, help="Frames to cut off the end.")] = 0,
    yes: Yes = False,
) -> None:
    """Cut frames off the beginning or the end of an episode. Videos are not encoded again."""
    from workers.dataset import edit

    if not start and not end:
        raise typer.BadParameter("give --start or --end, how many frames to cut off")
    root = _folder(where)
    _confirm(
        f"Cut {start} frames off the beginning and {end} off the end of episode {episode} of {root}?", yes
    )
    _edit("trimming", lambda told: edit.cut(root, episode, start, end, told))


@app.command()
def merge(
    where: Where,
    others: Annotated[
        list[str], typer.Argument(metavar="OTHER...", help="Datasets whose episodes are appended.")
    ],
) -> None:
    """Append the episodes of other datasets, which stay as they are. ROOT_OR_REPO may be a new folder."""
    from workers.dataset import edit

    _edit("merging", lambda told: edit.merge(_folder(where), [_folder(other) for other in others], told))


@app.command()
def compact(where: Where, yes: Yes = False) -> None:
    """Join the files of many episodes into a few large ones, as LeRobot wants them. Nothing is encoded again."""
    from workers.dataset import edit

    root = _folder(where)
    _confirm(f"Join the files of {root}? The version before is kept and needs as much space again.", yes)
    _edit("joining", lambda told: edit.compact(root, told))


@app.command()
def undo(where: Where, yes: Yes = False) -> None:
    """Undo the last change: bring back the version before it."""
    from workers.dataset import edit

    root = _folder(where)
    _confirm(f"Bring back the version of {root} before its last change?", yes)
    done = _do("undoing", lambda _: edit.undo(root))
    typer.echo(f"{done.words}; that version is in {done.backup} until the next undo")


@app.command()
def push(
    where: Where,
    to: Annotated[
        str | None,
        typer.Option(metavar="USER/NAME", help="Name on the hub, if it differs from ROOT_OR_REPO."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace what the hub has under that name.")
    ] = False,
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    yes: Yes = False,
) -> None:
    """Upload a dataset to the Hugging Face hub. What is there already is replaced only with --replace."""
    from workers.dataset.hub import push as pushed

    repo_id = to or where
    if not _REPO_ID.fullmatch(repo_id):
        raise typer.BadParameter(f"{repo_id} is no name on the hub: give --to USER/NAME")
    if replace:
        _confirm(f"Put {_folder(where)} in the place of what {repo_id} holds on the hub?", yes)
    _do("uploading", lambda _: pushed(_folder(where), repo_id, replace=replace, private=private))
    typer.echo(f"{_folder(where)} is on the hub as {repo_id}")


@app.command()
def fetch(
    repo_id: Annotated[str, typer.Argument(metavar="USER/NAME", help="Name of the dataset on the hub.")],
    revision: Annotated[
        str | None, typer.Option(help="Branch, tag or commit. Default: the tag that LeRobot would take.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Folder to put it in. Default: LeRobot's cache.", show_default=False)
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Replace a dataset that is there already. `undo` brings it back."),
    ] = False,
    yes: Yes = False,
) -> None:
    """Download a dataset from the Hugging Face hub. A download that broke off is continued."""
    from workers.dataset.fetch import fetch as fetched

    if not _REPO_ID.fullmatch(repo_id):
        raise typer.BadParameter(f"{repo_id} is no name on the hub, which is like user/name")
    if replace:
        _confirm(f"Put {repo_id} in the place of the dataset that is here?", yes)
    root = _do("downloading", lambda _: fetched(repo_id, revision, to, replace=replace))
    typer.echo(f"{repo_id} is in {root}")


# what the commands share


def _folder(where: str) -> Path:
    """The folder of that name, or LeRobot's of the dataset of that name."""
    from workers.dataset.layout import cache_folder

    folder = Path(where).expanduser()
    if not folder.exists() and _REPO_ID.fullmatch(where) and cache_folder(where).exists():
        return cache_folder(where)
    return folder


def _edit(doing: str, edit: Callable[[Any], Any]) -> None:
    done = _do(doing, edit)
    kept = "" if done.backup is None else f"; the version before is in {done.backup} (`undo` brings it back)"
    typer.echo(f"{done.words}{kept}")


def _do(doing: str, work: Callable[[Callable[[int, int], None]], Result]) -> Result:
    """Do it, telling how far it is; exit code 1 with the words of what goes wrong."""
    from workers.dataset.errors import DatasetError

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        with _told(doing) as told:
            return work(told)
    except DatasetError as error:
        typer.echo(str(error), err=True)
    except KeyboardInterrupt:
        typer.echo("given up; nothing was changed", err=True)
    raise typer.Exit(EXIT_TROUBLE)


@contextlib.contextmanager
def _told(doing: str) -> Iterator[Callable[[int, int], None]]:
    """Say every two seconds on standard error that it goes on, and how far it is."""
    began_s, over, far = time.monotonic(), threading.Event(), [""]

    def told(done: int, total: int) -> None:
        far[0] = f" {done} of {total},"

    def tell() -> None:
        while not over.wait(_QUIET_S):
            typer.echo(f"{doing}...{far[0]} {time.monotonic() - began_s:.0f} s", err=True)

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join()


def _confirm(question: str, yes: bool) -> None:
    """Ask, unless told not to; exit code 1 where the answer is not yes."""
    try:
        agreed = yes or typer.confirm(question)
    except typer.Abort:
        agreed = False  # nobody is there to answer
    if not agreed:
        typer.echo("nothing was changed (--yes goes ahead without asking)", err=True)
        raise typer.Exit(EXIT_TROUBLE)


def _numbers(text: str, option: str) -> list[int]:
    """`3,5-7` as 3, 5, 6, 7."""
    numbers: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*", part)
        if found is None or int(found[2] or found[1]) < int(found[1]):
            raise typer.BadParameter(f"{part!r} is no number and no range like 5-7", param_hint=option)
        numbers.update(range(int(found[1]), int(found[2] or found[1]) + 1))
    return sorted(numbers)


def _span(frames: str | None) -> tuple[int, int] | None:
    if frames is None:
        return None
    numbers = _numbers(frames, "--frames")
    if len(numbers) != numbers[-1] - numbers[0] + 1:
        raise typer.BadParameter("one range of frames at a time", param_hint="--frames")
    return numbers[0], numbers[-1] + 1


def _json(content: object) -> str:
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
