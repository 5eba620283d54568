"""The trips of a week: who comes, on which day and hour, to which store, on which mission, for how many lines."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from nextbasket_assets.shop.calibration import Flags, Floats, Ints, calibration, draw, from_cumulative, shares
from nextbasket_assets.shop.customers import Population
from nextbasket_assets.shop.missions import MissionMix, anonymous_taste, choose_missions
from nextbasket_assets.shop.stores import Stores, format_shift
from nextbasket_assets.shop.weeks import Week

ANONYMOUS = -1
_ANONYMOUS_SHARE = 0.205
_STEADY = 0.27  # of customers' weeks: as many trips as expected, not a Poisson number of them
_WEEKLY_NOISE = 0.03
_OWN_SIZE = 0.55  # correlation of a basket's size with its customer's
_UNCLASSIFIED_SHARE = 0.0128  # of baskets: only a bag, or the kiosk
_HOUR_TILT = 1.6  # normal scores per unit of small-shop share


@dataclass(frozen=True)
class Trips:
    """The baskets of a week before anything is in them; all arrays are (baskets,).

    Ordered by customer (anonymous first), day and hour; `turn` counts a customer's baskets of the week from 0.
    """

    customer: Ints
    turn: Ints
    day: Ints
    hour: Ints
    store: Ints
    mission: Ints
    lines: Ints
    unclassified: Flags


def plan_trips(
    week: Week, people: Population, expected: Floats, stores: Stores, mix: MissionMix, rng: np.random.Generator
) -> Trips:
    """Draw the trips of a week; `expected` is the baskets to expect of each customer."""
    trade = week.intensity * (1.0 + _WEEKLY_NOISE * rng.standard_normal())
    irregular = rng.poisson(expected * trade)
    steady = np.floor(expected * trade + rng.random(len(expected))).astype(np.int64)
    counts = np.where(rng.random(len(expected)) < _STEADY, steady, irregular)
    counts[people.one_timer & (people.start == week.index)] = 1
    anonymous = rng.poisson(counts.sum() * _ANONYMOUS_SHARE / (1.0 - _ANONYMOUS_SHARE))
    known = np.repeat(np.arange(len(counts)), counts)
    customer = np.concatenate([np.full(anonymous, ANONYMOUS), known])
    day = rng.integers(0, 7, customer.size)
    hour = _hours(customer.size, rng)
    order = np.lexsort((hour, day, customer))
    day, hour = day[order], hour[order]
    store = np.concatenate([_anonymous_stores(stores, anonymous, rng), _stores(people, known, rng)])
    taste = np.concatenate([anonymous_taste(mix, anonymous), people.taste[known]])
    mission = choose_missions(mix, taste, rng)
    own = np.concatenate([rng.standard_normal(anonymous), people.size[known]])
    score = _OWN_SIZE * own + np.sqrt(1 - _OWN_SIZE**2) * rng.standard_normal(own.size)
    score += format_shift(stores)[store] + _hour_shift()[hour - 8]
    unclassified = rng.random(customer.size) < _UNCLASSIFIED_SHARE
    lines = np.where(unclassified, 1, _lines(score))
    position = np.arange(known.size) - np.repeat(np.cumsum(counts) - counts, counts)
    turn = np.concatenate([np.zeros(anonymous, dtype=np.int64), position])
    return Trips(customer, turn, day, hour, store, mission, lines, unclassified)


def _hours(size: int, rng: np.random.Generator) -> Ints:
    table = calibration()["hour_share"]
    return np.array([int(hour) for hour in table], dtype=np.int64)[draw(rng, shares(table), size)]


def _hour_shift() -> Floats:
    """How much larger baskets are at each hour from 8, in normal scores."""
    small = np.array([row.get("Small Shop", 0.54) for row in calibration()["type_given_hour"].values()])
    return np.asarray(_HOUR_TILT * (0.5445 - small), dtype=np.float64)


def _stores(people: Population, customer: Ints, rng: np.random.Generator) -> Ints:
    """The home store as often as the customer is loyal, else one of the others, the first ones more often."""
    others = people.stores.shape[1] - 1
    away = 1 + draw(rng, 0.6 ** np.arange(others), customer.size)
    column = np.where(rng.random(customer.size) < people.loyalty[customer], 0, away)
    return people.stores[customer, column]


def _anonymous_stores(stores: Stores, baskets: int, rng: np.random.Generator) -> Ints:
    by_format = calibration()["anon"]["basket_share_by_format"]
    share = np.array([by_format[name] for name in stores.format_names])[stores.format]
    return draw(rng, stores.trade * share / (1.0 - share), baskets)


def _lines(score: Floats) -> Ints:
    """Lines of a basket by its normal score, so that the measured histogram comes out."""
    histogram = shares(calibration()["lines_per_basket"]["hist_1_40_pct"])
    histogram[0] -= _UNCLASSIFIED_SHARE
    return 1 + from_cumulative(np.cumsum(histogram), np.minimum(ndtr(score), 1 - 1e-12))
