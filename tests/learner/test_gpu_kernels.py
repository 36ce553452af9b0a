"""The kernels for GPUs without one: Triton's interpreter takes their steps, slowly, on the processor."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("interpreted_kernels.py")


@pytest.mark.skipif(find_spec("triton") is None, reason="this PyTorch came without Triton")
def test_the_kernels_compute_what_the_processor_does() -> None:
    repository = str(SCRIPT.parents[2])
    environment = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": repository, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, SCRIPT], check=False, env=environment, capture_output=True, text=True, timeout=240
    )
    said = re.search(r"pictures differ: (\w+), error of the ResNet: ([\d.]+)", done.stderr)
    assert said, done.stderr
    assert said[1] == "False"
    assert float(said[2]) < 0.02, "bfloat16 alone makes 0.008"
