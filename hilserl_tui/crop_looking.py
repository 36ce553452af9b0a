"""The Crop screen's questions: one open at a time, the newest wish next, and which answers count."""

from dataclasses import replace

import msgspec

from hilserl_tui.crop_choice import Choice
from workers.model.commands import Look
from workers.model.events import Looked

LOST_AFTER_S = 1.0  # a question without an answer is put again


class Looking:
    """`answer` is the last that was taken, of whatever camera. Times are monotonic seconds of the caller."""

    def __init__(self) -> None:
        self.answer: Looked | None = None
        self._asked: Look | None = None
        self._asked_s = 0.0

    def question(self, choice: Choice, room: tuple[int, int], live: bool, now_s: float) -> Look | None:
        """What to ask now, None while an answer is due or everything is seen; `live` pictures are never seen enough."""
        asked = self._asked
        look = choice.look(asked.number + 1 if asked else 1, room)
        if asked is None:
            return look
        if not self._is_answered(asked):
            return look if now_s - self._asked_s > LOST_AFTER_S else None
        seen = msgspec.structs.replace(asked, number=look.number) == look
        return None if seen and not live else look

    def sent(self, look: Look, now_s: float) -> None:
        self._asked, self._asked_s = look, now_s

    def take(self, answer: Looked, choice: Choice) -> Choice | None:
        """What is known with `answer`; None where it is not the one that is waited for.

        A frame that was turned to meanwhile stays wanted.
        """
        asked = self._asked
        if asked is None or answer is self.answer or answer.number != asked.number:
            return None
        self.answer = answer
        if answer.trouble:
            return choice
        known = choice.seen(answer)
        if (asked.camera, asked.episode, asked.frame) == (choice.camera, choice.episode, choice.frame):
            # In the dataset's range now: that is no new wish.
            self._asked = msgspec.structs.replace(asked, episode=answer.episode, frame=answer.frame)
            return known
        return replace(choice, pictures=known.pictures)

    def _is_answered(self, asked: Look) -> bool:
        return self.answer is not None and self.answer.number == asked.number
