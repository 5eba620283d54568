"""Habits that change: the knob, and that it is off by default."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from nextbasket_assets.shop.purchases import RECENT, Histories
from nextbasket_assets.shop.shop import write_shop
from nextbasket_tests.shop.conftest import shop_rows


def bought(recency: float, lines: int = 300) -> Histories:
    """One customer who bought products 0, 1, 2, ... in order."""
    histories = Histories(1, lines, recency)
    for product in range(lines):
        histories.record(np.array([0]), np.array([product]), np.random.default_rng(product))
    return histories


def recalled(histories: Histories) -> np.ndarray:
    """A thousand draws from the customer's history."""
    return histories.recall(np.zeros(1000, dtype=np.int64), np.random.default_rng(1))[0]


def test_full_recency_repeats_only_what_was_bought_lately() -> None:
    """With recency 1 every repeat is one of the last lines, the newest one among them."""
    products = recalled(bought(1.0))

    assert (products.min(), products.max()) == (300 - RECENT, 299)


def test_recency_holds_however_long_the_history() -> None:
    """After 3,000 lines, far more than a history remembers, the last sixty are still the ones that are repeated."""
    products = recalled(bought(1.0, lines=3000))

    assert (products.min(), products.max()) == (3000 - RECENT, 2999)


def repeated_lately(folder: Path, recency: float) -> float:
    """The share of identified lines in a shop's second half that the customer bought in the two baskets before."""
    write_shop(folder, customers=60, weeks=20, seed=1, recency=recency)
    baskets: dict[str, dict[tuple[str, ...], set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in shop_rows(folder):
        if row["CUST_CODE"] != '""':
            when = (row["SHOP_DATE"], row["SHOP_HOUR"], row["BASKET_ID"])
            baskets[row["CUST_CODE"]][when].add(row["PROD_CODE"])
    trips = [[own[when] for when in sorted(own)] for own in baskets.values()]
    again = [len(c & (a | b)) for own in trips for a, b, c in zip(own[5:], own[6:], own[7:], strict=False)]
    return sum(again) / sum(len(basket) for own in trips for basket in own[7:])


def test_a_shop_with_recency_repeats_its_last_baskets(tmp_path: Path) -> None:
    """The knob of a shop reaches its customers: with recency 1 more of a basket was in the two before it."""
    assert repeated_lately(tmp_path / "1", 1.0) > 1.1 * repeated_lately(tmp_path / "0", 0.0)


def test_recency_is_off_by_default() -> None:
    """Without the knob old lines are repeated as often as new ones."""
    products = recalled(bought(0.0))

    assert abs((products < 150).mean() - 0.5) < 0.05


def test_half_recency_is_half_way() -> None:
    """With recency .5 a line of the last sixty has half the draws, and its share of the other half."""
    recent = (recalled(bought(0.5)) >= 300 - RECENT).mean()

    assert abs(recent - (0.5 + 0.5 * RECENT / 300)) < 0.05
