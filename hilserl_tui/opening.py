"""Opening the screen: on a new run, on one that is alive, or on a recording.

Every "no" is words on standard error and exit code 2. Textual is imported when all is well, and not before; the
configuration's modules where a configuration is read.
"""

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from hilserl_tui.guarding import guard
from hilserl_tui.launch import REFUSED, Launch, LaunchError, check_alive, gone_within
from hilserl_tui.preferences_path import preferences_path
from workers.model.places import read_lock

if TYPE_CHECKING:
    from hilserl_tui.client import StationClient
    from hilserl_tui.preferences import Preferences
    from workers.config.overrides import Overrides

GONE_WITHIN_S = 20.0  # a station that stops in order takes 5 s


def open_run(
    config: Path | None, start: bool, wishes: Sequence[str] = (), overrides: "Overrides | None" = None
) -> NoReturn:
    """Start the station of `config` where it is absent, and attach.

    `wishes` are options for that station; `overrides` stand before what the file says of mode and dataset.
    """
    if config is None:
        refuse(
            "no configuration was named and no run is alive",
            "a run is described by a TOML file",
            "hilserl-tui configs/sim_pick_lift.toml",
        )
    from workers.config import ConfigError, load

    try:
        loaded = load(config)
        options = tuple(overrides.options()) if overrides is not None else ()
        run_dir = (overrides.applied(loaded, named=False) if overrides is not None else loaded).run_dir
        _need_terminal()
        check_alive(run_dir, [option for option in options[2:] if option.startswith("-")])
        launch = Launch(config, run_dir, wishes, job=("station", *options))
    except (ConfigError, LaunchError) as error:
        _say_and_leave(str(error))
    from hilserl_tui.client import LiveClient

    _show(LiveClient(launch.socket), start, launch)


def find_limits(config: Path, options: Sequence[str]) -> NoReturn:
    """Start the station that looks for the workspace of `config` where it is absent, and attach."""
    from workers.config import ConfigError
    from workers.config.survey import load_for_survey, surveying

    try:
        loaded = load_for_survey(config).config
        if loaded.env.robot is None:
            refuse(
                f"{config} has no arm whose workspace could be found",
                f'env.type = "{loaded.env.type}" is an environment with limits of its own',
                "train on it as it is: hilserl-tui " + str(config),
            )
        _need_terminal("find-limits")
        launch = Launch(config, surveying(loaded).run_dir, job=("find-limits", *options))
    except (ConfigError, LaunchError) as error:
        _say_and_leave(str(error))
    from hilserl_tui.client import LiveClient

    _show(LiveClient(launch.socket), True, launch, "bounds")


def evaluate(config: Path, overrides: "Overrides", seed: int | None, start: bool = False) -> NoReturn:
    """Start the station that evaluates a policy of `config`'s run where it is absent, and attach."""
    from workers.config import ConfigError, load

    try:
        run_dir = overrides.applied(load(config), named=False).run_dir
        _need_terminal("evaluate")
        _, _, *options = overrides.options()  # the job is the mode
        options += ["--seed", str(seed)] if seed is not None else []
        check_alive(run_dir, [option for option in options if option.startswith("-")])
        launch = Launch(config, run_dir, job=("evaluate", *options))
    except (ConfigError, LaunchError) as error:
        _say_and_leave(str(error))
    from hilserl_tui.client import LiveClient

    _show(LiveClient(launch.socket), start, launch, "evaluate")


def _evaluate_on(config: Path, left: Path) -> NoReturn:
    """Go on with the evaluation that was cut off, once the station in the run directory `left` has ended."""
    from workers.config.overrides import Overrides

    sys.stderr.write("the evaluation goes on: waiting for the station of before\n")
    lock = read_lock(left)
    if lock is not None and not gone_within(lock, GONE_WITHIN_S):
        refuse(
            f"the station of {lock.run} (pid {lock.pid}) is still there",
            "it parks the arm and saves, or it hangs",
            f"look with hilserl-tui status, then: hilserl-tui evaluate {config} --continue",
        )
    evaluate(config, Overrides("evaluate", go_on=True), None, start=True)


def crop(config: Path, dataset: str | None) -> NoReturn:
    """Open the Crop screen: on the pictures of a dataset, or on the cameras of the run, whose arm stands still."""
    from workers.config import ConfigError, load

    try:
        env = load(config).env
        _need_terminal()
        if dataset is not None:
            from hilserl_tui.pictures_client import PicturesClient

            _show(PicturesClient(["--dataset", dataset, "--config", str(config)]), screen="crop")
        if not env.cameras:
            refuse(
                f"{config} has no camera to look through",
                "its pictures come from a Gymnasium environment, or it has none",
                "name a dataset: hilserl-tui crop CONFIG --dataset FOLDER",
            )
        launch = Launch(config, load(config).run_dir)
    except (ConfigError, LaunchError) as error:
        _say_and_leave(str(error))
    from hilserl_tui.client import LiveClient

    _show(LiveClient(launch.socket), launch=launch, screen="crop")


def episodes(dataset: str) -> NoReturn:
    """Look through the episodes of a dataset."""
    _need_terminal(f"dataset info {dataset}", of_config=False)
    from hilserl_tui.pictures_client import PicturesClient

    _show(PicturesClient(["--dataset", dataset, "--episodes"]), screen="episodes")


def attach(socket: Path) -> NoReturn:
    """Attach to the station that listens on `socket`."""
    _need_terminal()
    from hilserl_tui.client import LiveClient

    _show(LiveClient(socket))


def replay(run: Path, speed: float) -> NoReturn:
    """Show the recording of a run, `speed` times as fast as it was."""
    from hilserl_tui.recording import RecordedClient, RecordingError, events_file, read_events

    try:
        events = read_events(events_file(run))
    except RecordingError as error:
        _say_and_leave(str(error))
    _need_terminal()
    _show(RecordedClient(events, speed))


def refuse(what: str, why: str, do: str) -> NoReturn:
    _say_and_leave(f"{what}\nwhy: {why}\nwhat to do: {do}")


def _say_and_leave(text: str) -> NoReturn:
    sys.stderr.write(text + "\n")
    sys.exit(REFUSED)


def _need_terminal(job: str = "station", of_config: bool = True) -> None:
    """The console reads keys from standard input and draws on standard error."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        refuse(
            "the console needs a terminal",
            "standard input or standard error is a file or a pipe",
            f"run it in a terminal, or without a screen: hilserl-worker {job}{' --config CONFIG' * of_config}",
        )


def _preferences() -> "Preferences | None":
    """The person's own keys, theme and bell, if they have any; a file with mistakes opens nothing."""
    if not preferences_path().exists():
        return None
    from hilserl_tui.preferences import load_preferences
    from workers.config import ConfigError

    try:
        return load_preferences()
    except ConfigError as error:
        _say_and_leave(str(error))


def _show(
    client: "StationClient", start: bool = False, launch: Launch | None = None, screen: str = ""
) -> NoReturn:
    """Open the screen; the process ends with the app's own exit code."""
    os.environ.setdefault("TEXTUAL_FPS", "30")
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    preferences = _preferences()
    guard()
    gc.disable()  # until the first paint: what is made on the way there stays
    from hilserl_tui.app import Console

    console = Console(client, start_run=start, launch=launch, screen=screen, preferences=preferences)
    console.run()
    if console.evaluates_next is not None and not console.return_code:
        _evaluate_on(*console.evaluates_next)
    if console.parting:
        sys.stderr.write(console.parting + "\n")
    sys.exit(console.return_code or 0)  # a panicking Textual app returns as if all were well
