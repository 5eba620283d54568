"""Customers and stores of the shop, and how their trips fall."""

from collections import Counter, defaultdict
from itertools import groupby

import numpy as np
import pytest

from nextbasket_assets.shop.calibration import calibration
from nextbasket_assets.shop.customers import Presence
from nextbasket_assets.shop.standing import Standing, found
from nextbasket_assets.shop.trips import ANONYMOUS, Trips, plan_trips
from nextbasket_assets.shop.weeks import retail_week

CUSTOMERS = 4_000
CHRISTMAS, ORDINARY = 38, 30  # positions of week 44 of the year, and of a week like any other


@pytest.fixture(scope="module")
def standing() -> Standing:
    return found(CUSTOMERS, 300, seed=1, strength=0.5)


def trips_of(standing: Standing, week: int, seed: int = 0) -> Trips:
    """A week to which every customer is expected to come twice."""
    expected = np.full(CUSTOMERS, 2.0)
    random = np.random.default_rng(seed)
    return plan_trips(retail_week(week), standing.people, expected, standing.stores, standing.mix, random)


def test_one_timers_alone_have_no_price_segment(standing: Standing) -> None:
    """DY is the segment of who comes once: an eighth of the customers, and nobody else."""
    without = np.array([segment == "DY" for segment in standing.people.price_segment])

    assert (without == standing.people.one_timer).all()
    assert 0.10 < without.mean() < 0.15


def test_baskets_follow_the_lifestage(standing: Standing) -> None:
    """Young families (DI) buy the most lines and pensioners (FN) the fewest."""
    stages = np.array(standing.people.lifestage)
    size = {stage: standing.people.size[stages == stage].mean() for stage in set(stages)}

    assert size["DI"] - size["FN"] == pytest.approx(0.4, abs=0.15)
    assert max(size, key=lambda stage: size[stage]) == "DI"
    assert min(size, key=lambda stage: size[stage]) == "FN"


def test_a_customer_shops_in_one_region(small_rows: list[dict[str, str]]) -> None:
    """The stores of a customer are all in the region of the home store, and many have more than one."""
    regions, stores = defaultdict(set), defaultdict(set)
    for row in small_rows:
        if row["CUST_CODE"] != '""':
            regions[row["CUST_CODE"]].add(row["STORE_REGION"])
            stores[row["CUST_CODE"]].add(row["STORE_CODE"])

    assert {len(found) for found in regions.values()} == {1}
    assert sum(len(found) > 1 for found in stores.values()) > 30


def test_small_stores_have_more_baskets_without_a_customer(standing: Standing) -> None:
    """The share of anonymous baskets is, format by format, the measured one within two points."""
    stores = standing.stores
    trips = [trips_of(standing, ORDINARY, seed) for seed in range(3)]
    formats = stores.format[np.concatenate([week.store for week in trips])]
    anonymous = np.concatenate([week.customer for week in trips]) == ANONYMOUS
    share = {name: anonymous[formats == number].mean() for number, name in enumerate(stores.format_names)}

    assert share == pytest.approx(calibration()["anon"]["basket_share_by_format"], abs=0.02)


def test_christmas_is_quiet(standing: Standing) -> None:
    """In weeks 44 and 45 of the year there are 70 % and 87 % of the trips."""
    ordinary = trips_of(standing, ORDINARY).customer.size

    assert trips_of(standing, CHRISTMAS).customer.size / ordinary == pytest.approx(0.70, abs=0.02)
    assert trips_of(standing, CHRISTMAS + 1).customer.size / ordinary == pytest.approx(0.87, abs=0.02)


def test_weeks_differ_by_more_than_chance(standing: Standing) -> None:
    """Trade goes up and down by some 3 % between equal weeks, where independent customers would make 1 %."""
    sizes = [trips_of(standing, ORDINARY, seed).customer.size for seed in range(40)]

    assert 0.02 < np.std(sizes) / np.mean(sizes) < 0.05


def test_customers_pause_and_come_back(standing: Standing) -> None:
    """Some who come more than once stay away for weeks and return; some never do."""
    presence, random = Presence(standing.people), np.random.default_rng(1)
    here = np.array([presence.expected_baskets(week, random) > 0 for week in range(1, 61)])
    regular = ~standing.people.one_timer & (standing.people.start == 1)
    kinds = Counter(tuple(came for came, _ in groupby(weeks)) for weeks in here[:, regular].T.tolist())

    assert kinds[(True, False, True)] > 50
    assert kinds[(True, False)] > 200
    assert kinds[(True,)] > 2 * kinds[(True, False)]
