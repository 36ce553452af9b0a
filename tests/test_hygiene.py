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

BANNED_MODULES = {
    "pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "jsonpickle", "hickle",
}  # fmt: skip
# These unpickle what comes in over a socket. Queues between our own processes on one machine are fine.
BANNED_PARTS = {
    "multiprocessing.connection.Listener",
    "multiprocessing.connection.Client",
    "multiprocessing.managers",
}
BANNED_CALLS = {
    "eval", "exec", "compile", "torch.load", "torch.jit.load", "torch.hub.load", "torch.serialization.load",
    "torch.package.PackageImporter", "pandas.read_pickle", "yaml.load", "yaml.load_all", "yaml.full_load",
    "yaml.unsafe_load", "yaml.unsafe_load_all", "os.system", "os.popen", "subprocess.getoutput",
    "subprocess.getstatusoutput", "asyncio.create_subprocess_shell",
}  # fmt: skip
BANNED_FLAGS = {"allow_pickle", "shell", "trust_remote_code", "insecure"}
# The link has no way without TLS, and no way that does not look at the certificate.
BANNED_NAMES = {
    "add_insecure_port", "insecure_channel", "insecure_channel_credentials", "insecure_server_credentials",
    "CERT_NONE", "_create_unverified_context",
}  # fmt: skip
ALLOW_PICKLE_POSITION = 2  # numpy.load(file, mmap_mode, allow_pickle)
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


def within(full: str, banned: set[str]) -> bool:
    """Whether a dotted name is one of `banned` or lies inside one."""
    return any(full == one or full.startswith(f"{one}.") for one in banned)


def offences(source: str) -> Iterator[str]:
    """What a file does that none may, with its line."""
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        for local, full in imported(node).items():
            # `import a.b` brings in `a`, by which `a.b.c` is then called.
            names[local] = full if local != full.split(".")[0] else local
            if (
                within(full, BANNED_MODULES | BANNED_PARTS | BANNED_NAMES)
                or full.split(".")[-1] in BANNED_NAMES
            ):
                yield f"line {getattr(node, 'lineno', 0)}: import of {full}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in BANNED_NAMES:
            yield f"line {node.lineno}: {node.attr}"
        if isinstance(node, ast.Attribute | ast.Name) and within(full_name(node, names), BANNED_PARTS):
            yield f"line {node.lineno}: {full_name(node, names)}"
        if isinstance(node, ast.Call):
            yield from offences_of_call(node, full_name(node.func, names))


def full_name(node: ast.expr, names: dict[str, str]) -> str:
    head, _, rest = dotted(node).partition(".")
    return ".".join(part for part in (names.get(head, head), rest) if part)


def offences_of_call(node: ast.Call, called: str) -> Iterator[str]:
    if called.removeprefix("builtins.") in BANNED_CALLS:
        yield f"line {node.lineno}: call of {called}"
    for flag in node.keywords:
        if flag.arg in BANNED_FLAGS and not (
            isinstance(flag.value, ast.Constant) and flag.value.value is False
        ):
            yield f"line {node.lineno}: {flag.arg} in a call of {called}"
    if called in {"importlib.import_module", "__import__"} and node.args:
        match node.args[0]:
            case ast.Constant(value=str(name)) if within(name, BANNED_MODULES | BANNED_PARTS):
                yield f"line {node.lineno}: import of {name}"
    if called == "numpy.load" and len(node.args) > ALLOW_PICKLE_POSITION:
        yield f"line {node.lineno}: allow_pickle in a call of {called}"


def test_no_file_runs_foreign_bytes() -> None:
    found = [f"{file.relative_to(ROOT)}, {what}" for file in SOURCES for what in offences(file.read_text())]
    assert len(SOURCES) > 100 and not found


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
        "import numpy as np\nnp.load(path, allow_pickle=flag)",
        "import numpy as np\nnp.load(path, None, True)",
        "import yaml\nyaml.load(text)",
        "import subprocess\nsubprocess.run(line, shell=True)",
        "import subprocess\nsubprocess.run(line, shell=flag)",
        "eval(text)",
        "import builtins\nbuiltins.exec(text)",
        "compile(text, 'file', 'exec')",
        "from multiprocessing.connection import Listener",
        "from multiprocessing.connection import Client as Dial",
        "import multiprocessing.connection\nmultiprocessing.connection.Listener(('', 6000))",
        "import multiprocessing.connection as far\nfar.Client(('10.0.0.5', 6000))",
        "from multiprocessing import connection\nconnection.Client(('10.0.0.5', 6000))",
        "from multiprocessing.managers import BaseManager",
        "import multiprocessing.managers",
        "import importlib\nimportlib.import_module('pickle')",
        "__import__('marshal').loads(data)",
        "import asyncio\nasyncio.create_subprocess_shell(line)",
        "import grpc\ngrpc.insecure_channel(address)",
        "import grpc\ngrpc.aio.insecure_channel(address)",
        "from grpc.aio import insecure_channel",
        "from grpc import insecure_channel as channel",
        "server.add_insecure_port(address)",
        "port = server.add_insecure_port",
        "import grpc\ngrpc.insecure_server_credentials()",
        "import grpc\ngrpc.experimental.insecure_channel_credentials()",
        "from workers.transport.pb.learner_pb2_grpc import Learner\nLearner.Link(it, at, insecure=True)",
        "import ssl\ncontext.verify_mode = ssl.CERT_NONE",
        "from ssl import CERT_NONE",
        "import ssl\nssl._create_unverified_context()",
        *(f"import {name}" for name in sorted(BANNED_MODULES)),
        *(f"from {name} import load" for name in sorted(BANNED_MODULES)),
        *(f"import {name.split('.')[0]}\n{name}(text)" for name in sorted(BANNED_CALLS) if "." in name),
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
        "import re\nre.compile(text)",
        "import torch\ntorch.compile(model)",
        "import numpy as np\nnp.load(path, 'r')",
        "from multiprocessing.connection import Connection, wait",
        "import multiprocessing as mp\nmp.get_context('spawn').Queue()",
        "import grpc\ngrpc.aio.secure_channel(address, credentials)\nserver.add_secure_port(address, tls)",
    ],
)
def test_the_ban_leaves_the_harmless_alone(source: str) -> None:
    assert not list(offences(source))


def test_no_file_is_longer_than_one_idea() -> None:
    assert len(ALL) > len(SOURCES)
    assert not [
        str(file.relative_to(ROOT)) for file in ALL if len(file.read_text().splitlines()) > MOST_LINES
    ]


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


def test_every_page_that_is_named_exists() -> None:
    texts = [*SOURCES, *sorted((ROOT / "configs").glob("*.toml")), *sorted((ROOT / "docs").glob("*.md"))]
    missing = []
    for file in [*texts, ROOT / "README.md"]:
        text = file.read_text()
        pages = {ROOT / page for page in re.findall(r"\bdocs/[\w/]+\.md", text)}
        if file.suffix == ".md":
            pages |= {file.parent / page for page in re.findall(r"\]\(((?!https?:)[^)#\s]+)", text)}
        missing += [f"{file.relative_to(ROOT)}: {page}" for page in pages if not page.exists()]
    assert not missing
