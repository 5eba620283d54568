"""The standing facts of a shop: what it sells, where, on which missions, and to whom. They follow from its arguments."""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.shop.catalogue import Catalogue, stock
from nextbasket_assets.shop.customers import Population, settle
from nextbasket_assets.shop.missions import MissionMix, plant
from nextbasket_assets.shop.stores import Stores, open_stores

_SHOP = 0  # first key of the random streams; the weeks have another


@dataclass(frozen=True)
class Standing:
    """What is the same in every week of a shop."""

    catalogue: Catalogue
    stores: Stores
    mix: MissionMix
    people: Population


def found(customers: int, products: int, seed: int, strength: float) -> Standing:
    """Draw the standing facts.

    Raises:
        ValueError: there are fewer products than classes, or the strength is not between 0 and 1.
    """
    streams = [np.random.default_rng([seed, _SHOP, step]) for step in range(3)]
    catalogue, stores = stock(products, streams[0]), open_stores(streams[1])
    mix = plant(catalogue, strength)
    return Standing(catalogue, stores, mix, settle(customers, stores, mix.share, streams[2]))
