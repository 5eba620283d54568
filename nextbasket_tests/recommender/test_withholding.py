"""Withheld baskets: a few, the same every time, and nothing is learned from them."""

from pathlib import Path

import numpy as np
import pytest
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

    assert drawn.sum() == int(0.03 * 200 * 24)
    assert rows.prefixes.min() >= 1
    assert rows.prefixes.max() < 25
    assert (histories.basket_offsets[rows.customers] + rows.prefixes == np.flatnonzero(drawn)).all()
    assert (withholding.draw(histories, trained, seed=4) == drawn).all()
    assert (withholding.draw(histories, trained, seed=5) != drawn).any()


def test_what_is_held_out_does_not_choose(tmp_path: Path) -> None:
    """A customer's baskets after those that may be learned from, one or ten, leave the draw as it is."""
    drawn = []
    for count in (10, 19):
        shop = shops.habits(customers=200, baskets=20)
        shop["C0000"] = shop["C0000"][:count]
        prefixes, _ = small.prefixes_of(shops.write_sequences(tmp_path / f"{count}.parquet", shop))
        rows = withholding.rows_of(prefixes.histories, withholding.draw(prefixes.histories, np.full(200, 9), seed=4))
        drawn.append(list(zip(rows.customers, rows.prefixes, strict=True)))

    assert len(drawn[0]) == int(0.03 * 200 * 8)
    assert drawn[0] == drawn[1]


def test_of_few_baskets_none_is_withheld(tmp_path: Path) -> None:
    """Where three in a hundred are less than ten, everything is learned from."""
    prefixes, _ = small.prefixes_of(
        shops.write_sequences(tmp_path / "s.parquet", shops.habits(customers=30, baskets=9))
    )

    assert not withholding.draw(prefixes.histories, prefixes.histories.lengths, seed=4).any()


def test_no_more_are_withheld_than_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three in a hundred of 1,600 targets are 48; with twelve at most, twelve are drawn."""
    prefixes, _ = small.prefixes_of(
        shops.write_sequences(tmp_path / "s.parquet", shops.habits(customers=200, baskets=9))
    )
    monkeypatch.setattr(withholding, "MOST", 12)

    assert withholding.draw(prefixes.histories, prefixes.histories.lengths, seed=4).sum() == 12


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
