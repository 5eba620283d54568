"""From the network's ranking scores to probabilities, by curves fitted on validation customers and withheld baskets.

The softmax says which share of a basket an item is; how often it is in the next basket also depends on how much the
customer buys, and whether it is bought within a week also depends on whether they come. Within a customer both curves
rise with the score, so they never change the order of a list.
"""

import math
from dataclasses import astuple, dataclass

import numpy as np

RIDGE = 1.0
SEARCHED_FROM = -6.0  # log odds
SMALLEST = 1e-9
LEAST = np.array([-np.inf, 1e-3, -np.inf])  # the second is a slope, which rises, so that no list changes its order


@dataclass(frozen=True)
class Calibration:
    """odds P = exp(intercept + slope * log softmax + size * log(mean basket size)) + exp(floor)."""

    intercept: float
    slope: float
    size: float
    floor: float = -math.inf  # models of before there was one

    def probability(self, log_share: np.ndarray, log_size: np.ndarray) -> np.ndarray:
        """P(item in the next basket), in the shape of `log_share`."""
        logit = np.logaddexp(self.intercept + self.slope * log_share + self.size * log_size, self.floor)
        probability: np.ndarray = 1 / (1 + np.exp(-logit))
        return probability


@dataclass(frozen=True)
class WithinWeek:
    """P = 1 - exp(-exp(intercept + item * log h(item) + trip * log h(trip))), where h = -log(1 - probability).

    It is never above P(trip). With (0, 1, 1) it is 1 - (1 - P(item)) ** h(trip): as many draws of a basket as trips are to be
    expected.
    """

    intercept: float
    item: float
    trip: float

    def probability(self, in_basket: np.ndarray, trip_within_week: np.ndarray) -> np.ndarray:
        """P(item bought within 7 days), from P(item in next basket) and P(trip within 7 days)."""
        log_hazard = self.intercept + self.item * _log_hazard(in_basket) + self.trip * _log_hazard(trip_within_week)
        bought = -np.expm1(-np.exp(np.minimum(log_hazard, 5.0)))
        probability: np.ndarray = np.minimum(bought, trip_within_week)  # nobody buys who does not come
        return probability


START = Calibration(intercept=0.0, slope=1.0, size=1.0, floor=-8.0)
START_WITHIN_WEEK = WithinWeek(intercept=0.0, item=1.0, trip=1.0)


@dataclass(frozen=True)
class Pairs:
    """What became of Q pairs of a customer and an item of their list.

    Attributes:
        log_share: (Q,) log softmax of the item.
        log_size: (Q,) log mean basket size of the customer.
        happened: (Q,) whether the item was in the target.
        weights: (Q,) how much the pair says.
    """

    log_share: np.ndarray
    log_size: np.ndarray
    happened: np.ndarray
    weights: np.ndarray


def fit(validation: Pairs, withheld: Pairs) -> Calibration:
    """The likeliest curve of the validation customers' pairs, above a floor that the withheld pairs have a say in.

    Both parts have a curve of their own above one floor, as withheld baskets are of other weeks. A small ridge holds all
    of them near `START`, so that few customers cannot bend them. The search begins above the floor that it is held near:
    from further down one that is there is not seen.
    """
    above, floor = astuple(START)[:3], START.floor
    near = np.array([*above, *above, floor])
    least = np.array([*LEAST, *LEAST, -np.inf])
    w = np.array([*above, *above, SEARCHED_FROM])
    parts = [
        (np.array(index), pairs, _features(pairs))
        for index, pairs in (((0, 1, 2, 6), validation), ((3, 4, 5, 6), withheld))
    ]
    for _ in range(200):
        gradient, hessian = np.zeros(7), np.zeros((7, 7))
        for index, pairs, features in parts:
            logit = np.logaddexp(curve := features @ w[index[:3]], w[6])
            share = np.exp(curve - logit)  # of the odds that is not the floor
            p = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
            x = np.concatenate([features * share[:, None], 1 - share[:, None]], axis=1)
            gradient[index] += x.T @ (pairs.weights * (p - pairs.happened))
            hessian[np.ix_(index, index)] += (x * (pairs.weights * p * (1 - p))[:, None]).T @ x
        if _step(w, near, least, gradient, hessian) < 1e-9:
            break
    return Calibration(float(w[0]), float(w[1]), float(w[2]), float(w[6]))


def _features(pairs: Pairs) -> np.ndarray:
    return np.stack([np.ones(len(pairs.log_share)), pairs.log_share, pairs.log_size], axis=1).astype(np.float64)


def fit_within_week(in_basket: np.ndarray, trip_within_week: np.ndarray, happened: np.ndarray) -> WithinWeek:
    """The curve of highest likelihood, held near `START_WITHIN_WEEK` by a small ridge.

    Args:
        in_basket: (Q,) P(item in next basket) of the pairs.
        trip_within_week: (Q,) P(trip within 7 days) of their customers.
        happened: (Q,) whether the customer bought the item within 7 days.
    """
    if not len(happened):
        return START_WITHIN_WEEK
    x = np.stack([np.ones(len(in_basket)), _log_hazard(in_basket), _log_hazard(trip_within_week)], axis=1)
    start = np.array([START_WITHIN_WEEK.intercept, START_WITHIN_WEEK.item, START_WITHIN_WEEK.trip])
    w = start.copy()
    for _ in range(50):
        hazard = np.exp(np.clip(x @ w, -20, 5))
        p = np.maximum(-np.expm1(-hazard), SMALLEST)
        gradient = x.T @ (hazard * (1 - happened / p))
        hessian = (x * (hazard**2 * (1 - p) / p)[:, None]).T @ x
        if _step(w, start, LEAST, gradient, hessian) < 1e-9:
            break
    return WithinWeek(float(w[0]), float(w[1]), float(w[2]))


def _step(w: np.ndarray, near: np.ndarray, least: np.ndarray, gradient: np.ndarray, hessian: np.ndarray) -> float:
    """One Newton step of the penalised likelihood, in place; its largest part, at most 1 so that no step runs away.

    A parameter that would fall below its least stays there, and the others are fitted to that.
    """
    gradient = gradient + RIDGE * (w - near)
    free = np.flatnonzero((w > least) | (gradient < 0))
    step = np.zeros(len(w))
    step[free] = np.linalg.solve((hessian + RIDGE * np.eye(len(w)))[np.ix_(free, free)], gradient[free])
    step /= max(1.0, np.abs(step).max())
    before = w.copy()
    np.maximum(w - step, least, out=w)
    return float(np.abs(w - before).max())


def _log_hazard(probability: np.ndarray) -> np.ndarray:
    log_hazard: np.ndarray = np.log(-np.log1p(-np.clip(probability, SMALLEST, 1 - SMALLEST)))
    return log_hazard
