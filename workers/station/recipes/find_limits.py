"""The find-limits recipe: somebody drives the arm through the space that the task needs; the file gets its bounds."""

import asyncio
import time
from pathlib import Path

import msgspec

from workers.config import Config, ConfigError
from workers.config.rewrite import difference, rewrite, with_new_values
from workers.model import commands as c
from workers.model.events import EpisodeKind, GateMode, Phase, PhaseChanged, RunEnded, Surveyed
from workers.model.orders import Collect
from workers.model.reduce import HUMAN_DRIVERS
from workers.model.survey import Stage
from workers.robot.build import kinematics_of
from workers.station.recipes.recipe import Recipe, StationPort
from workers.station.survey import Ending, Surveying, SurveyJob
from workers.station.survey_pictures import in_words, save_pictures

LOOK_S = 0.02  # the robot worker's own rate: turning points are not missed
TELL_S = 0.2


class FindLimitsRecipe(Recipe):
    """Ends when the bounds are in the file; without a person who asks, when their time is over.

    Args:
        config: as `surveying` makes it.
        job: how the survey is to go, and the file that gets the bounds.
    """

    def __init__(self, station: StationPort, config: Config, job: SurveyJob) -> None:
        super().__init__(station, config)
        self._ending, self._document = job.wanted.ending, job.document
        present = job.document.config.env.workspace.end_effector_bounds
        self._survey = Surveying(job.wanted, config, present, kinematics_of(config))
        self._lines: tuple[str, ...] = ()
        self._difference: tuple[str, ...] = ()
        self._refused = self._kept = self._pictures = ""
        self._told_s = 0.0

    async def run(self) -> RunEnded:
        """As every recipe; one that is cut short tells what was seen until then."""
        try:
            return await super().run()
        finally:
            if self._survey.stage is Stage.COUNTING:
                self._survey.done()
                self._work_out()

    async def _work(self) -> RunEnded:
        self._station.emit(PhaseChanged(Phase.SURVEYING, "looking for the workspace"))
        self._station.stand("actor", Collect(EpisodeKind.SURVEY))
        before_s = time.monotonic()
        while self._survey.stage is not Stage.WRITTEN:
            await asyncio.sleep(LOOK_S)
            now_s = time.monotonic()
            stage = self._survey.stage
            self._survey.pass_time(now_s - before_s, self._station.place(), self._driven())
            before_s = now_s
            if self._survey.stage is not stage:
                self._work_out()
            if now_s - self._told_s > TELL_S:
                self._tell()
            if self._survey.stage is Stage.DONE and self._ending is not Ending.ASK:
                return self._end_unasked()
        return self._ended()

    def take(self, command: c.Command) -> None:
        """A wish of the person who holds the controls."""
        survey, self._refused = self._survey, ""
        match command:
            case c.SetMargin(margin_m):
                survey.set_margin(margin_m)
            case c.MoveFace(axis, end, outwards_m) if axis is not c.Axis.GRIPPER:
                survey.move_face("xyz".index(axis), end, outwards_m)
            case c.Survey(c.SurveyStep.DONE):
                survey.done()
            case c.Survey(c.SurveyStep.GO_ON):
                survey.go_on()
            case c.Survey(c.SurveyStep.START_OVER):
                survey.start_over()
            case c.Survey(c.SurveyStep.WRITE) if survey.stage is Stage.DONE:
                self._write()
        self._work_out()

    def _driven(self) -> bool:
        state = self._station.state
        control, by_hand = state.control, state.arm.mode is GateMode.LIMP
        return by_hand or (control.driver in HUMAN_DRIVERS and not (control.stopped or control.paused))

    def _work_out(self) -> None:
        """What takes longer to know, when the stage or a wish changed it; and tell it."""
        done = self._survey.stage in (Stage.DONE, Stage.WRITTEN)
        self._lines = self._survey.lines() if done else ()
        if self._survey.stage is not Stage.WRITTEN:
            self._difference = ()
            if done and not self._survey.problems:
                try:
                    self._difference = difference(self._document.text, self._new_text())
                except ConfigError as refused:
                    self._refused = str(refused)
        self._tell()

    def _tell(self) -> None:
        self._told_s = time.monotonic()
        seen = self._survey.seen()
        refused = (*seen.problems, self._refused) if self._refused else seen.problems
        self._station.emit(
            Surveyed(
                msgspec.structs.replace(
                    seen,
                    problems=refused,
                    lines=self._lines,
                    difference=self._difference,
                    written=self._kept,
                )
            )
        )

    def _new_text(self) -> str:
        return with_new_values(self._document, self._survey.values())

    def _write(self) -> bool:
        """Write the file; False, with the reason among the problems, when that cannot be."""
        if self._survey.problems:
            return False
        try:
            self._kept = str(rewrite(Path(self._document.path), self._document.text, self._new_text()))
        except ConfigError as refused:
            self._refused = str(refused)
            return False
        self._survey.written()
        self._pictures = in_words(save_pictures(Path(self._document.path), self._station.pictures()))
        return True

    def _end_unasked(self) -> RunEnded:
        """The end of a survey whose result nobody looks at first."""
        wrong = self._survey.problems
        if wrong:
            return RunEnded(f"no workspace was found: {'; '.join(wrong)}", succeeded=False, failed=True)
        if self._ending is Ending.PRINT:
            return RunEnded("the workspace is found; nothing was written (--write does)", succeeded=True)
        if not self._write():
            return RunEnded(f"the workspace is found, but {self._refused}", succeeded=False, failed=True)
        self._tell()
        return self._ended()

    def _ended(self) -> RunEnded:
        path = self._document.path
        was = f"as it was, it is in {self._kept}"
        return RunEnded(f"{path} has the new bounds; {was}{self._pictures}", succeeded=True)
