"""A run begun on the robot PC goes on at a learner elsewhere when its directory is carried there."""

import shutil
from pathlib import Path

from tests.learner.runs import Arm, contents, go_on, tiny_config
from workers.learner.session import LearnerSession
from workers.transport.log_reader import PackedReader
from workers.transport.replica import ReplicaWriter
from workers.transport.sources import actor_log


def made_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_carried_run_resumes_and_learns_from_what_is_sent_as_it_would_have_at_home(tmp_path: Path) -> None:
    here, there = (tiny_config(made_folder(tmp_path / name)) for name in ("robot", "server"))
    arm = Arm(here, 1)
    home = LearnerSession(here)
    arm.record(60)
    home.take_in()
    for _ in range(5):
        home.update()
    home.save_checkpoint(wait=True)
    shutil.copytree(here.run_dir, there.run_dir, dirs_exist_ok=True)
    arm.record(25)
    packed = PackedReader(here.run_dir / "log").read_new()
    copy = ReplicaWriter(actor_log(there.run_dir, "arm", arm.log.epoch), arm.features, arm.log.epoch)
    assert copy.append(packed) == 85
    away = LearnerSession(there, resume_required=True)
    assert away.take_in() == home.take_in()
    assert go_on(away, 3) == go_on(home, 3)
    assert contents(away) == contents(home)
    for closed in (home, away, copy, arm):
        closed.close()
