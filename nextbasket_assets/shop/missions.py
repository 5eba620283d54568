"""The planted missions: why a basket was bought, known here and written only to the ground truth.

A mission has four to eight core departments. With strength s, a line of its basket comes from the core with
probability s and from the base otherwise; the base gives back what the cores take, so that the shares of the
divisions stay what they are whatever the strength.
"""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.shop.calibration import Flags, Floats, Ints
from nextbasket_assets.shop.catalogue import Catalogue


@dataclass(frozen=True)
class Mission:
    """A planted mission: its share of baskets, and its core departments with the tilt of each.

    `bulk` shifts the size of its baskets, in normal scores.
    """

    name: str
    share: float
    bulk: float
    core: dict[str, float]


def _plain(names: str) -> dict[str, float]:
    return {name.strip(): 1.0 for name in names.split(",")}


MISSIONS = (
    Mission("produce-led", 0.19, 0.0, _plain("fruit, salad, vegetables, potatoes, prepared vegetables")),
    Mission(
        "dairy-and-bread",
        0.19,
        0.0,
        _plain("bread, rolls and wraps, cakes, milk, butter and cheese, yoghurts, eggs and cream"),
    ),
    Mission("snacks-and-drinks", 0.17, 0.0, _plain("fizzy drinks, juice and water, biscuits, confectionery")),
    Mission(
        "ready-meal",
        0.16,
        0.0,
        _plain("ready meals, cooked meats, sandwiches, salads to go, snack pots, savoury pastries, frozen meals"),
    ),
    Mission(
        "household-restock",
        0.08,
        0.0,
        _plain("cleaning and paper, hair care, dental care, skin care, medicine, tissues, kitchen wraps"),
    ),
    Mission(
        "alcohol-weekend",
        0.045,
        0.0,
        _plain("beer, cider, red wine, white wine, rose wine, sparkling wine, spirits") | {"crisps and nuts": 0.35},
    ),
    Mission(
        "baby-or-pet", 0.045, 0.0, _plain("cat food, dog food, cat litter, nappies, baby food, baby milk")
    ),
    Mission(
        "cooking-from-scratch",
        0.12,
        0.0,
        _plain("beef, pork and lamb, chicken, fish, pasta and rice, sauces, oils and spices, tinned vegetables"),
    ),
)


@dataclass(frozen=True)
class MissionMix:
    """Item weights of the missions: row m of `weights` is mission m's core, the last row is the base.

    `weights` is (missions + 1, products), rows sum to 1; `core` says which products row m draws from.
    """

    strength: float
    share: Floats
    bulk: Floats
    weights: Floats
    core: Flags


def plant(catalogue: Catalogue, strength: float) -> MissionMix:
    """Mix the missions with the catalogue's popularity.

    Raises:
        ValueError: the strength is not between 0 and 1.
    """
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"strength must be between 0 and 1, got {strength}")
    share = np.array([mission.share for mission in MISSIONS])
    share /= share.sum()
    tilt = np.zeros((len(MISSIONS), len(catalogue.department_names)))
    for row, mission in enumerate(MISSIONS):
        for name, weight in mission.core.items():
            tilt[row, catalogue.department_names.index(name)] = weight
    cores = tilt[:, catalogue.department] * np.where(catalogue.classified, catalogue.popularity, 0.0)
    cores /= cores.sum(axis=1, keepdims=True)
    base = _base(catalogue, strength * (share @ cores), 1.0 - strength)
    every = np.ones((1, cores.shape[1]), dtype=np.bool_)
    bulk = np.array([mission.bulk for mission in MISSIONS])
    return MissionMix(strength, share, bulk, np.vstack([cores, base]), np.vstack([cores > 0, every]))


def _base(catalogue: Catalogue, taken: Floats, left: float) -> Floats:
    """What the base must draw so that cores and base together give each division its share."""
    popularity, division = catalogue.popularity, catalogue.division
    rest = np.maximum(popularity - taken, 0.02 * popularity)
    wanted = np.bincount(division, weights=popularity) - np.bincount(division, weights=taken)
    wanted = np.maximum(wanted, 0.02 * max(left, 0.01) * np.bincount(division, weights=popularity))
    rest *= (wanted / np.bincount(division, weights=rest))[division]
    return np.asarray(rest / rest.sum(), dtype=np.float64)


def choose_missions(mix: MissionMix, taste: Floats, rng: np.random.Generator) -> Ints:
    """A mission for each basket: `taste` is (baskets, missions), rows sum to 1."""
    cumulative = np.cumsum(taste, axis=1)
    chosen = (rng.random(len(taste))[:, None] * cumulative[:, -1:] >= cumulative).sum(axis=1)
    return np.minimum(chosen, len(mix.share) - 1).astype(np.int64)


def anonymous_taste(mix: MissionMix, baskets: int) -> Floats:
    """Baskets without a customer have the shop's own mission shares: (baskets, missions)."""
    return np.broadcast_to(mix.share, (baskets, len(mix.share)))
