"""Habits that change: the knob, and that it is off by default."""

import numpy as np

from nextbasket_assets.shop.purchases import RECENT, Histories


def bought(recency: float) -> Histories:
    """One customer who bought products 0, 1, 2, ... in order, 300 lines."""
    histories = Histories(1, 1000, recency)
    for product in range(300):
        histories.record(np.array([0]), np.array([product]), np.random.default_rng(product))
    return histories


def recalled(histories: Histories) -> np.ndarray:
    """A thousand draws from the customer's history."""
    return histories.recall(np.zeros(1000, dtype=np.int64), np.random.default_rng(1))[0]


def test_full_recency_repeats_only_what_was_bought_lately() -> None:
    """With recency 1 every repeat is one of the last lines, the newest one among them."""
    products = recalled(bought(1.0))

    assert (products.min(), products.max()) == (300 - RECENT, 299)


def test_recency_is_off_by_default() -> None:
    """Without the knob old lines are repeated as often as new ones."""
    products = recalled(bought(0.0))

    assert abs((products < 150).mean() - 0.5) < 0.05


def test_half_recency_is_half_way() -> None:
    """With recency .5 a line of the last sixty has half the draws, and its share of the other half."""
    recent = (recalled(bought(0.5)) >= 300 - RECENT).mean()

    assert abs(recent - (0.5 + 0.5 * RECENT / 300)) < 0.05
