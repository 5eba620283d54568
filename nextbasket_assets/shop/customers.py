"""The customers: when they come, how often, where, and what they like."""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.shop.calibration import Flags, Floats, Ints, calibration, draw, shares
from nextbasket_assets.shop.stores import Stores, known_stores

_HIGHEST_CODE = 999_786
_ONE_TIMERS = 0.126
_OCCASIONAL = 0.31
_OCCASIONAL_RATE = (-2.40, 1.06)  # log mean and sd of baskets a week
_REGULAR_RATE = (-0.03, 0.73)
_PRESENT_AT_START = 0.85  # of the customers who come more than once
_LAST_ARRIVAL = 102  # the published trade after this week is a replay
_EXIT_HAZARD = 0.0018  # a week
_PAUSE_HAZARD = 0.0006  # a week
_RETURN_HAZARD = 0.10  # a week
_HOME_LOYALTY = (2.5, 0.75)  # Beta parameters: mean 0.77, sd 0.20
_TASTE = 6.0  # concentration of a customer's missions around the shop's
_LIFESTAGE_SHIFT = {"DI": 0.25, "FN": -0.15}  # young families buy more lines, pensioners fewer
NO_SEGMENT = "null"


@dataclass(frozen=True)
class Population:
    """Every customer the shop will ever know, in code order; arrays are (customers, ...).

    `rate` is baskets a week; 0 for one-timers, who come once, in `start`. Weeks count from 1.
    """

    code: list[str]
    price_segment: list[str]
    lifestage: list[str]
    tier: Ints  # -1 prefers cheap products, 1 dear ones, 0 neither
    start: Ints
    one_timer: Flags
    rate: Floats
    loyalty: Floats
    stores: Ints
    size: Floats  # normal score of the customer's basket size
    taste: Floats  # (customers, missions), rows sum to 1


def settle(customers: int, stores: Stores, mission_share: Floats, rng: np.random.Generator) -> Population:
    """Draw the population."""
    kind = rng.random(customers)
    one_timer = kind < _ONE_TIMERS
    occasional = ~one_timer & (kind < _ONE_TIMERS + _OCCASIONAL)
    rate = np.where(occasional, rng.lognormal(*_OCCASIONAL_RATE, customers), rng.lognormal(*_REGULAR_RATE, customers))
    late = one_timer | (rng.random(customers) >= _PRESENT_AT_START)
    table = calibration()["customers"]
    prices = {name: share for name, share in table["seg1_share"].items() if name != "DY"}
    names = np.array(list(prices))[draw(rng, shares(prices), customers)]
    stages = np.array(list(table["seg2_share"]))[draw(rng, shares(table["seg2_share"]), customers)]
    shift = np.array([_LIFESTAGE_SHIFT.get(stage, 0.0) for stage in stages])
    home = draw(rng, stores.trade, customers)
    return Population(
        code=[f"CUST{number:010d}" for number in _codes(customers, rng)],
        price_segment=["DY" if once else str(name) for once, name in zip(one_timer, names, strict=True)],
        lifestage=[str(stage) for stage in stages],
        tier=np.where(one_timer, 0, (names == "BG").astype(np.int64) - (names == "AZ")),
        start=np.where(late, rng.integers(1, _LAST_ARRIVAL + 1, customers), 1),
        one_timer=one_timer,
        rate=np.where(one_timer, 0.0, rate),
        loyalty=rng.beta(*_HOME_LOYALTY, customers),
        stores=known_stores(stores, home, rng),
        size=rng.standard_normal(customers) + shift,
        taste=rng.dirichlet(_TASTE * mission_share, customers),
    )


def _codes(customers: int, rng: np.random.Generator) -> Ints:
    if customers > _HIGHEST_CODE:
        raise ValueError(f"customers must be at most {_HIGHEST_CODE}, got {customers}")
    return np.sort(rng.permutation(_HIGHEST_CODE)[:customers] + 1)


class Presence:
    """Who shops at all this week. Customers pause, come back, and some leave for good."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._gone = np.zeros(len(population.code), dtype=np.bool_)
        self._paused = np.zeros(len(population.code), dtype=np.bool_)

    def expected_baskets(self, week: int, rng: np.random.Generator) -> Floats:
        """Baskets to expect of each customer this week, (customers,). Call once for each week, in order."""
        people = self._population
        draws = rng.random((2, len(people.code)))
        here = people.start <= week
        self._paused = np.where(self._paused, draws[0] >= _RETURN_HAZARD, draws[0] < _PAUSE_HAZARD) & here
        self._gone |= here & (draws[1] < _EXIT_HAZARD)
        return np.where(here & ~self._paused & ~self._gone, people.rate, 0.0)
