"""Withheld baskets: a few, the same every time, and nothing is learned from them."""

from pathlib import Path

import numpy as np
import torch

from nextbasket_assets.recommender import withholding
from nextbasket_assets.recommender.examples import examples
from nextbasket_assets.recommender.team import ALONE
from nextbasket_tests import shops
from nextbasket_tests.recommender import small


def test_some_targets_are_withheld_and_nothing_else(tmp_path: Path) -> None:
    """Three in a hundred of what may be learned from, never a first basket, one that is held out, or other ones next time."""
    prefixes, _ = small.prefixes_of(
        shops.write_sequences(tmp_path / "s.parquet", shops.habits(customers=200, baskets=30))
    )
    histories, trained = prefixes.histories, np.full(200, 25)
    drawn = withholding.draw(histories, trained, seed=4)
    rows = withholding.rows_of(histories, drawn)

    assert abs(drawn.sum() - 0.03 * 200 * 24) < 50
    assert rows.prefixes.min() >= 1
    assert rows.prefixes.max() < 25
    assert (histories.basket_offsets[rows.customers] + rows.prefixes == np.flatnonzero(drawn)).all()
    assert (withholding.draw(histories, trained, seed=4) == drawn).all()
    assert (withholding.draw(histories, trained, seed=5) != drawn).any()


def test_nothing_is_learned_from_a_withheld_basket(tmp_path: Path) -> None:
    """The rows whose next basket is withheld weigh nothing, the others something."""
    prefixes, _ = small.prefixes_of(shops.write_sequences(tmp_path / "s.parquet", shops.habits(customers=3, baskets=9)))
    histories, drawn = prefixes.histories, np.zeros(27, bool)
    drawn[[4, 20]] = True
    cpu, random = torch.device("cpu"), np.random.default_rng(0)
    found = [
        example.weights
        for example in examples(prefixes, histories.lengths, drawn, small.SETTINGS, random, cpu, ALONE)
        if example
    ]

    weights = torch.cat(found)
    assert len(weights) == 3 * 8
    assert int((weights == 0).sum()) == 2
    assert bool((weights >= 0).all())
