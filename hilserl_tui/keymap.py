"""The keys: one table from which bindings, footer, help and palette are made.

A person may have other keys, by id (`remap`): set once, before anything is drawn, as a language would be.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from textual.binding import Binding

from workers.model.survey import Stage


class Group(StrEnum):
    SAFETY = "safety"
    DRIVING = "driving (while ▲ HUMAN)"
    EPISODE = "episode"
    RUN = "run"
    BOUNDS = "workspace (find-limits)"
    CONSOLE = "console"
    EPISODES = "on the episodes screen"
    CLASSIFIER = "on the classifier screen"
    EVALUATE = "on the evaluate screen"
    CROP = "on the crop screen (or drag with the mouse)"


@dataclass(frozen=True, slots=True)
class Key:
    """One action. `id` is what a remapping names; `keys` are Textual key names, the first one is shown."""

    id: str
    keys: str
    action: str
    label: str  # one or two words, for the footer
    help: str  # a sentence, for help and palette
    group: Group
    shown: str = ""  # how the key is printed, when Textual's name reads badly
    priority: bool = False  # taken before any widget that has the focus

    @property
    def caption(self) -> str:
        """How the key is printed; empty where the person took it away."""
        if self.id in _remapped:
            then = " y" if self.shown.endswith(" y") else ""  # what asks once more
            return printed(_remapped[self.id].split(",")[0]) + then
        return self.shown or self.keys.split(",")[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Textual's names of its keys, as they are now."""
        return tuple(name for name in _remapped.get(self.id, self.keys).split(",") if name)


_remapped: dict[str, str] = {}
_PRINTED = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "question_mark": "?",
    "full_stop": ".",
    "comma": ",",
    "colon": ":",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
}


def printed(key: str) -> str:
    """A key as it is written on a keyboard."""
    return _PRINTED.get(key, key)


_SAID_BY_WORKERS = {
    "intervene": re.compile(r"\bspace\b(?=, or (?:the|moving) | takes | gives | begins |$)"),
    "clear-stop": re.compile(r"\bctrl\+e\b"),
    "pause": re.compile(r"(?<=pause \()p(?=\))"),
    "success": re.compile(r"(?<=mark successes with )s\b"),
}
"""As they stand in words such as "space takes the arm"; a test reads all that workers can say."""


def remap(keys: Mapping[str, str]) -> None:
    """Print these keys from now on; id -> Textual key names, "" for no key at all."""
    _remapped.clear()
    _remapped.update(keys)


def hint(name: str) -> str:
    """The first key of an action, for a sentence that names it."""
    return printed(keys_of(name)[0]) if keys_of(name) else "the palette"


def in_own_keys(words: str) -> str:
    """What workers say with the keys that the person has: workers name those that everybody begins with."""
    for name, said in _SAID_BY_WORKERS.items():
        if name in _remapped:
            words = said.sub(lambda _, name=name: hint(name), words)  # type: ignore[misc]
    return words


def pair(first: Key, second: Key) -> str:
    """The captions of two keys that belong together; those without a key are left out."""
    return " ".join(caption for caption in (first.caption, second.caption) if caption)


def keys_of(name: str) -> tuple[str, ...]:
    """Textual's names of the keys of an action, as they are now."""
    keys = _remapped[name] if name in _remapped else BY_ID[name].keys
    return tuple(keys.split(",")) if keys else ()


def driving_keys() -> frozenset[str]:
    """Textual's names of all keys that move the arm, as they are now."""
    return frozenset(name for key in KEYS if key.action.startswith("jog(") for name in key.names)


def remapped(but: frozenset[str] = frozenset()) -> frozenset[str]:
    """The person's own keys, of all actions but these."""
    return frozenset(
        name for one, keys in _remapped.items() if one not in but for name in keys.split(",") if name
    )


def stop_keys(typing: bool) -> frozenset[str]:
    """The keys that stop the arm; while a text is typed only those that no text has."""
    always = frozenset(keys_of("stop-always"))
    return always if typing else always | frozenset(keys_of("stop"))


# fmt: off
KEYS: tuple[Key, ...] = (
    Key("stop", "x,X", "stop", "STOP", "stop the arm now, until cleared", Group.SAFETY, "x", True),
    Key("stop-always", "ctrl+c", "stop(True)", "STOP", "the same, also while typing", Group.SAFETY, "", True),
    Key("clear-stop", "ctrl+e", "arm_clear", "Clear stop", "clear a stop; let the arm move", Group.SAFETY, "ctrl+e y"),
    Key("confirm-clear", "y", "clear_stop", "Yes, clear", "second half of clearing the stop", Group.SAFETY),
    Key("intervene", "space", "intervene", "Take over", "take over or give back, between episodes too", Group.DRIVING),
    Key("forward", "up", "jog('x',1)", "Forward", "+x, away from the base", Group.DRIVING, "↑"),
    Key("back", "down", "jog('x',-1)", "Back", "-x, towards the base", Group.DRIVING, "↓"),
    Key("left", "left", "jog('y',1)", "Left", "+y, left seen from behind the base", Group.DRIVING, "←"),
    Key("right", "right", "jog('y',-1)", "Right", "-y, right seen from behind the base", Group.DRIVING, "→"),
    Key("raise", "u,pageup", "jog('z',1)", "Up", "+z, up (also pageup)", Group.DRIVING),
    Key("lower", "j,pagedown", "jog('z',-1)", "Down", "-z, down (also pagedown)", Group.DRIVING),
    Key("close", "left_square_bracket", "jog('gripper',-1)", "Close", "close gripper", Group.DRIVING, "["),
    Key("open", "right_square_bracket", "jog('gripper',1)", "Open", "open gripper", Group.DRIVING, "]"),
    Key("success", "s", "mark('success')", "Success", "a success: ends the episode, or marks its steps", Group.EPISODE),
    Key("fail", "f", "mark('failure')", "Fail", "end the episode as a failure", Group.EPISODE),
    Key("veto", "v", "veto", "Veto", "the classifier is wrong: no reward, the episode goes on", Group.EPISODE),
    Key("rerecord", "r", "mark('rerecord')", "Rerecord", "drop the episode, record it again", Group.EPISODE),
    Key("proceed", "n", "proceed", "Scene ready", "the scene is set up: on with the next episode", Group.EPISODE),
    Key("start", "enter", "start_run", "Start", "start the run, or go on with it; write the bounds found", Group.RUN),
    Key("pause", "p", "pause", "Pause", "hold the arm and end the episode; again: go on with the next", Group.RUN),
    Key("evaluate", "e", "evaluate", "Evaluate", "evaluate the newest policy now", Group.RUN),
    Key("script", "a", "script", "Script", "let the scripted person operate, or send it away", Group.RUN),
    Key("control", "g", "take_control", "Get controls", "take the controls from another console", Group.RUN),
    Key("survey-done", "d", "survey_done", "Done", "what was seen is enough; again: count on", Group.BOUNDS),
    Key("start-over", "o", "start_over", "Start over", "forget what was seen, count anew", Group.BOUNDS),
    Key("by-hand", "m", "by_hand", "By hand", "torque off, to move a real arm by hand; again: on", Group.BOUNDS),
    Key("wider", "equals_sign,plus", "margin(1)", "Wider", "bounds 5 mm wider than what was seen", Group.BOUNDS, "="),
    Key("narrower", "minus", "margin(-1)", "Narrower", "5 mm less of that", Group.BOUNDS, "-"),
    Key("face", "z", "next_face", "Face", "once done: which face of the box the next two keys move", Group.BOUNDS),
    Key("face-in", "comma", "move_face(-1)", "In", "that face 1 mm inwards", Group.BOUNDS, ","),
    Key("face-out", "full_stop", "move_face(1)", "Out", "that face 1 mm outwards", Group.BOUNDS, "."),
    Key("home", "1", "home", "Home", "what this run has and what is next", Group.CONSOLE),
    Key("train", "2,t", "train", "Job", "the running job: arm, cameras, learning or recording", Group.CONSOLE),
    Key("bounds", "3,b", "bounds", "Bounds", "the workspace: what it is, or what is found", Group.CONSOLE),
    Key("crop", "4", "crop", "Crop", "choose the part of the pictures that the policy sees", Group.CONSOLE),
    Key("classifier", "5", "classifier", "Classifier", "train the network that tells success", Group.CONSOLE),
    Key("evaluations", "6", "evaluations", "Evaluate", "how the policy does alone, and older results", Group.CONSOLE),
    Key("doctor", "8", "doctor", "Doctor", "what this machine has of what a run needs; again: anew", Group.CONSOLE),
    Key("cameras", "c", "cameras", "Cameras", "pictures on the whole screen, and back", Group.CONSOLE),
    Key("join", "l", "join", "Join learner", "join a learner on another machine: paste its line", Group.CONSOLE),
    Key("advice", "w", "advice", "Advice", "advice on this run, and the figures behind it", Group.CONSOLE),
    Key("reload", "ctrl+r", "reload", "Reload", "read the configuration again, and change what may", Group.CONSOLE),
    Key("help", "question_mark", "help", "Keys", "this list", Group.CONSOLE, "?"),
    Key("palette", "colon,ctrl+p", "command_palette", "Palette", "find a command", Group.CONSOLE, ":"),
    Key("quit", "q,ctrl+q", "leave", "Quit", "stop the run, or leave it running", Group.CONSOLE),
)
# fmt: on

BY_ID = {key.id: key for key in KEYS}

# Keys that belong together take one place in the footer.
_TOGETHER = {
    "move": (("forward", "back", "left", "right"), "Move"),
    "height": (("raise", "lower"), "Up, down"),
    "gripper": (("close", "open"), "Gripper"),
    "margin": (("narrower", "wider"), "Margin"),
    "face-move": (("face-in", "face-out"), "1 mm"),
}


_SURVEY = (
    "stop",
    "intervene",
    "survey-done",
    "start-over",
    "script",
    "help",
    "quit",
    "by-hand",
    "margin",
    "home",
)
_SURVEY_DRIVING = (
    "stop",
    "intervene",
    "move",
    "height",
    "gripper",
    "survey-done",
    "start-over",
    "help",
    "quit",
)
_SURVEY_DONE = ("stop", "start", "survey-done", "start-over", "margin", "face", "face-move", "help", "quit")


def footer(
    *,
    stopped: bool,
    human: bool,
    idle: bool,
    over: bool = False,
    waits: bool = False,
    unconfirmed: bool = False,
    vetoable: bool = False,
    stage: Stage | None = None,
    stale: bool = False,
    watching: bool = False,
) -> tuple[tuple[str, str, str], ...]:
    """(id, caption, label) of the keys that matter now, most important first; as many as fit are printed."""
    wanted: tuple[str, ...]
    if stale:  # nothing can be sent; the stop key has a line of its own
        wanted = ("stop", "home", "train", "help", "quit")
    elif watching and not over:
        wanted = ("stop", "control", "home", "train", "cameras", "help", "quit")
    elif stopped:
        wanted = ("clear-stop", "home", "train", "cameras", "help", "quit")
    elif unconfirmed and stage is not None:
        here = _SURVEY_DONE if stage is Stage.DONE else ("by-hand", *_SURVEY)
        wanted = tuple(dict.fromkeys(("stop", "clear-stop", *here)))
    elif unconfirmed:
        wanted = ("stop", "clear-stop", "home", "train", "cameras", "help", "quit")
    elif over:
        wanted = ("stop", "quit", "home", "train", "cameras", "help")
    elif idle:
        wanted = ("start", "train", "stop", "help", "palette", "quit")
    elif vetoable:
        wanted = ("stop", "veto", "fail", "success", "rerecord", "pause", "help", "quit")
    elif waits:
        wanted = ("stop", "proceed", "intervene", "pause", "cameras", "home", "help", "quit")
    elif stage is not None:
        wanted = _SURVEY_DONE if stage is Stage.DONE else _SURVEY_DRIVING if human else _SURVEY
    elif human:
        wanted = (
            "stop",
            "intervene",
            "move",
            "height",
            "gripper",
            "success",
            "fail",
            "rerecord",
            "help",
            "quit",
        )
    else:
        wanted = ("stop", "intervene", "success", "fail", "rerecord", "pause", "help", "quit")
        wanted += ("cameras", "evaluate", "script", "home")
    return tuple(entry for name in wanted if (entry := footer_entry(name))[1])


def bindings_of(keys: Iterable[Key]) -> list[Binding]:
    """Those of a screen's own table."""
    return [Binding(key.keys, key.action, key.label, id=key.id, show=False) for key in keys]


def footer_entry(name: str) -> tuple[str, str, str]:
    """(id, caption, label) of a key, or of some that belong together."""
    if name in _TOGETHER:
        ids, label = _TOGETHER[name]
        captions = [BY_ID[one].caption for one in ids]
        return (
            name,
            ("" if name == "move" and all(len(one) == 1 for one in captions) else " ").join(captions),
            label,
        )
    key = BY_ID[name]
    return name, key.caption, key.label
