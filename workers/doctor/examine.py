"""Every examination, quick ones first; what goes wrong in one is its finding, and the others go on."""

from collections.abc import Callable, Iterator
from pathlib import Path

from workers.config import Config
from workers.model.check import Check

Examination = tuple[str, Callable[[], Check]]


def examinations(folder: Path, config: Config | None) -> list[Examination]:
    """(name, what finds out); `folder` is where runs will be kept. Heavy libraries come in when they are needed."""

    def memory() -> Check:
        from workers.doctor.forecast import memory

        return memory(config)

    def cores() -> Check:
        from workers.doctor.forecast import cores

        return cores()

    def gpu() -> Check:
        from workers.doctor.machine import gpu

        return gpu(config)

    def egl() -> Check:
        from workers.doctor.machine import egl

        return egl()

    def disk_speed() -> Check:
        from workers.doctor.machine import disk_speed

        return disk_speed(folder, config)

    def ports() -> Check:
        from workers.doctor.devices import ports

        return ports(config)

    def calibrations() -> Check:
        from workers.doctor.devices import calibrations

        assert config is not None
        return calibrations(config)

    def cameras() -> Check:
        from workers.doctor.devices import cameras

        return cameras(config)

    def gamepads() -> Check:
        from workers.doctor.devices import gamepads

        return gamepads(config)

    def link() -> Check:
        from workers.doctor.link import link

        assert config is not None
        return link(config)

    elsewhere = config is not None and config.policy.actor_learner_config.learner_host is not None
    return [
        ("serial ports", ports),
        *([("calibrations", calibrations)] if config is not None and not config.simulated else []),
        ("cameras", cameras),
        ("gamepads", gamepads),
        ("disk speed", disk_speed),
        ("processor", cores),
        ("memory", memory),
        ("GPU", gpu),
        ("EGL rendering", egl),
        *([("learner link", link)] if elsewhere else []),
    ]


def examined(folder: Path, config: Config | None) -> Iterator[Check]:
    """The findings, one by one as they are there."""
    for name, examine in examinations(folder, config):
        try:
            yield examine()
        except Exception as error:  # a broken driver is a finding too
            what = f"the examination failed: {type(error).__name__}: {error}"
            do = "if the rest is well, a run may still work; tell the developers, with this line"
            yield Check(name, False, what, "a library or a driver behaves in an unknown way", do)
