"""How far two distributions over the same levels are apart. Standard library only."""

from collections.abc import Mapping
from math import fsum, log

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
