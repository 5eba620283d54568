"""What goes into the baskets: what the customer bought before, or something new to them.

A two-parameter Poisson-Dirichlet (Pitman-Yor) process per customer: after n lines of K distinct products, the next
line is a new draw with probability (concentration + discount * K) / (concentration + n), and otherwise a product
bought before with weight (times bought - discount). Core lines of a mission stay inside its core in both cases.
"""

import numpy as np

from nextbasket_assets.shop.calibration import Flags, Floats, Ints, from_cumulative
from nextbasket_assets.shop.catalogue import Catalogue
from nextbasket_assets.shop.missions import MissionMix
from nextbasket_assets.shop.trips import ANONYMOUS, Trips

_CONCENTRATION = 2.3
_DISCOUNT = 0.69
_ONCE_DISCOUNT = 0.5  # less than the discount: favourites are less favoured than in the pure process
_ALWAYS_NEW = 0.22  # least probability of a draw from the shelves, however long the history
_REMEMBERED = 1_024  # lines of history kept for a customer, a uniform sample of all
RECENT = 60  # lines: what a habit of these weeks is made of
_FIRST_TIME = np.uint16(1 << 15)
_TRIES = 16
_REDRAWS = 8
_TIER_PULL = 0.6  # how often a customer puts back a product of the opposite price tier


class Histories:
    """What every customer bought so far, in memory that does not grow with the weeks.

    `lines` and `distinct` count all of it; `sample` keeps a uniform sample of lines, with the top bit
    set where the line was the customer's first of that product. `recency` is the share of repeats that come from
    the customer's last `RECENT` lines, which a ring keeps beside the sample.
    """

    def __init__(self, customers: int, products: int, recency: float = 0.0) -> None:
        self._recency = recency
        self.lines = np.zeros(customers, dtype=np.int64)
        self.distinct = np.zeros(customers, dtype=np.int64)
        self._sample = np.zeros((customers, _REMEMBERED), dtype=np.uint16)
        self._recent = np.zeros((customers if recency else 0, RECENT), dtype=np.uint16)
        self._bought = np.zeros((customers, (products + 7) // 8), dtype=np.uint8)

    def repeat_probability(self, customer: Ints) -> Floats:
        """Probability that the next line of each customer is from their history."""
        lines, distinct = self.lines[customer], self.distinct[customer]
        fresh = (_CONCENTRATION + _DISCOUNT * distinct) / (_CONCENTRATION + lines)
        return np.asarray(1.0 - np.clip(fresh, _ALWAYS_NEW, 1.0), dtype=np.float64)

    def recall(self, customer: Ints, rng: np.random.Generator) -> tuple[Ints, Flags]:
        """A remembered line of each customer, and whether its weight let it pass."""
        lines = self.lines[customer]
        slot = (rng.random(customer.size) * np.minimum(lines, _REMEMBERED)).astype(np.int64)
        entry = self._sample[customer, slot]
        if self._recency:
            habit = np.flatnonzero(rng.random(customer.size) < self._recency)
            recent = np.minimum(lines, RECENT)
            position = lines - recent + (rng.random(customer.size) * recent).astype(np.int64)
            entry[habit] = self._recent[customer[habit], position[habit] % RECENT]
        first = (entry & _FIRST_TIME) != 0
        passed = ~first | (rng.random(customer.size) >= _ONCE_DISCOUNT)
        return (entry & ~_FIRST_TIME).astype(np.int64), passed

    def record(self, customer: Ints, product: Ints, rng: np.random.Generator) -> None:
        """Add lines, sorted by customer, each product at most once for a customer."""
        byte, bit = product >> 3, (1 << (product & 7)).astype(np.uint8)
        first = (self._bought[customer, byte] & bit) == 0
        np.bitwise_or.at(self._bought, (customer, byte), bit)
        starts = np.searchsorted(customer, customer, side="left")
        position = self.lines[customer] + np.arange(customer.size) - starts
        slot = np.where(position < _REMEMBERED, position, (rng.random(customer.size) * (position + 1)).astype(np.int64))
        kept = slot < _REMEMBERED
        entry = product.astype(np.uint16) | np.where(first, _FIRST_TIME, np.uint16(0))
        self._sample[customer[kept], slot[kept]] = entry[kept]
        if self._recency:
            self._recent[customer, position % RECENT] = entry
        np.add.at(self.lines, customer, 1)
        np.add.at(self.distinct, customer, first.astype(np.int64))


class Shelves:
    """What can be bought in one week: cumulative item weights of each mission's core and of the base."""

    def __init__(self, catalogue: Catalogue, mix: MissionMix, season: Floats, week: int) -> None:
        self.catalogue, self.mix = catalogue, mix
        self.on_shelf = catalogue.on_shelf(week)
        self._cumulative = np.cumsum(mix.weights * np.where(self.on_shelf, season, 0.0), axis=1)

    def pick(self, row: Ints, rng: np.random.Generator) -> Ints:
        """A product for each line from the weights of its row of the mix."""
        product = np.empty(row.size, dtype=np.int64)
        uniform = rng.random(row.size)
        for number in range(len(self._cumulative)):
            lines = np.flatnonzero(row == number)
            product[lines] = from_cumulative(self._cumulative[number], uniform[lines])
        return product


def fill(
    trips: Trips, tier: Ints, histories: Histories, shelves: Shelves, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Choose the products of all baskets of a week, a customer's baskets one after the other.

    Returns the basket and the product of each line, (lines,). No basket has a product twice. `tier` is (customers,).
    """
    baskets, products = [], []
    for turn in range(int(trips.turn.max(initial=-1)) + 1):
        chosen = np.flatnonzero((trips.turn == turn) & ~trips.unclassified)
        basket = np.repeat(chosen, trips.lines[chosen])
        product = _choose(basket, trips, tier, histories, shelves, rng)
        distinct = _first_of_basket(basket, product)
        basket, product = basket[distinct], product[distinct]
        known = trips.customer[basket] != ANONYMOUS
        histories.record(trips.customer[basket[known]], product[known], rng)
        baskets.append(basket)
        products.append(product)
    if not baskets:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    return np.concatenate(baskets), np.concatenate(products)


def _choose(
    basket: Ints, trips: Trips, tier: Ints, histories: Histories, shelves: Shelves, rng: np.random.Generator
) -> Ints:
    base = len(shelves.mix.share)
    core = rng.random(basket.size) < shelves.mix.core_share(trips.lines)[basket]
    row = np.where(core, trips.mission[basket], base)
    customer = trips.customer[basket]
    product = _draw(customer, row, tier, histories, shelves, rng)
    for _ in range(_REDRAWS):
        again = np.flatnonzero(~_first_of_basket(basket, product))
        if again.size == 0:
            break
        product[again] = _draw(customer[again], row[again], tier, histories, shelves, rng)
    return product


def _draw(
    customer: Ints, row: Ints, tier: Ints, histories: Histories, shelves: Shelves, rng: np.random.Generator
) -> Ints:
    """One product for each line: from history where the process says so and history has one, else from the shelves."""
    product = _explore(customer, row, tier, shelves, rng)
    known = np.flatnonzero(customer != ANONYMOUS)
    open_lines = known[rng.random(known.size) < histories.repeat_probability(customer[known])]
    for _ in range(_TRIES):
        if open_lines.size == 0:
            break
        found, passed = histories.recall(customer[open_lines], rng)
        passed &= shelves.on_shelf[found] & shelves.mix.core[row[open_lines], found]
        product[open_lines[passed]] = found[passed]
        open_lines = open_lines[~passed]
    return product


def _explore(customer: Ints, row: Ints, tier: Ints, shelves: Shelves, rng: np.random.Generator) -> Ints:
    product = shelves.pick(row, rng)
    wanted = np.where(customer == ANONYMOUS, 0, tier[customer])
    opposite = shelves.catalogue.tier[product] * wanted < 0
    again = np.flatnonzero(opposite & (rng.random(product.size) < _TIER_PULL))
    product[again] = shelves.pick(row[again], rng)
    return product


def _first_of_basket(basket: Ints, product: Ints) -> Flags:
    """Which lines are the first of their basket and product."""
    _, first = np.unique(basket << 16 | product, return_index=True)
    flags = np.zeros(basket.size, dtype=np.bool_)
    flags[first] = True
    return flags
