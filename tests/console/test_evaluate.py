"""The Evaluate screen: what an evaluation has come to while it runs, and older results."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from hilserl_tui.app import Console
from tests.console import demo
from tests.console.still import Still, screen_text, settle
from tests.console.test_screens import HUGE, LARGE, SMALL, drawn
from tests.evaluation.made import paired, result, trial
from workers.evaluation.keeper import write
from workers.model import commands as c
from workers.model import events as e
from workers.model.evaluation import Result
from workers.model.evaluation_files import new_folder
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

SIZES = pytest.mark.parametrize("size", [SMALL, LARGE, HUGE], ids=["80x24", "120x40", "200x60"])
RUNNING = (
    e.DriverChanged(e.Driver.POLICY),
    e.EpisodeStarted(2, e.EpisodeKind.EVALUATION),
    e.PhaseChanged(e.Phase.EVALUATING, "the policy alone, deterministic", 2, 10),
    e.StepTaken(2, 30, 100, 0.0, e.Driver.POLICY),
)
STOPPED = {"counted": False, "ended_by": "stop", "decided_by": "", "why": "somebody took over"}


def state_of(run_dir: Path, *events: e.Event, trains: bool = False) -> ConsoleState:
    mode = "train" if trains else "evaluate"
    opened = replace(demo.OPENED, run_dir=str(run_dir), mode=mode, trains=trains, demonstrations_wanted=0)
    state = reduce(demo.fold(demo.opening()), opened)
    for event in events:
        state = reduce(state, event)
    return state


async def shown(state: ConsoleState, size: tuple[int, int], *keys: str) -> str:
    return "\n".join(await drawn(Still(state), size, "6", *keys))


def kept(run_dir: Path, *trials: object, began_s: float, **changes: object) -> Result:
    folder = new_folder(run_dir, began_s, "1f0c34ab9d77")
    made = result(*trials, folder=str(folder), began_s=began_s, **changes)  # type: ignore[arg-type]
    write(folder, made, {})
    return made


@SIZES
async def test_a_trial_that_runs_is_seen_with_what_came_before(size: tuple[int, int], tmp_path: Path) -> None:
    live = result(trial(0), trial(1, **STOPPED), trial(1, False))
    text = await shown(state_of(tmp_path / "lift-evaluate", e.EvaluationBegan(live), *RUNNING), size)
    assert "trial 3 of 10" in text and "step  30/100" in text and "left" in text
    assert "1 of 2   50%" in text and "95%:   9 to  91 %" in text and "━●━" in text
    assert "weights 1f0c34ab9d77" in text and "step-00012000" in text
    assert "cycle 4.2 s, median 4.2 s" in text and "1 not counted" in text
    assert "●×○" in text, "the strip"
    assert "success (task)" in text and "not counted: som" in text
    assert "report.html" in text and "6 Evaluate" in text and "Train" not in text.splitlines()[1]


@SIZES
async def test_two_policies_are_seen_beside_each_other(size: tuple[int, int], tmp_path: Path) -> None:
    live = result(*paired("1101", "0101"), against=True)
    text = await shown(state_of(tmp_path / "lift-evaluate", e.EvaluationBegan(live), *RUNNING), size)
    assert "trial 9 of 20 A" in text
    for words in (
        "A step-00012000",
        "B lift policy 20",
        "weights ef589b1ab00e",
        "3 of 4   75%",
        "2 of 4   50%",
    ):
        assert words in text
    assert "A minus B +25 points" in text and "not enough trials to tell them apart" in text
    assert "A ●●○●" in text and "B ○●○●" in text


@SIZES
async def test_before_it_begins_the_key_that_begins_it_is_named(
    size: tuple[int, int], tmp_path: Path
) -> None:
    kept(tmp_path / "lift", trial(0), began_s=1_800_000_000.0)
    text = await shown(state_of(tmp_path / "lift-evaluate"), size)
    assert "enter  starts the trials" in text
    assert "▶" not in text, "the older result is listed and not taken for the new one"
    assert "1/1" in text
    older = await shown(state_of(tmp_path / "lift-evaluate"), size, "comma")
    assert "1 of 10 trials so far" in older and "▶" in older


async def test_older_results_are_looked_through_with_two_keys(tmp_path: Path) -> None:
    run_dir = tmp_path / "lift"
    kept(run_dir, trial(0), trial(1), began_s=1_800_000_000.0, complete=True, ended="2 of 2 trials")
    kept(run_dir, *paired("11", "01"), began_s=1_800_100_000.0, against=True)
    live = result(trial(0, False), folder=str(new_folder(run_dir, 1_800_200_000.0, "1f0c34ab9d77")))
    app = Console(Still(state_of(run_dir, e.EvaluationBegan(live), *RUNNING, trains=True)), start_run=True)
    seen = []
    async with app.run_test(size=LARGE) as pilot:
        for key in ("6", "comma", "comma", "comma", "full_stop"):
            await pilot.press(key)
            await settle(pilot)
            seen.append("\n".join(screen_text(app)))
    now, middle, first, end, back = seen
    assert "0 of 1    0%" in now and "1 of 3" in now and "trial 2 of 10" in now
    assert "2 of 3" in middle and "B lift policy 20" in middle and "4 of 20 trials so far" in middle
    assert "3 of 3" in first and "2 of 2 trials" in first and "2 of 2  100%" in first
    assert "3 of 3" in end and "2 of 3" in back and "B lift policy 20" in back


async def test_training_shows_its_own_evaluation_and_the_key_for_one(tmp_path: Path) -> None:
    nothing = await shown(state_of(tmp_path / "lift", trains=True), LARGE)
    assert "nothing was evaluated yet" in nothing and "any of its policies, in a shell:" in nothing
    assert "evaluates the newest policy" not in nothing, "there is none"
    learnt = e.LearnerProgress(900, 450, 2.0, 20.0, 3, "training")
    nothing = await shown(state_of(tmp_path / "lift", learnt, trains=True), LARGE)
    assert "e  evaluates the newest policy of this run" in nothing
    assert "2 Train" in nothing
    live = result(trial(0), folder=str(tmp_path / "lift/evaluations/x"))
    text = await shown(state_of(tmp_path / "lift", e.EvaluationBegan(live), *RUNNING, trains=True), SMALL)
    assert "1 of 1  100%" in text


async def test_a_success_key_that_does_nothing_is_not_offered(tmp_path: Path) -> None:
    state = state_of(tmp_path / "lift-evaluate", e.EvaluationBegan(result()), *RUNNING)
    assert "Success" not in (await shown(state, LARGE)).splitlines()[-1]
    assert state.run is not None
    real = replace(state, run=replace(state.run, simulated=False))
    assert "Success" in (await shown(real, LARGE)).splitlines()[-1]


async def test_the_job_key_leads_to_it_and_pictures_are_asked_for(tmp_path: Path) -> None:
    client = Still(state_of(tmp_path / "lift-evaluate", e.EvaluationBegan(result(trial(0))), *RUNNING))
    app, asked = Console(client), list[c.ShowCameras]()
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("t")
        for _ in range(200):  # a busy machine lays a screen out late
            await pilot.pause(0.05)
            asked = [command for command in client.sent if isinstance(command, c.ShowCameras)]
            if asked and asked[-1].width > 0 and "1 of 1" in "\n".join(screen_text(app)):
                break
        text = "\n".join(screen_text(app))
    assert "1 of 1" in text and "weights 1f0c34ab9d77" in text
    assert asked[-1].width > 0


async def test_an_evaluation_is_not_asked_for_where_nothing_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hints: list[str] = []
    monkeypatch.setattr(Console, "hint", lambda app, text: hints.append(text))
    client = Still(state_of(tmp_path / "lift-evaluate"))
    await drawn(client, LARGE, "e")
    assert "this run trains no policy" in hints[-1]
    assert not [command for command in client.sent if isinstance(command, c.EvaluateNow)]


async def test_home_tells_how_far_it_is(tmp_path: Path) -> None:
    state = state_of(
        tmp_path / "lift-evaluate", e.EvaluationBegan(result(trial(0), trial(1, False))), *RUNNING
    )
    text = "\n".join(await drawn(Still(state), LARGE, train=False))
    assert "1 of 2 succeeded" in text and "demonstrations" not in text and "training" not in text


async def test_files_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    kept(tmp_path / "lift", trial(0), began_s=1_800_000_000.0)
    broken = kept(tmp_path / "lift", trial(0), began_s=1_800_100_000.0)
    (Path(broken.folder) / "result.json").write_text("{")
    text = await shown(state_of(tmp_path / "lift", trains=True), LARGE)
    assert "1 of 10 trials so far" in text


async def test_every_size_is_survived(tmp_path: Path) -> None:
    live = result(*paired("1101", "0101"), against=True)
    app = Console(
        Still(state_of(tmp_path / "lift-evaluate", e.EvaluationBegan(live), *RUNNING)), start_run=True
    )
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("6")
        for size in ((80, 24), (40, 10), (10, 3), (108, 36), (120, 24)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
        assert app.return_code is None or app.return_code == 0


CUT = "cut off after 1 of 10 trials"


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(Console, "hint", lambda app, text: said.append(text))
    return said


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "lift.toml"
    path.write_text("")
    return path


def configured(state: ConsoleState, path: Path) -> ConsoleState:
    assert state.run is not None
    return replace(state, run=replace(state.run, config_path=str(path)))


async def continued(client: Still, *keys: str) -> Console:
    """The console after the key that continues what was cut off."""
    app = Console(client)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("6", *(keys or ("i",)))
        await settle(pilot)
    return app


@SIZES
async def test_one_that_was_cut_off_names_the_key_that_continues_it(
    size: tuple[int, int], tmp_path: Path
) -> None:
    kept(tmp_path / "lift", trial(0), began_s=1.8e9, ended=CUT)
    text = await shown(state_of(tmp_path / "lift", trains=True), size)
    assert CUT in text and " i  makes the 9 trials that it lacks" in text
    assert " i  Continue" in text.splitlines()[-1]


@SIZES
async def test_while_a_run_has_the_arm_the_command_is_named_instead(
    size: tuple[int, int], tmp_path: Path
) -> None:
    kept(tmp_path / "lift", trial(0), began_s=1.8e9, ended=CUT)
    training = e.PhaseChanged(e.Phase.TRAINING, "", 0, 0)
    text = await shown(state_of(tmp_path / "lift", training, trains=True), size)
    assert "evaluate configs/sim_pick_lift.toml --continue" in text
    assert "Continue" not in text.splitlines()[-1]


@SIZES
async def test_before_a_new_one_begins_the_one_cut_off_is_offered_too(
    size: tuple[int, int], tmp_path: Path
) -> None:
    kept(tmp_path / "lift", trial(0), trial(1), began_s=1.8e9, ended="cut off after 2 of 10 trials")
    text = await shown(state_of(tmp_path / "lift-evaluate"), size)
    assert "enter  starts the trials" in text
    assert " i  goes on with the one cut off after 2 of 10 trials" in text


async def test_one_key_leaves_the_idle_station_for_the_evaluation_that_was_cut_off(
    tmp_path: Path, config: Path
) -> None:
    kept(tmp_path / "lift", trial(0), began_s=1.8e9, ended=CUT)
    client = Still(configured(state_of(tmp_path / "lift-evaluate"), config))
    client.state = replace(client.state, control=replace(client.state.control, holder="me"))
    app = await continued(client)
    assert app.evaluates_next == (config, tmp_path / "lift-evaluate")
    assert c.ShutDown() in client.sent


async def test_one_that_was_just_cut_off_is_continued_from_its_own_end(tmp_path: Path, config: Path) -> None:
    run_dir = tmp_path / "lift-evaluate"
    cut = kept(tmp_path / "lift", trial(0), began_s=1.8e9, ended=CUT)
    ended = e.RunEnded("somebody stopped it", succeeded=False)
    state = state_of(run_dir, e.EvaluationBegan(cut), *RUNNING, ended)
    client = Still(configured(state, config))
    client.state = replace(client.state, control=replace(client.state.control, holder="me"))
    assert " i  makes the 9 trials" in await shown(client.state, LARGE)
    assert (await continued(client)).evaluates_next == (config, run_dir)


async def test_an_evaluation_that_runs_is_not_continued(tmp_path: Path, hints: list[str]) -> None:
    live = kept(tmp_path / "lift", trial(0), began_s=1.8e9)
    state = state_of(tmp_path / "lift-evaluate", e.EvaluationBegan(live), *RUNNING)
    app = await continued(Still(state))
    assert app.evaluates_next is None and "no evaluation of this run was cut off" in hints[-1]


async def test_a_run_that_has_the_arm_is_not_ended_for_it(tmp_path: Path, hints: list[str]) -> None:
    kept(tmp_path / "lift", trial(0), began_s=1.8e9, ended=CUT)
    client = Still(state_of(tmp_path / "lift", e.PhaseChanged(e.Phase.TRAINING, "", 0, 0), trains=True))
    app = await continued(client)
    assert app.evaluates_next is None and c.ShutDown() not in client.sent
    assert "the run is alive" in hints[-1]


async def test_who_only_watches_does_not_end_the_station(
    tmp_path: Path, config: Path, hints: list[str]
) -> None:
    kept(tmp_path / "lift", trial(0), began_s=1.8e9, ended=CUT)
    client = Still(configured(state_of(tmp_path / "lift-evaluate"), config))
    client.state = replace(client.state, control=replace(client.state.control, holder="kim@pts/3"))
    app = await continued(client)
    assert app.evaluates_next is None and c.ShutDown() not in client.sent
    assert "another console holds the controls" in hints[-1]


async def test_a_configuration_that_is_not_there_is_told_before_anything_ends(
    tmp_path: Path, hints: list[str]
) -> None:
    kept(tmp_path / "lift", trial(0), began_s=1.8e9, ended=CUT)
    client = Still(configured(state_of(tmp_path / "lift-evaluate"), tmp_path / "gone.toml"))
    app = await continued(client)
    assert app.evaluates_next is None and c.ShutDown() not in client.sent
    assert "gone.toml is not there" in hints[-1]


async def test_a_station_that_was_started_to_continue_it_does_so_on_the_same_key(tmp_path: Path) -> None:
    kept(tmp_path / "lift", trial(0), began_s=1.8e9, ended=CUT)
    state = state_of(tmp_path / "lift-evaluate")
    assert state.run is not None
    client = Still(replace(state, run=replace(state.run, continues=True)))
    client.state = replace(client.state, control=replace(client.state.control, holder="me"))
    await continued(client)
    assert c.StartRun() in client.sent and c.ShutDown() not in client.sent


async def test_the_palette_has_the_keys_of_the_screen(tmp_path: Path) -> None:
    app = Console(Still(state_of(tmp_path / "lift-evaluate")))
    async with app.run_test(size=LARGE) as pilot:
        on_home = {command.title for command in app.get_system_commands(app.screen)}
        await pilot.press("6")
        await settle(pilot)
        here = {command.title for command in app.get_system_commands(app.screen)}
    assert here - on_home == {"Continue · i", "Older · ,", "Newer · ."}
