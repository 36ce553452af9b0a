"""Records episode after episode into the dataset named, and says on its output which are saved, until it is killed.

Run: python -m tests.dataset.kill_target FOLDER video|png

Each line of its input begins another recording in a forked child, whose pid it says: imports are paid for once.
"""

import os
import sys
from pathlib import Path

import datasets  # noqa: F401  # half a second, which each child would take

from tests.dataset.made import add_frames, opened


def main() -> None:
    root, storage = sys.argv[1:]
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            record(Path(root), storage == "video")
        os.waitpid(child, 0)
        say("gone")


def record(root: Path, video: bool) -> None:
    writer = opened(root, video)
    say(f"open {os.getpid()}")
    while True:
        add_frames(writer, 6)
        number = writer.save_episode("lift", origin=f"log:{writer.episodes}")
        say(f"saved {number}")


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
