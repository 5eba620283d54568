"""Ranking metrics of lists against targets, one number per customer, so that means and intervals come from one place.

R customers, K length of the lists. Ids below zero in a list are empty places: they never hit.
"""

from dataclasses import dataclass

import numpy as np

CUTS = (5, 10, 20)


@dataclass(frozen=True)
class Truth:
    """Targets of R customers.

    Attributes:
        rows, items: (T,) customer and id of every distinct target item.
        repeats: (T,) whether the customer had bought the item before.
        customers: R.
    """

    rows: np.ndarray
    items: np.ndarray
    repeats: np.ndarray
    customers: int

    @property
    def sizes(self) -> np.ndarray:
        """(R,) distinct items of each target."""
        return np.bincount(self.rows, minlength=self.customers)

    def part(self, repeats: bool) -> "Truth":
        """Only the items that were bought before, or only those that were not."""
        keep = self.repeats == repeats
        return Truth(self.rows[keep], self.items[keep], self.repeats[keep], self.customers)


def hits(top_RK: np.ndarray, truth: Truth) -> np.ndarray:
    """(R, K) whether each place of the list holds a target item; an item listed twice hits once."""
    span = int(max(top_RK.max(initial=0), truth.items.max(initial=0))) + 1
    keys_RK = np.arange(len(top_RK))[:, None] * span + top_RK
    found_RK = np.isin(keys_RK, truth.rows * span + truth.items) & (top_RK >= 0)
    order_RK = np.argsort(top_RK, axis=1, kind="stable")
    sorted_RK = np.take_along_axis(top_RK, order_RK, 1)
    again_RK = np.zeros(top_RK.shape, bool)
    np.put_along_axis(again_RK, order_RK[:, 1:], sorted_RK[:, 1:] == sorted_RK[:, :-1], 1)
    return found_RK & ~again_RK


def per_customer(top_RK: np.ndarray, truth: Truth, cuts: tuple[int, ...] = CUTS) -> dict[tuple[str, int], np.ndarray]:
    """{(metric, k): (R,) value}; NaN where a metric is undefined because the customer's target is empty.

    recall is hits over target items, precision hits over k, ndcg is cut at k in list and ideal, phr is 1 with any hit;
    `_repeat` and `_explore` count only the target items that the customer had, or had not, bought before.
    """
    values: dict[tuple[str, int], np.ndarray] = {}
    for suffix, part in (("", truth), ("_repeat", truth.part(True)), ("_explore", truth.part(False))):
        found_RK, sizes = hits(top_RK, part), part.sizes
        for k in cuts:
            values |= {(name + suffix, k): value for name, value in _at(found_RK[:, :k], sizes, k).items()}
    return values


def means(values: dict[tuple[str, int], np.ndarray]) -> dict[tuple[str, int], tuple[float, int]]:
    """{(metric, k): (mean, customers)} over the customers for whom the metric is defined; mean 0 over nobody."""
    defined = {key: value[~np.isnan(value)] for key, value in values.items()}
    return {key: (float(v.mean()) if len(v) else 0.0, len(v)) for key, v in defined.items()}


@dataclass(frozen=True)
class Reliability:
    """(bins,) mean probability, share that happened, and pairs, by rising probability."""

    predicted: np.ndarray
    observed: np.ndarray
    pairs: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: mean |predicted - observed|, weighted by pairs; 0 without any."""
        total = self.pairs.sum()
        return float((np.abs(self.predicted - self.observed) * self.pairs).sum() / total) if total else 0.0


def reliability(probability: np.ndarray, happened: np.ndarray, bins: int = 10) -> Reliability:
    """What probabilities said and what came of it, in bins of equal numbers of pairs; fewer bins than pairs."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    means = [np.array([values[part].mean() for part in parts]) for values in (probability, happened)]
    return Reliability(means[0], means[1], np.array([len(part) for part in parts], np.int64))


def calibration_error(probability: np.ndarray, happened: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over bins of equal numbers of pairs."""
    return reliability(probability, happened, bins).error


def _at(found_RK: np.ndarray, sizes: np.ndarray, k: int) -> dict[str, np.ndarray]:
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[np.nan], np.cumsum(discount)])[np.minimum(sizes, k)]
    count = np.where(sizes > 0, found_RK.sum(1), np.nan)
    return {
        "recall": count / np.maximum(sizes, 1),
        "precision": count / k,
        "ndcg": (found_RK * discount[: found_RK.shape[1]]).sum(1) / ideal,
        "phr": np.minimum(count, 1),
    }
