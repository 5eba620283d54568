"""What the shop sells just now: how far each item's recent share of baskets is above its usual one, week by week.

The recent share of a row that predicts a basket of week w is that of the weeks before w and of no other; the usual one is that
of all baskets that may be learned from. W weeks, V ids.
"""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.recommender.histories import Histories

WINDOWS = (
    (1, 0),
    (2, 0),
    (6, 0),
    (13, 0),
    (53, 50),
)  # weeks before now, from and to; the last: a year ago, and the weeks after
FURTHEST = max(start for start, _ in WINDOWS)
SMOOTHING = 4.0  # baskets of the usual kind added to both sides, so that rare items do not jump
MOST_WEEKS = 260  # that trends are kept for: five years
MONDAY = 3  # 1970-01-01 was a Thursday


def week_number(days: np.ndarray | int) -> np.ndarray:
    """Weeks since the Monday before 1970-01-01."""
    return (np.asarray(days) + MONDAY) // 7


def first_day(week: int) -> int:
    """Day number of the Monday of a week."""
    return 7 * week - MONDAY


@dataclass(frozen=True)
class Weekly:
    """Baskets of each week: (W, V) that hold an item, (W,) all; the first row is week `first`."""

    first: int
    holding: np.ndarray
    baskets: np.ndarray

    @classmethod
    def empty(cls, first: int, last: int, vocabulary: int) -> "Weekly":
        """No basket yet in the weeks `first` to `last`."""
        weeks = max(last - first + 1, 0)
        return cls(first, np.zeros((weeks, vocabulary)), np.zeros(weeks))

    def add(self, histories: Histories, counted: np.ndarray | None = None) -> None:
        """Counts the baskets of these histories that fall in the weeks, or those of them that (N,) `counted` says, in place."""
        weeks, vocabulary = self.holding.shape
        week = week_number(histories.days) - self.first
        inside = (week >= 0) & (week < weeks) & (True if counted is None else counted)
        self.baskets[:] += np.bincount(week[inside], minlength=weeks)
        sizes = np.diff(histories.item_offsets)
        items = histories.items[np.repeat(inside, sizes)]
        cells = np.repeat(week[inside] * vocabulary, sizes[inside]) + items
        self.holding[:] += np.bincount(cells, minlength=weeks * vocabulary).reshape(weeks, vocabulary)

    def merge(self, other: "Weekly") -> None:
        """Counts in the baskets of another count of the same weeks, in place."""
        self.baskets[:] += other.baskets
        self.holding[:] += other.holding


@dataclass(frozen=True)
class Trends:
    """(W + 1, V, windows) log lift of each item at the start of the weeks `first` to `first + W`."""

    first: int
    lifts: np.ndarray

    def rows(self, weeks: np.ndarray) -> np.ndarray:
        """Rows of `lifts` for week numbers; weeks outside get the nearest one."""
        clipped: np.ndarray = np.clip(weeks - self.first, 0, len(self.lifts) - 1)
        return clipped

    def at(self, week: int) -> "Trends":
        """The lifts at the start of one week alone."""
        row = int(self.rows(np.array(week)))
        return Trends(week, self.lifts[row : row + 1])

    def of(self, rows: np.ndarray, items: np.ndarray) -> np.ndarray:
        """(Q, windows) lifts of items at rows of `lifts`."""
        flat = self.lifts.reshape(-1, len(WINDOWS))
        chosen: np.ndarray = flat.take(rows * self.lifts.shape[1] + items, axis=0)
        return chosen


def trends(weekly: Weekly, rates: np.ndarray) -> Trends:
    """Lifts at the start of every week and after the last.

    Args:
        weekly: the counts.
        rates: (V,) usual share of baskets with each id.
    """
    holding = np.concatenate([np.zeros((1, weekly.holding.shape[1])), np.cumsum(weekly.holding, axis=0)])
    baskets = np.concatenate([[0.0], np.cumsum(weekly.baskets)])
    now = np.arange(len(baskets))
    lifts = np.empty((*holding.shape, len(WINDOWS)), np.float32)
    for column, (start, end) in enumerate(WINDOWS):
        low, high = np.maximum(now - start, 0), np.maximum(now - end, 0)
        expected = (baskets[high] - baskets[low])[:, None] * rates
        lifts[:, :, column] = np.log((holding[high] - holding[low] + SMOOTHING) / (expected + SMOOTHING))
    return Trends(weekly.first, lifts)


def of_histories(histories: Histories, rates: np.ndarray, counted: np.ndarray | None = None) -> Trends:
    """Trends of the weeks of these histories, the last five years, told by all baskets or by those that (N,) `counted` says."""
    weeks = week_number(histories.days)
    first, last = (int(weeks.min()), int(weeks.max())) if len(weeks) else (0, -1)
    weekly = Weekly.empty(max(first, last - MOST_WEEKS + 1), last, len(rates))
    weekly.add(histories, counted)
    return trends(weekly, rates)
