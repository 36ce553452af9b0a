"""The generated Python is what proto/ says."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUBS = "workers/transport/pb"


def test_stubs_are_fresh(tmp_path: Path) -> None:
    protoc = pytest.importorskip("grpc_tools.protoc")
    status = protoc.main(
        [
            "protoc", f"-I{STUBS}={ROOT / 'proto/hilserl/v1'}", f"--python_out={tmp_path}",
            f"--pyi_out={tmp_path}", f"--grpc_python_out={tmp_path}", f"{STUBS}/learner.proto",
        ]
    )  # fmt: skip
    assert status == 0
    made = sorted((tmp_path / STUBS).iterdir())
    assert [path.name for path in made] == ["learner_pb2.py", "learner_pb2.pyi", "learner_pb2_grpc.py"]
    for path in made:
        assert path.read_text() == (ROOT / STUBS / path.name).read_text(), "run `make stubs`"
