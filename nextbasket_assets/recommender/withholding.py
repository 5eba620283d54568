"""A few prefixes that nothing is learned from: they tell how often the network's least likely items are bought after all.

Validation customers are too few for that: of the lowest tenth of their pairs a dozen or two are bought.
"""

import numpy as np

from nextbasket_assets.recommender.histories import Histories, among_first
from nextbasket_assets.recommender.split import Rows

SHARE = 0.03
FEWEST, MOST = 10, 10_000  # baskets; of fewer nothing could be told, and more would only take longer


def draw(histories: Histories, trained: np.ndarray, seed: int) -> np.ndarray:
    """(N,) whether a basket is nobody's target although its customer's first `trained` (C,) baskets are learned from."""
    targets = np.flatnonzero(among_first(histories, trained) & ~among_first(histories, np.minimum(trained, 1)))
    count = min(int(len(targets) * SHARE), MOST)
    drawn = np.zeros(len(histories.days), bool)
    if count >= FEWEST:
        drawn[np.random.default_rng([seed, 1]).choice(targets, count, replace=False)] = True
    return drawn


def rows_of(histories: Histories, drawn: np.ndarray) -> Rows:
    """The prefixes whose next baskets are `drawn` (N,)."""
    baskets = np.flatnonzero(drawn)
    customers = np.searchsorted(histories.basket_offsets, baskets, side="right") - 1
    return Rows(customers, baskets - histories.basket_offsets[customers])
