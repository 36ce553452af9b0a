"""Rules for every file of ours: nothing that runs foreign bytes, no giants, no place on our own disks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = [file for name in ("hilserl_tui", "workers") for file in sorted((ROOT / name).rglob("*.py"))]
SOURCES = [file for file in PACKAGES if "pb" not in file.relative_to(ROOT).parts]
ALL = SOURCES + sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "benchmarks").rglob("*.py"))

BANNED_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}
BANNED_CALLS = {"eval", "exec", "torch.load", "yaml.load", "yaml.unsafe_load", "os.system", "os.popen"}
BANNED_FLAGS = {"allow_pickle", "shell", "trust_remote_code"}
MOST_LINES = 400


def dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=name):
            return f"{dotted(inner)}.{name}"
    return "(value)"


def imported(node: ast.AST) -> dict[str, str]:
    """Local name -> full name of what an import statement brings in."""
    match node:
        case ast.Import(names=names):
            return {one.asname or one.name.split(".")[0]: one.name for one in names}
        case ast.ImportFrom(module=module, names=names):
            return {one.asname or one.name: f"{module}.{one.name}" for one in names}
    return {}


def offences(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        for local, full in imported(node).items():
            names[local] = full
            if full.split(".")[0] in BANNED_MODULES:
                yield f"line {getattr(node, 'lineno', 0)}: import of {full}"
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        head, _, rest = dotted(node.func).partition(".")
        called = ".".join(part for part in (names.get(head, head), rest) if part)
        if called.removeprefix("builtins.") in BANNED_CALLS:
            yield f"line {node.lineno}: call of {called}"
        for flag in node.keywords:
            if flag.arg in BANNED_FLAGS and not (
                isinstance(flag.value, ast.Constant) and flag.value.value is False
            ):
                yield f"line {node.lineno}: {flag.arg} in a call of {called}"


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_runs_foreign_bytes(file: Path) -> None:
    assert not list(offences(file.read_text()))


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import multiprocessing.reduction, marshal",
        "import torch\ntorch.load(path)",
        "from torch import load as fetch\nfetch(path)",
        "import torch as t\nt.load(path)",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import yaml\nyaml.load(text)",
        "import subprocess\nsubprocess.run(line, shell=True)",
        "import subprocess\nsubprocess.run(line, shell=flag)",
        "eval(text)",
        "import builtins\nbuiltins.exec(text)",
    ],
)
def test_the_ban_sees_through_names(source: str) -> None:
    assert list(offences(source))


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "build(1).eval()",
        "import numpy as np\nnp.load(path, allow_pickle=False)",
        "import json\njson.load(file)",
    ],
)
def test_the_ban_leaves_the_harmless_alone(source: str) -> None:
    assert not list(offences(source))


@pytest.mark.parametrize("file", ALL, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_is_longer_than_one_idea(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= MOST_LINES


def test_nothing_names_a_place_on_somebody_s_machine() -> None:
    place = re.compile(r"(/home/[a-z]|/root/|/Users/)")
    kept = {".py", ".toml", ".md", ".txt", ".yml", ""}
    looked_at = [
        file
        for top in ("hilserl_tui", "workers", "configs", "benchmarks", "docs", ".ci")
        for file in sorted((ROOT / top).rglob("*"))
        if file.is_file() and file.suffix in kept
    ] + [ROOT / name for name in ("Makefile", "pyproject.toml", "constraints.txt", "README.md")]
    named = [str(file) for file in looked_at if file.exists() and place.search(file.read_text())]
    assert not named


def test_the_exact_versions_name_no_index_and_no_file() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!]+", line) for line in pins)
    assert {"torch==2.14.1", "torchvision==0.29.1"} <= set(pins)
