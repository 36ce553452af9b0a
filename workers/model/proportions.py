"""Intervals of success rates: of one, and of the difference of two that were tried in pairs. Pure."""

import math

from workers.model.select import wilson_interval


def paired_difference_interval(both: int, first: int, second: int, neither: int) -> tuple[float, float]:
    """95 % interval of p1 - p2 from pairs of trials: both succeeded, only the first, only the second, neither.

    Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
    data", Statistics in Medicine 17 (1998) 2635-2650, method 10: with the Wilson limits l, u of each rate and
    the pairs' correlation phi,

        lower = d - sqrt((p1-l1)^2 - 2 phi (p1-l1)(u2-p2) + (u2-p2)^2)
        upper = d + sqrt((u1-p1)^2 - 2 phi (u1-p1)(p2-l2) + (p2-l2)^2)
    """
    pairs = both + first + second + neither
    if pairs == 0:
        return -1.0, 1.0
    p1, p2 = (both + first) / pairs, (both + second) / pairs
    l1, u1 = wilson_interval(both + first, pairs)
    l2, u2 = wilson_interval(both + second, pairs)
    phi = _correlation(both, first, second, neither)
    below1, above1, below2, above2 = p1 - l1, u1 - p1, p2 - l2, u2 - p2
    lower = math.sqrt(max(0.0, below1**2 - 2 * phi * below1 * above2 + above2**2))
    upper = math.sqrt(max(0.0, above1**2 - 2 * phi * above1 * below2 + below2**2))
    return max(-1.0, p1 - p2 - lower), min(1.0, p1 - p2 + upper)


def _correlation(both: int, first: int, second: int, neither: int) -> float:
    """phi of the fourfold table, brought towards 0 by half the pairs where it is positive, as method 10 has it."""
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    if margins == 0:
        return 0.0
    cross = float(both * neither - first * second)
    if cross > 0:
        cross = max(0.0, cross - (both + first + second + neither) / 2)
    return cross / math.sqrt(margins)
