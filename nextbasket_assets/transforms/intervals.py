"""95 % intervals of shares and of their differences. Plain Python, no engine."""

from math import hypot, sqrt

Z = 1.959963984540054  # of a 95 % interval


def wilson(share: float, cases: float) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share that was found in so many cases.

    >>> [round(end, 3) for end in wilson(0.0, 10)]
    [0.0, 0.278]
    """
    scale = 1 + Z * Z / cases
    centre = (share + Z * Z / (2 * cases)) / scale
    half = Z * sqrt(max(0.0, share * (1 - share) / cases + Z * Z / (4 * cases * cases))) / scale
    return max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share))


def newcombe(share: float, cases: float, other: float, other_cases: float) -> tuple[float, float]:
    """Newcombe's 95 % interval of share - other, from the Wilson intervals of both.

    Newcombe, "Interval Estimation for the Difference Between Independent Proportions", Statistics in Medicine 1998, method 10.
    Unlike plus and minus 1.96 standard errors it is of some width also where a share is 0.

    >>> [round(end, 4) for end in newcombe(56 / 70, 70, 48 / 80, 80)]
    [0.0524, 0.3339]
    """
    (low, high), (other_low, other_high) = wilson(share, cases), wilson(other, other_cases)
    difference = share - other
    return difference - hypot(share - low, other_high - other), difference + hypot(high - share, other - other_low)
