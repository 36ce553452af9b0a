"""Opens the Gymnasium environment that a configuration names, headless, and says what to do where that fails."""

import contextlib
import difflib
import importlib
import importlib.util
import inspect
import os
import sys
import warnings
from typing import Any, Final

import gymnasium
from gymnasium.envs.registration import load_env_creator

from workers.config import EnvConfig
from workers.processors.errors import EnvironmentRefused
from workers.processors.gymnasium_spaces import PLACE

Environment = gymnasium.Env[Any, Any]
EXTRAS: Final = {  # what to do about namespaces that come with an extra of this product
    "gym_hil": "pip install 'hilserl-tui[gym-hil]', or without a C compiler pip install --no-deps gym-hil"
}
PICTURES: Final = "rgb_array"


def open_environment(env: EnvConfig) -> Environment:
    """`gymnasium.make(id, **kwargs)`, able to render pictures where the environment can.

    An id without a module imports the package that is called like its namespace: `gym_hil/...` needs no
    `gym_hil:` in front. Raises EnvironmentRefused that names the key at fault and what to do.
    """
    assert env.id is not None, "only Gymnasium environments have an id"
    _prepare_rendering()
    module, colon, name = env.id.rpartition(":")
    _import(module if colon else "", name)
    kwargs: dict[str, Any] = dict(env.kwargs)
    if "render_mode" not in kwargs and _renders(name):
        kwargs["render_mode"] = PICTURES
    try:
        with warnings.catch_warnings(
            action="ignore"
        ):  # about a stranger's spaces: nothing the person can change
            return gymnasium.make(name, disable_env_checker=True, **kwargs)
    except gymnasium.error.UnregisteredEnv as error:
        raise EnvironmentRefused(PLACE, f'no environment "{name}" is registered. {_nearest(name)}') from error
    except (gymnasium.error.DependencyNotInstalled, ImportError) as error:
        text = f'"{name}" needs a package that is not installed: {_sentence(error)}'
        raise EnvironmentRefused(PLACE, text) from error
    except TypeError as error:
        raise EnvironmentRefused(
            ("env", "kwargs"), f'"{name}" does not take them: {_sentence(error)}'
        ) from error
    except Exception as error:  # whatever a stranger's constructor raises
        text = f'"{name}" could not be made: {type(error).__name__}: {_sentence(error)}'
        raise EnvironmentRefused(PLACE, f"{text}{_rendering_advice(error)}") from error


def environment_name(env_id: str) -> str:
    """An id without the module that may stand before it."""
    return env_id.rpartition(":")[2]


def _prepare_rendering() -> None:
    """Off-screen OpenGL for MuJoCo, unless the person chose another; and Triton's LLVM before Mesa's.

    Both Mesa's software renderer and Triton, which torch's optimisers import, bring an LLVM; loaded after Mesa's,
    Triton's crashes the process (seen with torch 2.14 and Mesa 22).
    """
    if sys.platform == "linux":
        os.environ.setdefault("MUJOCO_GL", "egl")
    with contextlib.suppress(ImportError):
        importlib.import_module("triton._C.libtriton")
    chosen: Any = sys.modules.get("mujoco.rendering.classic.gl_context")
    wants_egl = os.environ.get("MUJOCO_GL") == "egl"
    if wants_egl and chosen is not None and chosen.GLContext.__module__ != "mujoco.egl":
        importlib.reload(chosen)  # MuJoCo was imported before the variable was set


def _import(module: str, name: str) -> None:
    """Import what registers the environment, so that Gymnasium finds it."""
    namespace, slash, _ = name.partition("/")
    known = any(spec.namespace == namespace for spec in gymnasium.registry.values())
    package = module or ("" if known or not slash else namespace)
    if not package:
        return
    try:
        found = importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        found = False
    if not found:
        how = EXTRAS.get(package, f"install the package that has {package!r}")
        raise EnvironmentRefused(
            PLACE, f'"{name}" is registered by {package!r}, which is not installed; {how}'
        )
    try:
        importlib.import_module(package)
    except Exception as error:  # whatever a stranger's module raises
        text = f'importing {package!r} for "{name}" failed: {type(error).__name__}: {_sentence(error)}'
        raise EnvironmentRefused(PLACE, text) from error


def _renders(name: str) -> bool:
    """Whether the environment's class says that it gives pictures."""
    spec = gymnasium.registry.get(name)
    entry: Any = None if spec is None else spec.entry_point
    if isinstance(entry, str):
        with contextlib.suppress(Exception):  # `make` meets the same trouble, and is asked what it is
            entry = load_env_creator(entry)
    if not inspect.isclass(entry):
        return False
    return PICTURES in (getattr(entry, "metadata", None) or {}).get("render_modes", ())


def _nearest(name: str) -> str:
    close = difflib.get_close_matches(name, list(gymnasium.registry), n=1, cutoff=0.5)
    return f'Did you mean "{close[0]}"?' if close else "`gymnasium.pprint_registry()` lists what there is."


def _sentence(error: Exception) -> str:
    """What went wrong on one line, without what Gymnasium adds about its own call."""
    return " ".join(str(error).split()).partition(" was raised from the environment creator")[0]


def _rendering_advice(error: Exception) -> str:
    trouble = f"{type(error).__name__} {error}"
    if not any(word in trouble for word in ("EGL", "OpenGL", "egl", "gladLoadGL", "glfw")):
        return ""
    return (
        ". It draws with OpenGL, which did not start: on Debian or Ubuntu "
        "`sudo apt install libegl1 libegl-mesa0 libgl1-mesa-dri`"
    )
