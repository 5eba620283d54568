"""What the heads for the next trip learn from, and when they are as good as they get."""

import copy

import numpy as np
import torch

from nextbasket_assets.recommender import histories, trip_fitting
from nextbasket_assets.recommender.heads import TripHeads
from nextbasket_assets.recommender.split import Split, split
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

SHOP = {"anna": [["a"]] * 20, "ben": [["a"]] * 3}  # every Monday from week 0


def learned(tmp_path, week: int, validation_share: float):
    """A network, the prefixes of the shop, and its split at a week."""
    file = shops.write_sequences(tmp_path / "s.parquet", SHOP)
    prefixes, words = small.prefixes_of(file)
    parts: Split = split(histories.read([file]), histories.day_number(shops.week(week)), validation_share)
    return small.random_network(words), prefixes, parts


def test_the_newest_prefixes_are_learned_from_and_the_last_ones_are_censored(tmp_path, monkeypatch):
    """Sixteen of Anna's prefixes and all three of Ben's: a week to the next trip; none came in the 6 days or 18 weeks left."""
    told = []
    monkeypatch.setattr(TripHeads, "start", lambda heads, inputs, wanted: told.append(wanted))
    trip_fitting.fit_heads(*learned(tmp_path, 20, validation_share=0.0), steps=0, seed=0)
    (wanted,) = told

    assert wanted.days.tolist() == [*[7] * 15, 6, 7, 7, 17 * 7 + 6]
    assert np.flatnonzero(~wanted.came).tolist() == [15, 18]


def test_the_heads_that_foretold_the_validation_customers_best_are_kept(tmp_path, monkeypatch):
    """Ben watches Anna's heads before the first step, after 50 and after 100, and they are best in the middle."""
    network, prefixes, parts = learned(tmp_path, 2, validation_share=0.5)
    worth, seen = iter([1.0, 0.5, 0.7]), []

    def look(heads, watched):
        seen.append(copy.deepcopy(heads.state_dict()))
        assert watched is not None
        return next(worth)

    monkeypatch.setattr(trip_fitting, "_worth", look)
    trip_fitting.fit_heads(network, prefixes, parts, steps=100, seed=0)
    found = network.trips.state_dict()

    assert len(seen) == 3
    assert all(torch.equal(found[name], seen[1][name]) for name in found)
    assert not torch.equal(found["output.bias"], seen[2]["output.bias"])
