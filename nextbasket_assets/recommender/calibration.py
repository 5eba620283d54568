"""From the network's ranking scores to P(item in the next basket), by a logistic curve fitted on validation customers.

The softmax says which share of a basket an item is; how often it is in the basket also depends on how much the customer
buys. Within a customer the curve rises with the score, so it never changes the order of a list.
"""

from dataclasses import dataclass

import numpy as np

RIDGE = 1.0


@dataclass(frozen=True)
class Calibration:
    """logit P = intercept + slope * log softmax + size * log(mean basket size)."""

    intercept: float
    slope: float
    size: float

    def probability(self, log_share: np.ndarray, log_size: np.ndarray) -> np.ndarray:
        """P(item in the next basket), in the shape of `log_share`."""
        logit = self.intercept + self.slope * log_share + self.size * log_size
        probability: np.ndarray = 1 / (1 + np.exp(-logit))
        return probability


START = Calibration(intercept=0.0, slope=1.0, size=1.0)


def fit(log_share: np.ndarray, log_size: np.ndarray, happened: np.ndarray) -> Calibration:
    """The curve of highest likelihood, held near `START` by a small ridge, so that few customers cannot bend it.

    Args:
        log_share: (Q,) log softmax of the pairs.
        log_size: (Q,) log mean basket size of their customers.
        happened: (Q,) whether the item was in the target.
    """
    if not len(happened):
        return START
    x = np.stack([np.ones(len(log_share)), log_share, log_size], axis=1).astype(np.float64)
    start = np.array([START.intercept, START.slope, START.size])
    w = start.copy()
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        gradient = x.T @ (p - happened) + RIDGE * (w - start)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(3)
        step = np.linalg.solve(hessian, gradient)
        w -= step
        if np.abs(step).max() < 1e-9:
            break
    return Calibration(float(w[0]), float(max(w[1], 1e-3)), float(w[2]))
