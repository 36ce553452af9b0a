"""What tests with stock LeRobot have in common.

They need `lerobot` and torchcodec, which most machines of ours lack, in an environment of their own, beside this
program. Whoever imports this is skipped where they are missing.
"""

import pytest

lerobot = pytest.importorskip("lerobot.datasets.lerobot_dataset", reason="lerobot is not installed")
video_utils = pytest.importorskip("lerobot.datasets.video_utils")
pytest.importorskip("torchcodec", reason="torchcodec, with which lerobot decodes videos, is not installed")
both = pytest.mark.parametrize("video", [False, True], ids=["png", "video"])


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Imported by a test file: its datasets are on this machine, whatever a cache says."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
    monkeypatch.setattr(lerobot, "snapshot_download", None)
