"""Figures of an episode, from the records of it that the learner takes in."""

from dataclasses import dataclass, field

import numpy as np

from workers.transport.record import EpisodeEnd, Outcome, Record, Step


@dataclass
class _Running:
    episode: int
    reward: float = 0.0
    human: list[bool] = field(default_factory=list)
    executed_ns: list[int] = field(default_factory=list)


class EpisodeMeter:
    """Sums up the training episodes of every actor."""

    def __init__(self) -> None:
        self._running: dict[str, _Running] = {}

    def add(self, source: str, record: Record) -> dict[str, float] | None:
        """Take a record of the actor `source`; the figures of the training episode that it ends, if it does.

        Episodes of demonstration, and those that are recorded again, have none.
        """
        if isinstance(record, EpisodeEnd):
            running = self._running.pop(source, None)
            if running is None or running.episode != record.episode or record.discard:
                return None
            return _figures(running, record.outcome)
        if record.is_demonstration:
            self._running.pop(source, None)
            return None
        running = self._running.get(source)
        if running is None or running.episode != record.episode or record.step == 0:
            running = self._running[source] = _Running(record.episode)
        self._add_step(running, record)
        return None

    @staticmethod
    def _add_step(running: _Running, step: Step) -> None:
        running.reward += step.reward
        running.human.append(step.is_intervention)
        running.executed_ns.append(step.executed_ns)


def _figures(running: _Running, outcome: Outcome) -> dict[str, float]:
    human = np.array(running.human)
    began = human & ~np.concatenate([[False], human[:-1]])
    figures = {
        "episode": running.episode,
        "episode_reward": round(running.reward, 5),
        "episode_steps": len(human),
        "episode_success": float(outcome is Outcome.SUCCESS),
        "interventions": int(began.sum()),
        "intervened": float(human.any()),
        "intervention_rate": round(float(human.mean()), 5),
    }
    periods_s = np.diff(running.executed_ns) / 1e9
    if len(periods_s) and periods_s.min() > 0:
        figures["policy_hz"] = round(1 / float(periods_s.mean()), 3)
        figures["policy_hz_90th_p"] = round(1 / float(np.percentile(periods_s, 90)), 3)
    return figures
