"""Classifier: train the network that tells success, see how good it is, mend the labels it stumbles over, again."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from hilserl_tui.classifier_job import TrainingJob, refused, relabelling
from hilserl_tui.classifier_keys import CLASSIFIER_KEYS, bindings, caption
from hilserl_tui.keymap import Group, hint
from hilserl_tui.panes import halfblock
from hilserl_tui.panes.classifier_report import ClassifierReport
from hilserl_tui.panes.classifier_training import ClassifierData, ClassifierProgressPane
from hilserl_tui.panes.key_bar import KeyBar
from hilserl_tui.panes.pixels import PixelPane
from hilserl_tui.panes.wrong_frame import ClassifierKeyBar, WrongFrameFigures
from hilserl_tui.png import NoPicture, read_png
from hilserl_tui.screens.arrange import ROOMY
from hilserl_tui.screens.base import ConsoleScreen
from hilserl_tui.view import View
from workers.config import Config, ConfigError, load
from workers.config.evaluation import evaluated_run
from workers.model.classifier_events import WrongFrame
from workers.model.classifier_files import read_report
from workers.model.classifier_training import ClassifierTraining, followed
from workers.model.events import RunOpened
from workers.model.places import classifier_path

if TYPE_CHECKING:
    from hilserl_tui.app import Console

PICTURES = 2
TEXT_NARROW = 48  # columns of the figures; the pictures have the others
Frame = tuple[str, int, int]  # folder of the dataset, episode, frame


class Classifier(ConsoleScreen):
    """`at` is the error that is looked at; `labels` are those that were given here, by frame."""

    name_in_view = "classifier"
    keys_in_help = Group.CLASSIFIER
    own_keys = CLASSIFIER_KEYS
    DEFAULT_CSS = """
    Classifier .pane {
        border: round $edge; border-title-color: $dim; border-subtitle-color: $faint;
        border-title-style: bold;
    }
    Classifier Lines.pane { padding: 0 1; }
    Classifier .figures { height: 100%; }
    Classifier .errors { width: 1fr; height: 100%; }
    Classifier .pictures { height: 1fr; }
    Classifier PixelPane { width: 1fr; height: 100%; }
    Classifier ClassifierData { height: 7; }
    Classifier ClassifierProgressPane, Classifier ClassifierReport { height: 1fr; }
    Classifier WrongFrameFigures { height: 7; }
    """
    BINDINGS: ClassVar = [*bindings()]

    def __init__(self) -> None:
        super().__init__()
        self.at = self._camera = 0
        self.labels: dict[Frame, int] = {}
        self._learnt: dict[Frame, int] = {}  # those that the newest training has read
        self.training: ClassifierTraining | None = None
        self._job: TrainingJob | None = None
        self._run: RunOpened | None = None
        self._config: Config | None = None
        self._kept: ClassifierTraining | None = None  # the newest that has a report
        self._told = self._relabels = False
        self._said = ""
        self._drawn: object = None

    @property
    def console(self) -> "Console":
        return cast("Console", self.app)

    @property
    def trains(self) -> bool:
        return self._job is not None and self._job.running

    @property
    def errors(self) -> tuple[WrongFrame, ...]:
        """Of the newest report, also while another training goes on or has failed; the worst first, of both kinds."""
        training = self._shown_training()
        if training is None or training.report is None:
            training = self._kept
        if training is None or training.report is None:
            return ()
        report = training.report
        every = (*report.false_positives, *report.false_negatives)
        return tuple(sorted(every, key=_disagreement, reverse=True))

    def key_bar(self) -> KeyBar:
        return ClassifierKeyBar()

    def keeps_back(self) -> bool:
        """Once, while it trains: the next `q` leaves, and the training ends."""
        if not self.trains or self._told:
            return False
        self._told = True
        self.console.hint(
            f"a classifier is trained: {caption('classifier-stop')} ends it after the epoch and keeps it, "
            f"{hint('quit')} again gives it up"
        )
        return True

    def body(self) -> ComposeResult:
        with Horizontal():
            with Vertical(classes="figures"):
                yield ClassifierData(classes="pane")
                yield ClassifierProgressPane(classes="pane")
                yield ClassifierReport(classes="pane")
            with Vertical(classes="errors"):
                with Horizontal(classes="pictures"):
                    for _ in range(PICTURES):
                        yield PixelPane(classes="pane")
                yield WrongFrameFigures(classes="pane")

    def on_mount(self) -> None:
        self._place(self.size.width)

    def on_resize(self, event: events.Resize) -> None:
        self._place(event.size.width)

    def _place(self, width: int) -> None:
        self.query_one(".figures").styles.width = max(TEXT_NARROW, width * 2 // 5)
        self._drawn = None

    async def on_unmount(self) -> None:
        if self._job is not None:
            await self._job.stop()

    # --- drawing ----------------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        if not self.query(WrongFrameFigures):
            return  # on its way onto the screen, or off it
        if view.state.run is not None and view.state.run != self._run:
            self._run = view.state.run
            self._begin(view.state.run)
        self._tell()
        super().show(view)

    def _begin(self, run: RunOpened) -> None:
        """What the run's file names, and what an earlier training left."""
        try:
            self._config = load(Path(run.config_path))
        except ConfigError as error:
            self._config = None
            self.console.hint(f"the configuration cannot be read: {error}")
        try:
            report = read_report(self._folder(run))
        except ValueError as error:
            self._said, report = str(error), None
        self._kept = ClassifierTraining(report=report) if report is not None else None

    def _folder(self, run: RunOpened) -> Path:
        return classifier_path(evaluated_run(Path(run.run_dir)))

    def _shown_training(self) -> ClassifierTraining | None:
        return self.training or self.console.client.state.classifier_training or self._kept

    def _tell(self) -> None:
        """Hand the panes what they show."""
        training, errors = self._shown_training(), self.errors
        self.at = min(self.at, max(0, len(errors) - 1))
        has_report = training is not None and training.report is not None
        data, going = self.query_one(ClassifierData), self.query_one(ClassifierProgressPane)
        report, error = self.query_one(ClassifierReport), self.query_one(WrongFrameFigures)
        data.names, data.training, data.relabelled = (
            self._names(),
            training,
            0 if self.trains else len(self.labels),
        )
        going.training, going.ending = training, self._job.ending if self._job is not None else 0
        going.display, report.display, report.training = not has_report, has_report, training
        failed = training is not None and bool(training.failed)
        data.display = not failed or self.size.height >= ROOMY[1]  # why it failed is a long text
        error.shown = errors[self.at] if errors else None
        error.at, error.total, error.said, error.reported = self.at, len(errors), self._said, has_report
        error.label = self.labels.get(_frame(errors[self.at]), errors[self.at].label) if errors else 0
        for bar in self.query(ClassifierKeyBar):
            bar.training, bar.errors, bar.report = self.trains, bool(errors), has_report

    def _names(self) -> tuple[str, ...]:
        if self._config is None:
            return ()
        dataset = self._config.dataset
        one = str(dataset.root or dataset.repo_id or "")
        return self._config.reward_classifier.datasets or ((one,) if one else ())

    def show_cameras(self, view: View) -> None:
        """The pictures of the error, once: files do not change."""
        panes, errors = list(self.query(PixelPane)), self.errors
        if not panes or not panes[0].content_size.width:
            return
        shown = errors[self.at] if self.at < len(errors) else None
        now = (shown, self._camera, self.size, panes[0].content_size)
        if now == self._drawn:
            return
        self._drawn = now
        cameras = sorted(shown.pictures) if shown is not None else []
        most = PICTURES if self.size.width >= ROOMY[0] else 1
        for index, pane in enumerate(panes):
            pane.display = index < max(1, min(most, len(cameras)))
            camera = cameras[(self._camera + index) % len(cameras)] if cameras else ""
            pane.border_title = camera or None
            _paint(pane, shown.pictures[camera] if shown is not None and camera else "")

    # --- keys -------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        if self.is_current:
            self.show(self.console.view())

    def action_look(self, by: int) -> None:
        self.at = min(max(0, self.at + by), max(0, len(self.errors) - 1))
        self._said = ""
        self._changed()

    def action_camera(self) -> None:
        self._camera += 1
        self._changed()

    def action_more(self) -> None:
        self.query_one(ClassifierReport).first += 1
        self._changed()

    def action_begin(self) -> None:
        if self.console.client.recorded:
            self.console.hint("a recording: nothing can be trained from it")
        elif self.trains:
            self.console.hint(f"it trains already: {caption('classifier-stop')} ends it after this epoch")
        elif self._relabels:
            self.console.hint("a label is being written: in a moment")
        elif self._run is None:
            self.console.hint("there is no run yet whose configuration could be used")
        else:
            self._train(TrainingJob.of(Path(self._run.config_path), self._folder(self._run)))

    def _train(self, job: TrainingJob) -> None:
        self._job, self._told, self._said, self.at = job, False, "", 0
        shown = self._shown_training()
        if shown is not None and shown.report is not None:
            self._kept = shown
        self.training, self._learnt = ClassifierTraining(), dict(self.labels)
        self.run_worker(self._follow(job), exit_on_error=False)
        self._changed()

    async def _follow(self, job: TrainingJob) -> None:
        async for event in job.events():
            self.training = followed(self.training, event)
            if self.training.report is not None:
                self.labels = {of: now for of, now in self.labels.items() if self._learnt.get(of) != now}
                self.at, self._drawn = 0, None  # its pictures may have the names of those before
            self._changed()
        self._changed()

    def action_end(self) -> None:
        if self._job is None or not self.trains:
            self.console.hint("nothing is trained: enter begins")
        else:
            self._job.end()
            self._changed()

    def action_relabel(self) -> None:
        errors = self.errors
        if not errors:
            self.console.hint("there is no frame to relabel")
        elif self.console.client.recorded:
            self.console.hint("a recording: labels are as they were")
        elif self._config is not None and self._config.reward_classifier.num_classes > 2:
            self.console.hint("more than two classes: hilserl-worker dataset relabel --reward does it")
        elif self._relabels:
            self.console.hint("a label is being written: in a moment")
        else:
            self._relabels = True
            self.run_worker(self._relabel(errors[self.at]), exit_on_error=False)

    async def _relabel(self, of: WrongFrame) -> None:
        """Turn the label it has now; shown once the dataset has it."""
        label = 1 - self.labels.get(_frame(of), of.label)
        try:
            self._said = await refused(relabelling(of, bool(label)))
        finally:
            self._relabels = False
        if not self._said:
            self.labels[_frame(of)] = label
            if label == of.label:
                del self.labels[_frame(of)]
        self._changed()


def _frame(of: WrongFrame) -> Frame:
    return of.root, of.episode, of.frame


def _disagreement(of: WrongFrame) -> float:
    return abs(of.probability - min(1, of.label))


def _paint(pane: PixelPane, file: str) -> None:
    if not file:
        pane.blank("no picture")
        return
    try:
        seen = read_png(Path(file))
    except NoPicture as error:
        pane.blank(str(error))
        return
    wide, high = halfblock.fit_inside(seen.width, seen.height, *pane.content_size)
    if wide:
        pane.paint(halfblock.cells(seen.rgb, seen.width, seen.height, wide, high))
