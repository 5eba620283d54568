"""What a customer's record says about their trips: days between them, sizes and missions; and what the next trip was.

R rows (prefixes), N baskets, M missions.
"""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.recommender.histories import Histories

GAP_SPANS = (1, 2, 4, 8, 16)  # last gaps that are averaged
SIZE_SPANS = (1, 4, 16)  # last baskets whose sizes are averaged
MISSION_SPANS = (1, 4, 16)  # last baskets whose missions are averaged


def width(missions: int) -> int:
    """Columns of `features`."""
    return 2 + len(GAP_SPANS) + len(SIZE_SPANS) + len(MISSION_SPANS) * missions


@dataclass(frozen=True)
class Trips:
    """Running sums over all baskets, from which the features of any prefix are differences."""

    histories: Histories
    sizes: np.ndarray  # (N + 1,)
    missions: np.ndarray  # (N + 1, M)

    @classmethod
    def of(cls, histories: Histories) -> "Trips":
        """The trips of these histories."""
        sizes = np.concatenate([[0], np.cumsum(histories.sizes, dtype=np.int64)])
        missions = np.cumsum(histories.missions, axis=0, dtype=np.float64)
        return cls(histories, sizes, np.concatenate([np.zeros_like(missions[:1]), missions]))

    def features(self, customers: np.ndarray, prefixes: np.ndarray) -> np.ndarray:
        """(R, width) the customer's trips before each prefix, which is at least 1, about in the range of a unit."""
        first = self.histories.basket_offsets[customers]
        end = first + prefixes
        days = self.histories.days
        columns = [np.log1p(prefixes) * 0.3, (prefixes == 1).astype(np.float64)]
        for span in GAP_SPANS:
            gaps = np.minimum(span, prefixes - 1)
            columns.append(np.log1p((days[end - 1] - days[end - 1 - gaps]) / np.maximum(gaps, 1)) * 0.5)
        for span in SIZE_SPANS:
            start = end - np.minimum(span, prefixes)
            columns.append(np.log1p((self.sizes[end] - self.sizes[start]) / (end - start)) * 0.5)
        numbers = np.stack(columns, axis=1)
        starts = [end - np.minimum(span, prefixes) for span in MISSION_SPANS]
        means = [(self.missions[end] - self.missions[start]) / (end - start)[:, None] for start in starts]
        return np.concatenate([numbers, *means], axis=1).astype(np.float32)


@dataclass(frozen=True)
class NextTrips:
    """What came after each prefix.

    Attributes:
        days: (R,) days from the last trip to the next one, or to the end of the record where none came.
        came: (R,) whether a next trip is known; where it is not, the rest is zero.
        sizes: (R,) distinct items of the next basket.
        missions: (R, M) its mission weights; zeros when it is unassigned.
    """

    days: np.ndarray
    came: np.ndarray
    sizes: np.ndarray
    missions: np.ndarray


def next_trips(
    histories: Histories, customers: np.ndarray, prefixes: np.ndarray, ends: np.ndarray, end: int
) -> NextTrips:
    """The trips that follow.

    Args:
        histories: the sequences.
        customers, prefixes: the rows.
        ends: (R,) baskets of each row's customer that may be known; a prefix as long as that has no next trip.
        end: last day of the record: where no trip came, none came up to and with this day.
    """
    last = histories.basket_offsets[customers] + prefixes - 1
    came = prefixes < ends
    following = np.where(came, last + 1, last)
    days = np.where(came, histories.days[following], end) - histories.days[last]
    return NextTrips(
        days, came, np.where(came, histories.sizes[following], 0), histories.missions[following] * came[:, None]
    )


def elapsed(histories: Histories, customers: np.ndarray, prefixes: np.ndarray, today: int) -> np.ndarray:
    """(R,) days without a trip since the last one, when `today` begins; its own day is not counted."""
    last = histories.basket_offsets[customers] + prefixes - 1
    days: np.ndarray = np.maximum(today - 1 - histories.days[last], 0).astype(np.int64)
    return days
