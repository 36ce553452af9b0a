"""What each key does: checks that it makes sense now, and sends one command.

No key changes what is shown; the station's answer does. A key that cannot act says why in a passing hint.
"""

import time

from textual import events
from textual.app import App
from textual.screen import Screen

from hilserl_tui.client import StationClient
from hilserl_tui.held_keys import Means
from hilserl_tui.hold_to_move import HoldToMove
from hilserl_tui.keymap import hint as key
from hilserl_tui.view import Link, View
from workers.model import commands as c
from workers.model.events import Phase
from workers.model.survey import Stage

CLEAR_WITHIN_S = 5.0  # `y` after ctrl+e
MARGIN_STEP_M = 0.005
FACE_STEP_M = 0.001
FACES = tuple((axis, end) for axis in "xyz" for end in (-1, 1))
"""Of the box that was found: axis, and -1 for the least, 1 for the greatest."""


class KeyActions(App[None]):
    """The actions that become commands; `Console` adds life and drawing."""

    client: StationClient
    hold_to_move: HoldToMove
    clear_until_s = let_go_until_s = 0.0
    face = 0  # which of FACES the keys move
    typing = False  # a text field has the focus: read by the input thread
    acting: events.Key | None = None  # the key whose action runs now; None: nobody pressed one for it
    _driven_on: Screen[object] | None = None  # the screen on which a key began to move the arm

    def view(self) -> View:
        raise NotImplementedError

    def show_bar(self) -> None:
        """Draw the state bar now."""
        raise NotImplementedError

    # --- stop -------------------------------------------------------------------------------------------

    def stop_now(self) -> bool:
        """Called in the input thread."""
        return self.client.stop()

    def action_stop(self, always: bool = False) -> None:
        """Where the driver is not ours (tests): otherwise the input thread has sent the stop already."""
        self.tell_stop(self.stop_now())

    def tell_stop(self, delivered: bool) -> None:
        self.clear_until_s = 0.0
        if self.client.recorded:
            self.hint("this is a recording: there is no arm to stop")
        elif not delivered:
            self.notify("STOP could not be delivered: use the power switch", severity="error", timeout=10)
            self.bell()

    def action_arm_clear(self) -> None:
        view = self.view()
        if not (view.stopped or view.limp or view.unconfirmed):
            self.hint("nothing to clear: the arm is not stopped")
            return
        if view.unconfirmed:
            self.hint("nobody in its way? y lets the arm move, slowly at first")
        elif view.limp:
            self.hint("y puts the torque on again, where the arm is")
        self.clear_until_s = time.monotonic() + CLEAR_WITHIN_S
        self.show_bar()

    def action_clear_stop(self) -> None:
        if time.monotonic() < self.clear_until_s:
            self.clear_until_s = 0.0
            view, name = self.view(), self.client.name
            self._control(c.ConfirmMotion(by=name) if view.unconfirmed else c.ClearStop(by=name))

    # --- driving ----------------------------------------------------------------------------------------

    def action_intervene(self) -> None:
        if self._moving("cannot take over"):
            self._control(c.Intervene(on=not self.view().human))

    def action_jog(self, axis: str, direction: int) -> None:
        pressed_s = time.monotonic()
        if not self._holding():
            return
        view = self.view()
        if view.human:
            self._driven_on = self.screen
            heard = view.link is Link.UP and not view.recorded  # else sending a step tells what is the matter
            if not heard or self.hold_to_move.ask(self.acting, c.Axis(axis), direction) is Means.STEP:
                self._send(c.Jog(c.Axis(axis), direction, pressed_s))
            if not view.keys_move and view.state.control.reason:
                self.hint("the arm waits: keys move it in the next episode")
        elif self._moving("cannot move the arm"):
            self.hint(f"{key('intervene')} takes over first")

    def look_after_held_keys(self) -> None:
        """Whoever lost the arm, or went to where keys mean something else, presses anew to move it."""
        if not self.hold_to_move.moving:
            return
        view = self.view()
        drives = view.keys_move and view.holds and view.link is Link.UP
        if self.typing or not drives or self.screen_stack[-1:] != [self._driven_on]:
            self.hold_to_move.spend()

    def action_mark(self, verdict: str) -> None:
        view = self.view()
        if view.holds and not view.episode_runs:
            self.hint(f"no episode runs {'now' if view.state.running.episode >= 0 else 'yet'}")
            return
        self._control(c.Mark(c.Verdict(verdict)))

    def action_veto(self) -> None:
        state = self.view().state
        if state.classifier is None:
            self.hint(
                f"nothing to veto, this run has no classifier: {key('fail')} ends the episode as a failure"
            )
        elif state.classifier.pending is None:
            self.hint("there is nothing to veto: the classifier has decided nothing")
        else:
            self._control(c.Veto())

    def action_proceed(self) -> None:
        self._control(c.Proceed())

    # --- run --------------------------------------------------------------------------------------------

    def action_start_run(self) -> None:
        view = self.view()
        show = self.action_train if view.stage is None else self.action_bounds
        if view.idle and view.link is Link.UP:
            if self._control(c.StartRun()):
                show()
        elif view.stage is Stage.DONE:
            self._write_bounds()
        elif view.state.run is not None:
            show()

    def action_train(self) -> None:
        raise NotImplementedError

    def action_bounds(self) -> None:
        raise NotImplementedError

    def action_pause(self) -> None:
        view = self.view()
        if self._control(c.Pause(on=not view.paused)) and view.kept_waiting:
            then = "holds all the same" if view.paused else "is paused too, and holds already"
            self.hint(f"the arm {then}: {view.kept_waiting}")

    def action_evaluate(self) -> None:
        state = self.view().state
        if state.progress.phase is Phase.EVALUATING:
            self.hint("an evaluation runs already")
        elif state.run is not None and not state.run.trains:
            self.hint("this run trains no policy: hilserl-tui evaluate CONFIG tries one")
        elif not state.learner.policy_version:
            self.hint("no policy to evaluate yet")
        elif self._control(c.EvaluateNow()):
            self.hint(f"evaluation asked for: it starts after this episode; {key('evaluations')} shows it")

    def action_script(self) -> None:
        state = self.view().state
        if state.run is not None and not state.run.simulated:
            self.hint("the scripted person lives in the simulator only")
        else:
            self._control(c.UseScript(on=not state.control.scripted))

    # --- looking for the workspace ------------------------------------------------------------------------

    def action_survey_done(self) -> None:
        if self._surveys():
            done = self.view().stage is Stage.DONE
            self._control(c.Survey(c.SurveyStep.GO_ON if done else c.SurveyStep.DONE))

    def action_start_over(self) -> None:
        if self._surveys():
            self._control(c.Survey(c.SurveyStep.START_OVER))

    def action_by_hand(self) -> None:
        """Twice, since the arm falls unless somebody holds it."""
        view = self.view()
        if not self._surveys():
            return
        if view.state.run is not None and view.state.run.simulated:
            self.hint(
                f"the simulated arm has no torque to take off: {key('intervene')} takes it, the keys move it"
            )
        elif view.limp:
            self._control(c.LetGo(on=False))
        elif self._moving("the torque stays on") and time.monotonic() < self.let_go_until_s:
            self.let_go_until_s = 0.0
            self._control(c.LetGo(on=True))
        elif self._holding() and not view.stopped:
            self.let_go_until_s = time.monotonic() + CLEAR_WITHIN_S
            self.hint(f"hold the arm, it will fall: {key('by-hand')} again takes the torque off")

    def action_margin(self, direction: int) -> None:
        survey = self.view().state.survey
        if self._surveys() and survey is not None:
            self._control(c.SetMargin(round(survey.margin_m + direction * MARGIN_STEP_M, 3)))

    def action_next_face(self) -> None:
        if self._surveyed():
            self.face = (self.face + 1) % len(FACES)

    def action_move_face(self, outwards: int) -> None:
        if self._surveyed():
            axis, end = FACES[self.face]
            self._control(c.MoveFace(c.Axis(axis), end, outwards * FACE_STEP_M))

    def _surveyed(self) -> bool:
        """True once what was seen is enough; else says what comes first."""
        if self._surveys() and self.view().stage is not Stage.DONE:
            self.hint(f"first {key('survey-done')}, which ends the counting: then a face can be moved")
        return self.view().stage is Stage.DONE

    def _write_bounds(self) -> None:
        survey = self.view().state.survey
        if survey is not None and not survey.difference:
            why = survey.problems[0] if survey.problems else "the file has these bounds already"
            self.hint(f"nothing is written: {why}")
        else:
            self._control(c.Survey(c.SurveyStep.WRITE))

    def _surveys(self) -> bool:
        """True while bounds are looked for; else says how they are."""
        if self.view().stage in (None, Stage.WRITTEN):
            self.hint("this run does not look for bounds: hilserl-tui find-limits CONFIG does")
            return False
        return True

    def action_take_control(self) -> None:
        self._send(c.TakeControl(self.client.name))

    # --- helpers ----------------------------------------------------------------------------------------

    def hint(self, text: str) -> None:
        """A passing word; the newest replaces the one before."""
        self.clear_notifications()
        self.notify(text, timeout=2.5)

    def _moving(self, cannot: str) -> bool:
        """True when the arm may be driven by this console; else says why not."""
        if self.view().stopped:
            self.hint(f"{cannot} while stopped: {key('clear-stop')}, then y clears the stop")
            return False
        return True

    def _control(self, command: c.Command) -> bool:
        """Send a command that only the holder of the controls may give."""
        return self._holding() and self._send(command)

    def _holding(self) -> bool:
        """True when this console holds the controls; else says who does. Without a link nobody can say."""
        view = self.view()
        if view.holds or view.link is not Link.UP:
            return True
        who = "another console" if view.watching else "nobody"
        self.hint(f"{who} holds the controls; {key('control')} takes them")
        return False

    def _send(self, command: c.Command) -> bool:
        if self.client.send(command):
            return True
        still = (
            "this is a recording"
            if self.client.recorded
            else "this is a dataset"
            if self.view().dataset
            else ""
        )
        self.hint(f"{still}: keys move nothing" if still else "no connection to the run: nothing was sent")
        return False
