"""Which prefixes are learned from, which choose the best epoch, and which judge: by week first, by customer second.

The last weeks are held out for everybody. Their first basket is the target, the history ends before them. Customers are
dealt into validation and test by a hash of their code, so that a customer stays in the same hand week after week.
"""

import datetime
import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nextbasket_assets.recommender.histories import Histories, Sequences, day_number
from nextbasket_assets.recommender.trends import week_number

DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class Rows:
    """Prefixes to be scored: (R,) customer and (R,) baskets before the target."""

    customers: np.ndarray
    prefixes: np.ndarray


@dataclass(frozen=True)
class Split:
    """The parts of a training run.

    Attributes:
        trained: (C,) baskets of each customer before the held-out weeks: targets lie at positions 1 to `trained - 1`.
        validation, test: rows whose targets are in the held-out weeks.
        watched, judged: rows of the validation and of the test hand at the end of the training weeks, whether the
            customers came again or not.
        week: number of the first held-out week, in which the rows are predicted.
        start: day on which the held-out weeks begin.
    """

    trained: np.ndarray
    validation: Rows
    test: Rows
    watched: Rows
    judged: Rows
    week: int
    start: int


def first_held_out_day(as_of: datetime.date, weeks: int) -> int:
    """Day number of the Monday on which the held-out weeks begin.

    Args:
        as_of: Monday of the last week.
        weeks: held-out weeks, the last one included.
    """
    return day_number(as_of) - (weeks - 1) * DAYS_PER_WEEK


def split(sequences: Sequences, start: int, validation_share: float) -> Split:
    """Splits the sequences at the day `start`.

    Everybody's baskets before `start` are trained on. Who has one before and one after also validates or tests.
    """
    before = baskets_before(sequences, start)
    offsets = sequences.basket_offsets
    target = offsets[:-1] + before
    has_target = (before > 0) & (target < offsets[1:])
    chosen = in_validation(sequences.customers, validation_share)
    parts = (has_target & chosen, has_target & ~chosen, (before > 0) & chosen, (before > 0) & ~chosen)
    validation, test, watched, judged = (Rows(np.flatnonzero(part), before[part]) for part in parts)
    return Split(before, validation, test, watched, judged, int(week_number(start)), start)


def baskets_before(sequences: Sequences | Histories, day: int) -> np.ndarray:
    """(C,) baskets of each customer before a day."""
    running = np.concatenate([[0], np.cumsum(sequences.days < day)])
    counts: np.ndarray = running[sequences.basket_offsets[1:]] - running[sequences.basket_offsets[:-1]]
    return counts


def in_validation(customers: pa.Array, share: float) -> np.ndarray:
    """(C,) whether the hash of a customer's code falls in the validation share."""
    parts = (hashlib.blake2b(code.encode(), digest_size=4).digest() for code in customers.to_pylist())
    return np.array([int.from_bytes(part) / 2**32 < share for part in parts], dtype=bool)
