"""The planted missions: why a basket was bought, known here and written only to the ground truth.

A mission has four to eight core departments. With strength s, a line of a basket of n lines comes from the core with
probability s * min(1, 7 / n) ** (1.1 * (1 - s)), and from the base otherwise: a large basket serves other needs too.
The base gives back what the cores take, as far as it can. Up to strength 0.5 the divisions keep their shares of lines
within some three points; beyond that the cores show: at 0.9 D00002 has 41 % of lines instead of 49 %, D00003 39 %
instead of 30 %.
"""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.shop.calibration import Flags, Floats, Ints, calibration, shares
from nextbasket_assets.shop.catalogue import Catalogue

_REPEATED = 0.5  # of the other lines: from histories, which hold cores and base alike
_SPREAD = 1.1  # how fast the core thins out beyond; nothing at strength 1
_ONE_NEED = 7.0  # lines up to which a basket is about its mission alone


@dataclass(frozen=True)
class Mission:
    """A planted mission: its share of baskets, and its core departments with the tilt of each."""

    name: str
    share: float
    core: dict[str, float]


def _plain(names: str) -> dict[str, float]:
    return {name.strip(): 1.0 for name in names.split(",")}


MISSIONS = (
    Mission(
        "produce-led",
        0.20,
        _plain("fruit, salad, vegetables, potatoes, prepared vegetables")
        | {"soup": 3.0, "tinned fruit": 3.0, "home baking": 1.5},
    ),
    Mission(
        "dairy-and-bread",
        0.19,
        _plain("bread, milk, butter and cheese, yoghurts, eggs and cream") | {"cereals": 2.5, "tea and coffee": 2.5},
    ),
    Mission(
        "snacks-and-drinks",
        0.16,
        _plain("fizzy drinks, juice and water, biscuits, confectionery, ice cream")
        | {"sandwiches": 2.0, "snack pots": 2.0},
    ),
    Mission(
        "ready-meal",
        0.16,
        _plain("ready meals, cooked meats, salads to go, savoury pastries, frozen meals, frozen pizza")
        | {"baked beans": 3.0, "tinned fish": 3.0},
    ),
    Mission(
        "household-restock",
        0.09,
        _plain("cleaning and paper, hair care, dental care, skin care, medicine, tissues, kitchen wraps"),
    ),
    Mission(
        "alcohol-weekend",
        0.045,
        _plain("beer, cider, red wine, white wine, rose wine, sparkling wine, spirits") | {"crisps and nuts": 0.35},
    ),
    Mission("baby-or-pet", 0.045, _plain("cat food, dog food, cat litter, nappies, baby food, baby milk")),
    Mission(
        "cooking-from-scratch",
        0.115,
        _plain("beef, pork and lamb, chicken, fish")
        | dict.fromkeys(("pasta and rice", "sauces", "oils and spices", "tinned vegetables"), 2.0),
    ),
)


@dataclass(frozen=True)
class MissionMix:
    """Item weights of the missions: row m of `weights` is mission m's core, the last row is the base.

    `weights` is (missions + 1, products), rows sum to 1; `core` says which products row m draws from.
    """

    strength: float
    share: Floats
    weights: Floats
    core: Flags

    def core_share(self, lines: Ints) -> Floats:
        """The share of core lines of baskets with this many lines: a large basket serves other needs too."""
        return _core_share(self.strength, lines)


def _core_share(strength: float, lines: Ints) -> Floats:
    return np.asarray(strength * np.minimum(1.0, _ONE_NEED / lines) ** (_SPREAD * (1.0 - strength)), dtype=np.float64)


def plant(catalogue: Catalogue, strength: float) -> MissionMix:
    """Mix the missions with the catalogue's popularity.

    Raises:
        ValueError: the strength is not between 0 and 1.
    """
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"strength must be between 0 and 1, got {strength}")
    histogram = shares(calibration()["lines_per_basket"]["hist_1_40_pct"])
    lines = np.arange(1, histogram.size + 1)
    trade = histogram * lines / (histogram @ lines)
    share = np.array([mission.share for mission in MISSIONS])
    share /= share.sum()
    tilt = np.zeros((len(MISSIONS), len(catalogue.department_names)))
    for row, mission in enumerate(MISSIONS):
        for name, weight in mission.core.items():
            tilt[row, catalogue.department_names.index(name)] = weight
    cores = tilt[:, catalogue.department] * np.where(catalogue.classified, catalogue.popularity, 0.0)
    cores /= cores.sum(axis=1, keepdims=True)
    planted = float(_core_share(strength, lines) @ trade)
    planted /= 1.0 - (1.0 - planted) * _REPEATED
    base = _base(catalogue, planted * (share @ cores), 1.0 - strength)
    every = np.ones((1, cores.shape[1]), dtype=np.bool_)
    return MissionMix(strength, share, np.vstack([cores, base]), np.vstack([cores > 0, every]))


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
    return np.asarray(np.minimum(chosen, len(mix.share) - 1), dtype=np.int64)


def anonymous_taste(mix: MissionMix, baskets: int) -> Floats:
    """Baskets without a customer have the shop's own mission shares: (baskets, missions)."""
    return np.broadcast_to(mix.share, (baskets, len(mix.share)))
