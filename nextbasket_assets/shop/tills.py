"""At the till: carrier bags, quantities and prices of the lines of a week."""

from dataclasses import dataclass

import numpy as np

from nextbasket_assets.shop.calibration import Floats, Ints, calibration, draw, from_cumulative, shares
from nextbasket_assets.shop.catalogue import Catalogue
from nextbasket_assets.shop.trips import Trips
from nextbasket_assets.shop.weeks import Week

_BAG_SHARE = 0.145  # of baskets of two lines or more
_FIRST_BAG_WEEK, _BAG_WEEK = 12, 19  # counted from 1: some are sold alone, and the tills sell them to everybody
_BAG_ALONE = 0.55  # of baskets with nothing classified
_PRICE_CHANGES, _PRICE_SPREAD = 0.055, 0.05  # a week; log standard deviation
_PROMOTIONS = 0.017
_STORE_PRICES, _STORE_SPREAD = 0.17, 0.06
_BAG_LINE_SHARE = 0.016

# Group -> (week of the year of the peak, height of the peak, half-width in weeks).
_SEASONS = {"G00029": (42, 2.0, 2.5), "G00015": (21, 0.42, 4.0), "G00019": (9, 1.2, 4.0), "G00027": (20, 0.3, 5.0)}


@dataclass(frozen=True)
class Lines:
    """The lines of a week, sorted by basket: arrays are (lines,); `pence` is the line's spend."""

    basket: Ints
    product: Ints
    quantity: Ints
    pence: Ints


def season(catalogue: Catalogue, week: Week) -> Floats:
    """How much more than usual each product is wanted this week."""
    factor = np.ones(len(calibration()["groups"]))
    for number, code in enumerate(calibration()["groups"]):
        if code in _SEASONS:
            peak, height, width = _SEASONS[code]
            factor[number] += height * np.exp(-(((week.of_year - peak) / width) ** 2))
    return factor[catalogue.group]


class Prices:
    """The usual price of each product, and this week's: most keep last week's, a few are promoted."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._listed = catalogue.price
        self._usual = catalogue.price.copy()

    def of_week(self, rng: np.random.Generator) -> Floats:
        """Prices of the week in pounds, (products,). Call once for each week, in order."""
        draws = rng.random((3, len(self._listed)))
        moved = self._listed * np.exp(_PRICE_SPREAD * rng.standard_normal(len(self._listed)))
        self._usual = np.where(draws[0] < _PRICE_CHANGES, moved, self._usual)
        promoted = (draws[1] < _PROMOTIONS) & (self._listed > 0.01)
        return np.where(promoted, self._usual * (0.5 + 0.35 * draws[2]), self._usual)


def ring_up(
    trips: Trips,
    basket: Ints,
    product: Ints,
    price: Floats,
    catalogue: Catalogue,
    week: Week,
    rng: np.random.Generator,
) -> Lines:
    """Add bags and the unclassified baskets, then quantities and prices."""
    product = product.copy()
    last = np.flatnonzero(np.diff(basket, append=-1) != 0)
    if week.index >= _BAG_WEEK:
        bagged = last[(trips.lines[basket[last]] > 1) & (rng.random(last.size) < _BAG_SHARE)]
        product[bagged] = catalogue.bag
    odd = np.flatnonzero(trips.unclassified)
    basket = np.concatenate([basket, odd])
    product = np.concatenate([product, _odd_products(catalogue, week, odd.size, rng)])
    order = np.argsort(basket, kind="stable")
    basket, product = basket[order], product[order]
    quantity = _quantities(catalogue, product, rng)
    noise = np.exp(_STORE_SPREAD * rng.standard_normal(product.size))
    unit = price[product] * np.where(rng.random(product.size) < _STORE_PRICES, noise, 1.0)
    pence = np.maximum(np.round(100 * unit), 1).astype(np.int64) * quantity
    return Lines(basket, product, quantity, pence)


def _odd_products(catalogue: Catalogue, week: Week, baskets: int, rng: np.random.Generator) -> Ints:
    kiosk = np.where(catalogue.classified | ~catalogue.on_shelf(week.index), 0.0, catalogue.popularity)
    product = draw(rng, kiosk, baskets)
    alone = _BAG_ALONE if week.index >= _FIRST_BAG_WEEK else 0.0
    bag = rng.random(baskets) < (alone if kiosk.any() else 1.0)  # of a small range the kiosk may have nothing left
    return np.where(bag, catalogue.bag, product)


def _quantities(catalogue: Catalogue, product: Ints, rng: np.random.Generator) -> Ints:
    """One, or a draw from the measured tail, as often as the group's mean quantity asks for."""
    table = calibration()["quantity_share_without_bag"]
    values = np.array([int(value) for value in table], dtype=np.int64)
    plain, every = shares(table), shares(calibration()["quantity_share"])
    tail = plain[1:] / plain[1:].sum()
    extra = float(tail @ values[1:]) - 1.0
    mean = np.array([group["mean_quantity"] for group in calibration()["groups"].values()])
    mean[catalogue.group[catalogue.bag]] = 1.3  # the group's own mean is that of its bags
    several = np.minimum(0.97 * (mean - 1.0) / extra, 0.95)[catalogue.group[product]]
    quantity = np.where(rng.random(product.size) < several, values[1:][draw(rng, tail, product.size)], 1)
    bags = np.maximum(every - (1.0 - _BAG_LINE_SHARE) * plain, 0.0)
    in_bags = values[from_cumulative(np.cumsum(bags), rng.random(product.size))]
    return np.where(product == catalogue.bag, in_bags, quantity)
