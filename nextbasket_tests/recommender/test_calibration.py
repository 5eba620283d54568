"""Probabilities mean what they say: also at the end of the list, where items are bought that the network thought little of."""

import math
from dataclasses import astuple, replace

import numpy as np
import pytest

from nextbasket_assets.recommender import calibration
from nextbasket_assets.recommender.calibration import START_WITHIN_WEEK, Calibration, Pairs, WithinWeek

TRUE = Calibration(intercept=0.8, slope=1.2, size=1.1, floor=-5.0)


def pairs(curve: Calibration, count: int, seed: int = 0) -> Pairs:
    """Pairs that came about with the curve's probabilities, most of them far down the list."""
    random = np.random.default_rng(seed)
    log_share, log_size = random.uniform(-9, -2, count), random.normal(1.8, 0.4, count)
    happened = random.random(count) < curve.probability(log_share, log_size)
    return Pairs(log_share, log_size, happened, np.ones(count))


NOBODY = Pairs(*(np.zeros(0) for _ in range(4)))


def test_a_planted_floor_is_found() -> None:
    """Items of hardly any share are bought with odds of e^-5; withheld pairs say so, to a tenth, whatever their own curve."""
    withheld = pairs(replace(TRUE, intercept=0.3, slope=1.0), 200_000)
    curve = calibration.fit(pairs(TRUE, 50_000, seed=1), withheld)

    assert curve.floor == pytest.approx(TRUE.floor, abs=0.1)
    assert (curve.intercept, curve.slope, curve.size) == pytest.approx((0.8, 1.2, 1.1), abs=0.15)


def test_without_a_floor_none_is_found() -> None:
    """Where odds keep falling with the share, the floor lies below one in a thousand, where it changes nothing."""
    twin = replace(TRUE, floor=-math.inf)

    assert calibration.fit(pairs(twin, 50_000, seed=1), pairs(twin, 200_000)).floor < math.log(1e-3)


def test_a_pair_without_weight_says_nothing() -> None:
    """Withheld pairs of weight 0 that contradict all others change nothing."""
    validation, found = pairs(TRUE, 5_000, seed=1), pairs(TRUE, 20_000)
    liars = Pairs(found.log_share, found.log_size, np.ones(20_000, bool), np.zeros(20_000))
    both = Pairs(*(np.concatenate([getattr(part, name) for part in (found, liars)]) for name in vars(found)))

    assert astuple(calibration.fit(validation, both)) == pytest.approx(astuple(calibration.fit(validation, found)))


def test_nobody_to_ask_leaves_the_start() -> None:
    """Without a pair the curve is where it starts; without a validation customer all of it is but the floor."""
    alone = calibration.fit(NOBODY, pairs(TRUE, 200_000))

    assert astuple(calibration.fit(NOBODY, NOBODY)) == pytest.approx(astuple(calibration.START))
    assert (alone.intercept, alone.slope, alone.size) == pytest.approx((0.0, 1.0, 1.0))
    assert alone.floor == pytest.approx(TRUE.floor, abs=0.1)


def test_a_curve_never_falls() -> None:
    """Where items of a larger share are bought less, the curve is flat, and as high as what came in the mean."""
    random = np.random.default_rng(0)
    log_share = random.uniform(-9, -2, 20_000)
    falling = Pairs(
        log_share, np.full(20_000, 1.8), random.random(20_000) < np.exp(-4 - log_share / 3), np.ones(20_000)
    )
    probability = calibration.fit(falling, falling).probability(log_share, falling.log_size)

    assert np.ptp(probability) < 0.02
    assert probability.mean() == pytest.approx(falling.happened.mean(), rel=0.01)


def test_a_list_keeps_its_order() -> None:
    """Of two items of a customer the one with the larger share is never less probable, and no item is below the floor."""
    log_share = np.linspace(-30, 0, 1000)
    probability = TRUE.probability(log_share, np.full(1000, 1.5))

    assert (np.diff(probability) >= 0).all()
    assert probability.min() >= 1 / (1 + math.exp(-TRUE.floor))


def test_a_model_of_before_says_what_it_said() -> None:
    """A curve without a floor is the plain logistic one, to the last bit."""
    log_share, log_size = np.random.default_rng(0).normal(-4, 2, (2, 1000))
    curve = Calibration(0.8, 1.2, 1.1)

    assert (curve.probability(log_share, log_size) == 1 / (1 + np.exp(-(0.8 + 1.2 * log_share + 1.1 * log_size)))).all()


def test_the_curve_of_a_week_is_found_and_never_above_the_trip() -> None:
    """Items and trips that came about with a planted curve give it back; with hardly a trip hardly an item is bought."""
    random = np.random.default_rng(0)
    in_basket, trip = random.uniform(0.01, 0.5, 100_000), random.uniform(0.2, 0.99, 100_000)
    planted = WithinWeek(intercept=-0.4, item=0.8, trip=0.7)
    found = calibration.fit_within_week(in_basket, trip, random.random(100_000) < planted.probability(in_basket, trip))

    assert astuple(found) == pytest.approx(astuple(planted), abs=0.06)
    assert WithinWeek(2.0, 1.0, 1.0).probability(np.array([0.9]), np.array([0.01])).item() == 0.01


def test_as_many_draws_of_a_basket_as_trips_are_to_be_expected() -> None:
    """Where the curve starts, an item in half the baskets and an even chance of a trip: 1 - (1 - 0.5) ** log(2)."""
    assert START_WITHIN_WEEK.probability(np.array([0.5]), np.array([0.5])).item() == pytest.approx(1 - 0.5 ** np.log(2))
    assert calibration.fit_within_week(*np.zeros((3, 0))) == START_WITHIN_WEEK
