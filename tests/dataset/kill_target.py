"""Records episode after episode into the dataset named, and says on its output which are saved, until it is killed.

Run: python -m tests.dataset.kill_target FOLDER video|png
"""

import sys
from pathlib import Path

from tests.dataset.made import add_frames, opened


def main() -> None:
    root, storage = sys.argv[1:]
    writer = opened(Path(root), storage == "video")
    say("open")
    while True:
        add_frames(writer, 6)
        number = writer.save_episode("lift", origin=f"log:{writer.episodes}")
        say(f"saved {number}")


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
