"""How far two distributions over the same levels are apart. Standard library only."""

from collections.abc import Mapping
from math import fsum, log, sqrt

_ONE_SIDED = 1.6448536269514722  # of the normal distribution: 95 % lie below
_HALF = 0.5  # of a case more on every level, so that an empty one counts and does not explode


def stability_index(now: Mapping[str, int], then: Mapping[str, int]) -> float:
    """Population stability index: the sum over levels of (now - then) * ln(now / then), of shares; 0 when they are alike.

    Args:
        now: level to cases.
        then: the same of the reference.

    >>> round(stability_index({"a": 50, "b": 50}, {"a": 25, "b": 75}), 4)
    0.2687
    """
    levels = sorted(now.keys() | then.keys())
    total_now = sum(now.values()) + _HALF * len(levels)
    total_then = sum(then.values()) + _HALF * len(levels)
    parts = []
    for level in levels:
        after, before = (now.get(level, 0) + _HALF) / total_now, (then.get(level, 0) + _HALF) / total_then
        parts.append((after - before) * log(after / before))
    return fsum(parts)


def by_chance(levels: int, now: int, then: int) -> float:
    """What the index stays below in 95 of 100 cases when nothing changed: small samples are apart by chance.

    It is about chi square of levels - 1 degrees of freedom, times 1 / now + 1 / then (Yurdakul, "Statistical Properties of
    Population Stability Index", 2018); the 95 % point of chi square is Wilson and Hilferty's.

    Args:
        levels: that cases are in.
        now: cases, 1 or more.
        then: cases of the reference, 1 or more.

    >>> round(by_chance(8, 20, 5000), 2)
    0.71
    """
    if levels < 2:
        return 0.0
    part = 2 / (9 * (levels - 1))
    return (levels - 1) * (1 - part + _ONE_SIDED * sqrt(part)) ** 3 * (1 / now + 1 / then)
