"""At the till."""

import numpy as np

from nextbasket_assets.shop.standing import found
from nextbasket_assets.shop.tills import ring_up
from nextbasket_assets.shop.trips import Trips
from nextbasket_assets.shop.weeks import retail_week


def test_an_empty_kiosk_leaves_carrier_bags() -> None:
    """In a small range of which the kiosk has nothing on the shelf, a basket without a mission is a bag."""
    catalogue, week = found(20, 250, seed=28, strength=0.5).catalogue, retail_week(42)
    kiosk = ~catalogue.classified & (catalogue.popularity > 0)
    none, zeros = np.empty(0, dtype=np.int64), np.zeros(50, dtype=np.int64)
    trips = Trips(zeros, zeros, zeros, zeros, zeros, zeros, lines=zeros + 1, unclassified=zeros == 0)

    lines = ring_up(trips, none, none, catalogue.price, catalogue, week, np.random.default_rng(1))

    assert not (kiosk & catalogue.on_shelf(week.index)).any()
    assert set(lines.product.tolist()) == {catalogue.bag}
