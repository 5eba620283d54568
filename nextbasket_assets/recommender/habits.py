"""When people come and what for, by counting: the fallback's word about the next trip.

R customers, M missions.
"""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.recommender.heads import HORIZON, WEEK, Forecast
from nextbasket_assets.recommender.histories import Sequences

PRIOR_TRIPS = 1.0  # trips that the shop's habit is worth beside the customer's own
USUAL_RATE = 1 / 30  # trips a day where nobody has come twice yet


@dataclass
class Habits:
    """The shop's trips so far, counted batch by batch: what a customer without a record is taken to do."""

    today: int  # the day on which the record ends; its own trips are not in it
    trips: float = 0.0  # after a customer's first
    days: float = 0.0  # since a customer's first
    baskets: float = 0.0
    items: float = 0.0
    missions: np.ndarray | None = None  # (M,) summed weights

    def add(self, sequences: Sequences) -> None:
        """Counts these customers in."""
        counts = np.diff(sequences.basket_offsets)
        first = sequences.basket_offsets[:-1][counts > 0]
        self.trips += float((counts[counts > 0] - 1).sum())
        self.days += float((self.today - sequences.days[first]).sum())
        self.baskets += float(counts.sum())
        self.items += float(sequences.item_offsets[-1] - sequences.item_offsets[0])
        if sequences.missions.shape[1]:
            weights = sequences.missions.sum(0, dtype=np.float64)
            self.missions = weights if self.missions is None else self.missions + weights

    def merge(self, other: "Habits") -> None:
        """Counts in the customers of another count of the same day."""
        self.trips += other.trips
        self.days += other.days
        self.baskets += other.baskets
        self.items += other.items
        if other.missions is not None:
            self.missions = other.missions if self.missions is None else self.missions + other.missions

    def forecast(self, sequences: Sequences) -> Forecast:
        """The next trip of each customer: their own rate, size and missions, shrunk to the shop's."""
        counts = np.diff(sequences.basket_offsets)
        known = counts > 0
        first = np.where(known, sequences.basket_offsets[:-1], 0)
        days = np.where(known, self.today - _at(sequences.days, first), 0)
        rate = self.trips / self.days if self.trips and self.days else USUAL_RATE
        daily = (np.maximum(counts - 1, 0) + PRIOR_TRIPS) / (days + PRIOR_TRIPS / rate)
        away = np.exp(-daily)
        items = _sums(np.diff(sequences.item_offsets), sequences.basket_offsets)
        usual = self.items / self.baskets if self.baskets else 1.0
        size = (items + PRIOR_TRIPS * usual) / (counts + PRIOR_TRIPS)
        return Forecast(1 - away**WEEK, (1 - away**HORIZON) / (1 - away), size, self._missions(sequences))

    def _missions(self, sequences: Sequences) -> np.ndarray:
        if self.missions is None or not self.missions.sum():
            return np.zeros((len(sequences.customers), 0))
        own = np.zeros((len(sequences.customers), len(self.missions)))
        if sequences.missions.shape[1]:
            own = _sums(sequences.missions, sequences.basket_offsets)
        weights = own + PRIOR_TRIPS * self.missions / self.missions.sum()
        shares: np.ndarray = weights / weights.sum(1, keepdims=True)
        return shares


def _at(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    return values[index] if len(values) else np.zeros(len(index), np.int64)


def _sums(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Sums of the values of each customer's baskets."""
    running = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=running[1:])
    sums: np.ndarray = running[offsets[1:]] - running[offsets[:-1]]
    return sums
