"""The holder's lease: the console that has the controls says again and again that somebody is there."""

LEASE_LIMIT_S = 0.5
"""Silence that ends an intervention: consoles renew 10 times a second, and a slow terminal answers 0.3 s late."""
WATCH_PERIOD_S = 0.1


def look_again_s(age_s: float | None) -> float:
    """Seconds until a lease of this age is looked at again: when it would be lost, if that comes sooner.

    None: nobody holds the controls.
    """
    left_s = -1.0 if age_s is None else LEASE_LIMIT_S - age_s
    return min(WATCH_PERIOD_S, left_s + 0.001) if left_s >= 0.0 else WATCH_PERIOD_S
