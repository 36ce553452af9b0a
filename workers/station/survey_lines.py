"""Progress lines of a survey nobody looks at: once a second where it stands, at the end what it found."""

import math

from workers.model import events as e
from workers.model.survey import Stage, Survey
from workers.station.progress import ProgressLines
from workers.transport.text import printable


class SurveyLines(ProgressLines):
    """The same lines as for any run, with the survey's own figures."""

    period_s = 1.0

    def on_event(self, event: e.Event) -> None:
        super().on_event(event)
        if isinstance(event, e.RunEnded):
            self._result()
            self.period_s = math.inf  # nothing moves any more

    def _figures(self) -> str:
        survey, run = self._state.survey, self._state.run
        if survey is None or run is None:
            return "waiting for the arm"
        if survey.stage is Stage.WAITING:
            return f"waiting for somebody to drive the arm: hilserl-tui attach {run.run}, then space"
        return in_words(survey)

    def _result(self) -> None:
        survey = self._state.survey
        if survey is None or not survey.lines:
            return
        for block in (survey.lines, survey.difference):
            for line in block:
                self._write(printable(line))


def in_words(survey: Survey) -> str:
    """Stage, time left, and the extent of each axis in centimetres."""
    left = "" if survey.left_s is None else f", {survey.left_s:.0f} s left"
    words = f"{survey.stage.value}{left}"
    if survey.axes is None:
        return words
    axes = (
        f"{name} {span.low:+.3f} .. {span.high:+.3f} ({100 * span.width:4.1f} cm)"
        for name, span in zip("xyz", survey.axes, strict=True)
    )
    return "   ".join((words, *axes))
