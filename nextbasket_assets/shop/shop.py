"""Writes a synthetic shop: weekly files, the retailer's calendar, product names, and the planted truth.

Every week draws from its own random streams, and nothing looks ahead: the first n weeks of a shop are byte for
byte the same however many weeks follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nextbasket_assets.shop.catalogue import PRODUCTS
from nextbasket_assets.shop.customers import Presence
from nextbasket_assets.shop.faults import Faults, inject
from nextbasket_assets.shop.landing_files import (
    Clerk,
    Header,
    number_baskets,
    products_text,
    truth_of,
    truth_text,
)
from nextbasket_assets.shop.ledger import Ledger
from nextbasket_assets.shop.missions import MISSIONS
from nextbasket_assets.shop.purchases import Histories, Shelves, fill
from nextbasket_assets.shop.standing import Standing, found
from nextbasket_assets.shop.tills import Prices, ring_up, season
from nextbasket_assets.shop.trips import ANONYMOUS, Trips, plan_trips
from nextbasket_assets.shop.weeks import Week, retail_week, time_table

_TIME_AHEAD = 25  # weeks of the calendar beyond the last file
_MOST_WEEKS = 999  # a basket id has three digits for the week
_MOST_PRODUCTS = 32_767  # a history keeps a product in fifteen bits
_PRODUCTS, _TIME = "products.csv", "time.csv"
_WEEK = 1  # first key of the random streams; the standing facts have another


@dataclass(frozen=True, kw_only=True)
class ShopReport:
    """What was written: names of the weekly files in order, and counts before any fault."""

    files: tuple[str, ...]
    lines: int
    baskets: int
    anonymous_baskets: int
    customers: int  # who bought something in these weeks
    products: int  # in the catalogue


def write_shop(
    out: Path,
    *,
    customers: int,
    weeks: int,
    seed: int,
    strength: float = 0.5,
    recency: float = 0.0,
    header: Header = "B",
    compress: bool = True,
    faults: Faults | None = None,
    products: int = PRODUCTS,
    progress: Callable[[int, int], None] | None = None,
) -> ShopReport:
    """Write a shop into a folder, which is made if it is missing.

    Writes `transactions_YYYYWW.csv[.gz]` from week 200607 on, `time.csv` with 25 weeks more, `products.csv`, and
    `ground_truth/missions_YYYYWW.csv.gz`. `customers` is everybody who comes within 117 weeks: a shorter
    shop sees fewer of them. `recency` above 0 gives habits that change: that share of the repeats comes from what
    the customer bought lately, unlike in the calibrated process. `progress` is called with (weeks done, weeks in
    all) after each week. A shop that was interrupted, or a shorter one, is written over as long as its files are
    as they were written.

    Raises:
        FolderTakenError: the folder has files that no shop wrote, or that would be left of a longer one.
        ValueError: an argument is out of range, and the message says which and what it may be.
    """
    _check(customers, weeks, products, recency, header)
    (faults or Faults()).check(weeks)
    ending = ".csv.gz" if compress else ".csv"
    files = [f"transactions_{retail_week(index).code}{ending}" for index in range(1, weeks + 1)]
    names = [*files, *map(truth_of, files), _PRODUCTS, _TIME]
    ledger = Ledger(out)
    ledger.check(names)
    standing = found(customers, products, seed, strength)
    arguments = {"customers": customers, "weeks": weeks, "seed": seed, "strength": strength, "recency": recency}
    with ledger.writing(arguments | {"products": products, "header": header}, names):
        ledger.write(_PRODUCTS, products_text(standing.catalogue))
        counts, left = _write_weeks(ledger, _Shop(standing, seed, recency, header), files, progress), files
        if faults is not None:
            left = inject(out, files, faults)
        ledger.write(_TIME, time_table(weeks + _TIME_AHEAD))
    return ShopReport(files=tuple(left), products=products, **counts)


def _write_weeks(
    ledger: Ledger, shop: "_Shop", files: list[str], progress: Callable[[int, int], None] | None
) -> dict[str, int]:
    """The weekly files and their planted missions; returns what the report counts."""
    lines, baskets, anonymous = 0, 0, 0
    for index, name in enumerate(files, start=1):
        trading = shop.trade(retail_week(index))
        ledger.write(truth_of(name), trading.truth)
        ledger.write(name, trading.text)
        lines += trading.lines
        baskets += trading.trips.customer.size
        anonymous += int((trading.trips.customer == ANONYMOUS).sum())
        if progress is not None:
            progress(index, len(files))
    seen = int(shop.seen.sum())
    return {"lines": lines, "baskets": baskets, "anonymous_baskets": anonymous, "customers": seen}


def _check(customers: int, weeks: int, products: int, recency: float, header: Header) -> None:
    if customers < 1:
        raise ValueError(f"customers must be at least 1, got {customers}")
    if not 1 <= weeks <= _MOST_WEEKS:
        raise ValueError(f"weeks must be between 1 and {_MOST_WEEKS}, got {weeks}")
    if products > _MOST_PRODUCTS:
        raise ValueError(f"products must be at most {_MOST_PRODUCTS}, got {products}")
    if not 0 <= recency <= 1:
        raise ValueError(f"recency must be between 0 and 1, got {recency}")
    if header not in ("A", "B", "C"):
        raise ValueError(f"header must be A, B or C, got {header!r}")


@dataclass(frozen=True)
class _TradingWeek:
    trips: Trips
    lines: int
    text: str
    truth: str


class _Shop:
    """The shop's standing facts, and the state that one week hands to the next."""

    def __init__(self, standing: Standing, seed: int, recency: float, header: Header) -> None:
        self._seed = seed
        self._standing = standing
        customers = len(standing.people.code)
        self.seen = np.zeros(customers, dtype=np.bool_)
        self._presence = Presence(standing.people)
        self._prices = Prices(standing.catalogue)
        self._histories = Histories(customers, len(standing.catalogue.code), recency)
        self._clerk = Clerk(standing.catalogue, standing.people, standing.stores, header)

    def trade(self, week: Week) -> _TradingWeek:
        """One week of trade. Call once for each week, in order."""
        streams = [np.random.default_rng([self._seed, _WEEK, week.index, step]) for step in range(6)]
        catalogue, stores = self._standing.catalogue, self._standing.stores
        mix, people = self._standing.mix, self._standing.people
        expected = self._presence.expected_baskets(week.index, streams[0])
        trips = plan_trips(week, people, expected, stores, mix, streams[1])
        shelves = Shelves(catalogue, mix, season(catalogue, week), week.index)
        basket, product = fill(trips, people.tier, self._histories, shelves, streams[2])
        lines = ring_up(trips, basket, product, self._prices.of_week(streams[3]), catalogue, week, streams[4])
        basket_ids = number_baskets(week, trips.customer, streams[5])
        self.seen[trips.customer[trips.customer != ANONYMOUS]] = True
        planted = [MISSIONS[number].name for number in trips.mission.tolist()]
        return _TradingWeek(
            trips,
            lines.product.size,
            self._clerk.write_up(week, trips, basket_ids, lines),
            truth_text(basket_ids, planted),
        )
