"""Results of evaluations, made up: for figures, reports and screens."""

from workers.model.evaluation import Contestant, Result, Trial, side_of

NEW = Contestant(
    label="step-00012000",
    source="runs/lift/checkpoints/step-00012000",
    run="lift",
    policy_version=38,
    updates=12_000,
    digest="1f0c34ab9d77" + "0" * 52,
)
OLD = Contestant(
    label="lift policy 20",
    source="exported/lift",
    run="lift",
    policy_version=20,
    updates=None,
    digest="ef589b1ab00e" + "0" * 52,
)


def trial(number: int, success: bool = True, side: int = 0, **changes: object) -> Trial:
    """Trial `number`, ended by the task, or by the time limit."""
    fields: dict[str, object] = {
        "number": number,
        "side": side,
        "seed": 1000 + number,
        "counted": True,
        "success": success,
        "ended_by": "success" if success else "time_limit",
        "decided_by": "task" if success else "time limit",
        "steps": 42 if success else 100,
        "seconds": 4.2 if success else 10.0,
        "ended_s": 1_800_000_000.0 + 10 * (number + 1),
    }
    return Trial(**{**fields, **changes})  # type: ignore[arg-type]


def result(*trials: Trial, against: bool = False, wanted: int = 10, **changes: object) -> Result:
    fields: dict[str, object] = {
        "folder": "/data/runs/lift/evaluations/20270115-080000-1f0c34ab9d77",
        "run": "lift",
        "task": "pick_lift",
        "began_s": 1_800_000_000.0,
        "wanted": wanted,
        "seed": 7,
        "simulated": True,
        "contestants": (NEW, OLD) if against else (NEW,),
        "trials": trials,
    }
    return Result(**{**fields, **changes})  # type: ignore[arg-type]


def paired(first: str, second: str) -> list[Trial]:
    """Trials of A and B in turns: `1` for a success, `0` for none, one character a pair."""
    outcomes = [[one == "1" for one in row] for row in (first, second)]
    trials = []
    for number in range(2 * len(first)):
        side = side_of(number, 2)
        trials.append(trial(number, outcomes[side][number // 2], side))
    return trials
