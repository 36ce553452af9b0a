"""A trial as the station is told of it: how it went, under which weights, and its first and last pictures."""

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.actor.pictures import Observation
from workers.actor.rules import EpisodeResult
from workers.model.events import EndedBy, TrialEnded
from workers.model.orders import TrialPlan
from workers.processors.features import IMAGES


def trial_ended(
    episode: int, plan: TrialPlan, result: EpisodeResult, policy_version: int, digest: str
) -> TrialEnded:
    """The event of a finished episode of evaluation."""
    decided_by: str = result.decided_by.value
    if result.ended_by is EndedBy.TIME_LIMIT:
        decided_by = EndedBy.TIME_LIMIT.value.replace("_", " ")
    return TrialEnded(
        episode=episode,
        number=plan.number,
        side=plan.side,
        seed=plan.seed,
        ended_by=result.ended_by.value,
        decided_by="" if result.ended_by is EndedBy.STOP else decided_by,
        reason=result.reason,
        steps=result.steps,
        seconds=round(result.driven_s, 3),
        policy_version=policy_version,
        digest=digest,
        pictures=_pictures(result.first, result.last),
    )


def _pictures(first: Observation, last: Observation) -> dict[str, tuple[bytes, bytes]]:
    return {
        key.removeprefix(IMAGES): (png(first[key]), png(last[key]))
        for key in first
        if key.startswith(IMAGES) and key in last
    }


def png(picture: NDArray[np.uint8]) -> bytes:
    """A picture uint8 [H, W, 3], RGB, as the bytes of a PNG file."""
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done, "OpenCV encodes every picture of this kind"
    return bytes(data)
