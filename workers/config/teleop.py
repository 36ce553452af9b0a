"""[env.teleop]: what the person drives with."""

from typing import Annotated, Literal

import msgspec

from workers.config.values import Problems, Section

DeviceType = Literal["keyboard", "gamepad", "so101_leader", "so100_leader", "display_keyboard"]
LEADERS: tuple[DeviceType, ...] = ("so101_leader", "so100_leader")
Text = Annotated[str, msgspec.Meta(min_length=1)]


class TeleopConfig(Section, frozen=True, kw_only=True):
    type: DeviceType = "keyboard"
    """Input device: `keyboard` is the console's own terminal keys, which work beside every other device too;
    `gamepad`, a leader arm (`so101_leader`, `so100_leader`), or `display_keyboard`: keys of the robot PC's own
    display, which move the arm while they and the right control key are held."""
    jog_step: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.5
    """How much of one action unit (`end_effector_step_sizes`) a key press moves the arm; where the terminal tells when
    a key is let go, and with `display_keyboard`, also how much a key that is held down moves it in every step."""
    mapping: Text | None = None
    """Gamepad: name of a mapping, or a TOML file with one; without it, the one of the pad's vendor and product.
    `hilserl-worker map-gamepad` makes one for a pad that has none."""
    device: Text | None = None
    """Gamepad: which one, as "vendor:product" in hexadecimal or by serial number; without it, the first found."""
    deadzone: Annotated[float, msgspec.Meta(ge=0.0, le=0.5)] = 0.1
    """Gamepad: share of a stick's way from the middle that moves nothing."""
    hold_to_intervene: bool = True
    """Gamepad: the person has the arm while the upper right trigger is held; without it, a press takes the arm
    and another gives it back."""
    listen: Annotated[str, msgspec.Meta(pattern=r"^.+:[0-9]{1,5}$", description='"ADDRESS:PORT"')] | None = (
        None
    )
    """Gamepad: address and port, such as "0.0.0.0:50052", where one on the operator's own computer is received
    (`hilserl-tui forward-gamepad`), in place of one that is plugged in here."""
    port: Text | None = None
    """Leader arm: its serial port, such as "/dev/ttyACM1"."""
    id: Text | None = None
    """Leader arm: name of its calibration, as LeRobot has it."""
    calibration_dir: Text | None = None
    """Leader arm: folder of its calibration; without it, where LeRobot keeps them."""
    takeover_by_motion: bool = False
    """Leader arm: moving it by hand takes the follower; without it, only the intervene key does."""

    def problems(self) -> Problems:
        for key in _OWN:
            if self.type not in _OWN[key] and getattr(self, key) != getattr(_DEFAULT, key):
                users = " or ".join(f'"{kind}"' for kind in _OWN[key])
                yield (
                    (key,),
                    f'does nothing for env.teleop.type = "{self.type}", only for {users}; remove this key',
                )
        if self.listen is not None:
            for key in _SENDERS:
                if getattr(self, key) != getattr(_DEFAULT, key):
                    yield (
                        (key,),
                        "does nothing with env.teleop.listen: it is for the computer that has the pad",
                    )
        if self.type in LEADERS:
            for key, what in (
                ("port", "the serial port of the leader arm"),
                ("id", "the name of its calibration"),
            ):
                if getattr(self, key) is None:
                    yield (key,), f'missing; "{self.type}" needs {what}'

    @property
    def is_leader(self) -> bool:
        """Whether the person drives with a second arm."""
        return self.type in LEADERS


_PAD: tuple[DeviceType, ...] = ("gamepad",)
_SENDERS = ("mapping", "device", "deadzone", "hold_to_intervene")
_OWN: dict[str, tuple[DeviceType, ...]] = {
    **dict.fromkeys((*_SENDERS, "listen"), _PAD),
    **dict.fromkeys(("port", "id", "calibration_dir", "takeover_by_motion"), LEADERS),
}
"""Keys that belong to some devices only, and to which."""
_DEFAULT = TeleopConfig()
