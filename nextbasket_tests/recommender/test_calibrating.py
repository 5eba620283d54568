"""What the curve of a week is told: of everybody in the hand, whether they came or not, and of the first held-out week."""

import numpy as np
import pytest
import torch

from nextbasket_assets.recommender import calibrating, calibration, heads, histories
from nextbasket_assets.recommender.split import first_held_out_day, split
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

KEPT = {0: lambda b: b, 1: lambda b: [*b[:8], [], *b[9:]], 2: lambda b: b[:8]}


@pytest.fixture
def told(tmp_path, monkeypatch):
    """What was said and what happened, where a third comes in that week, a third a week later, a third no more.

    The network is sure of a trip on the seventh day since the last one, and on no other.
    """
    shop = {name: KEPT[n % 3](baskets) for n, (name, baskets) in enumerate(shops.planted(customers=30).items())}
    file = shops.write_sequences(tmp_path / "s.parquet", shop)
    prefixes, words = small.prefixes_of(file)
    parts = split(histories.read([file]), first_held_out_day(small.AS_OF, 4), 1.0)
    network = small.random_network(words)
    torch.nn.init.zeros_(network.trips.output.weight)
    torch.nn.init.constant_(network.trips.output.bias, -30.0)
    with torch.no_grad():
        network.trips.output.bias[heads.SPANS.index(7)] = 30.0
    monkeypatch.setattr(calibration, "fit_within_week", lambda *told: told)
    return shop, calibrating.within_week(network, prefixes, parts, calibration.START)


def test_everybody_in_the_hand_is_told_of_whether_they_came_or_not(told):
    """All 30 items of all 30 customers; bought is what the first third bought in the week, and not what was bought later."""
    shop, (in_basket, _, happened) = told

    assert len(in_basket) == 30 * 30
    assert happened.sum() == sum(len(baskets[8]) for baskets in list(shop.values())[::3])


def test_the_trip_is_foretold_from_the_first_held_out_day(told):
    """Last seen on the Monday before, everybody has been away for six days, and comes on the seventh."""
    np.testing.assert_allclose(told[1][1], 1)
