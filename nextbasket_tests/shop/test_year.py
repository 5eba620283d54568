"""What a year of the shop has and a few weeks have not: seasons, prices that move, products that come and go."""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from nextbasket_assets.shop.catalogue import Catalogue
from nextbasket_assets.shop.purchases import Shelves
from nextbasket_assets.shop.shop import write_shop
from nextbasket_assets.shop.standing import Standing, found
from nextbasket_assets.shop.tills import season
from nextbasket_assets.shop.weeks import retail_week
from nextbasket_tests.shop.conftest import shop_rows

Row = dict[str, str]
CUSTOMERS, WEEKS, PRODUCTS = 150, 46, 1000


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    folder: Path = tmp_path_factory.mktemp("year")
    write_shop(folder, customers=CUSTOMERS, weeks=WEEKS, seed=1, products=PRODUCTS)
    return shop_rows(folder)


@pytest.fixture(scope="module")
def standing() -> Standing:
    return found(CUSTOMERS, PRODUCTS, seed=1, strength=0.5)


def by_code(catalogue: Catalogue, values: np.ndarray) -> dict[str, int]:
    return dict(zip(catalogue.code, values.tolist(), strict=True))


def test_products_are_sold_while_they_are_on_the_shelf(rows: list[Row], standing: Standing) -> None:
    """Nothing is sold before its launch or from its delisting on, not to those either who bought it before."""
    catalogue = standing.catalogue
    launch, delist = by_code(catalogue, catalogue.launch), by_code(catalogue, catalogue.delist)
    position = {retail_week(index).code: index for index in range(1, WEEKS + 1)}
    sold = {(row["PROD_CODE"], position[row["SHOP_WEEK"]]) for row in rows}

    assert all(launch[code] <= week < delist[code] for code, week in sold)
    assert len({code for code, _ in sold if delist[code] <= WEEKS}) > 20
    assert len({code for code, _ in sold if launch[code] > 1}) > 20


def test_groups_have_their_season(standing: Standing) -> None:
    """New purchases of group G00029 are three times as many in week 42 of the year as half a year before."""
    catalogue, mix = standing.catalogue, standing.mix
    of_group = np.array([",G00029," in levels for levels in catalogue.levels])

    def share(index: int) -> float:
        shelves = Shelves(catalogue, mix, season(catalogue, retail_week(index)), index)
        picked = shelves.pick(np.full(200_000, len(mix.share)), np.random.default_rng(1))
        return float(of_group[picked].mean())

    assert share(36) / share(10) == pytest.approx(3.0, rel=0.2)


def usual_prices(rows: list[Row], least: int = 5) -> dict[tuple[str, str], float]:
    """The most frequent price of each product in each week in which it has so many lines."""
    return {
        key: Counter(prices).most_common(1)[0][0] for key, prices in unit_prices(rows).items() if len(prices) >= least
    }


def unit_prices(rows: list[Row]) -> dict[tuple[str, str], list[float]]:
    """The pence that a unit cost, of each product in each week, without the bag."""
    prices = defaultdict(list)
    for row in rows:
        if row["PROD_CODE"] != "PRD0903678":
            prices[row["PROD_CODE"], row["SHOP_WEEK"]].append(round(100 * float(row["SPEND"]) / int(row["QUANTITY"])))
    return prices


def test_most_lines_of_a_week_have_one_price(rows: list[Row]) -> None:
    """A sixth of the lines has its store's price, the others what the product costs everywhere this week."""
    several = [prices for prices in unit_prices(rows).values() if len(prices) >= 10]
    modal = [Counter(prices).most_common(1)[0][1] / len(prices) for prices in several]

    assert len(several) > 300
    assert 0.82 < np.mean(modal) < 0.92


def test_prices_change_in_the_course_of_the_year(rows: list[Row]) -> None:
    """From one week to the next few products have another usual price; over forty weeks most do."""
    usual = usual_prices(rows)
    weeks = sorted({week for _, week in usual})

    def changed(apart: int) -> float:
        pairs = [
            usual[code, week] != usual[code, weeks[number + apart]]
            for number, week in enumerate(weeks[: len(weeks) - apart])
            for code in {code for code, at in usual if at == week}
            if (code, weeks[number + apart]) in usual
        ]
        return float(np.mean(pairs))

    assert 0.03 < changed(1) < 0.25
    assert changed(40) > 0.6


def test_a_few_products_are_promoted(rows: list[Row]) -> None:
    """In one or two of a hundred cases a product costs far less this week than in its ordinary ones."""
    usual = usual_prices(rows)
    of_product = defaultdict(list)
    for (code, _), price in usual.items():
        of_product[code].append(price)
    ordinary = {code: np.median(prices) for code, prices in of_product.items() if len(prices) >= 10}
    cheap = [price < 0.8 * ordinary[code] for (code, _), price in usual.items() if code in ordinary]

    assert 0.005 < np.mean(cheap) < 0.03


def test_customers_prefer_their_price_tier(rows: list[Row], standing: Standing) -> None:
    """Who prefers dear products (BG) buys dearer ones of their class than who prefers cheap ones (AZ)."""
    tier = by_code(standing.catalogue, standing.catalogue.tier)
    bought = defaultdict(list)
    for row in rows:
        bought[row["seg_1"]].append(tier[row["PROD_CODE"]])

    assert np.mean(bought["BG"]) - np.mean(bought["CT"]) > 0.08
    assert np.mean(bought["CT"]) - np.mean(bought["AZ"]) > 0.08
