"""Writes a synthetic shop: weekly files, the retailer's calendar, product names, and the planted truth.

Every week draws from its own random streams, and nothing looks ahead: the first n weeks of a shop are byte for
byte the same however many weeks follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nextbasket_assets.shop.catalogue import PRODUCTS, Catalogue, stock
from nextbasket_assets.shop.customers import Population, Presence, settle
from nextbasket_assets.shop.faults import Faults, inject
from nextbasket_assets.shop.landing_files import (
    LAST_WRITTEN,
    TRUTH,
    Clerk,
    Header,
    number_baskets,
    products_text,
    truth_of,
    truth_text,
    write_bytes,
)
from nextbasket_assets.shop.missions import MISSIONS, MissionMix, plant
from nextbasket_assets.shop.purchases import Histories, Shelves, fill
from nextbasket_assets.shop.stores import Stores, open_stores
from nextbasket_assets.shop.tills import Prices, ring_up, season
from nextbasket_assets.shop.trips import ANONYMOUS, Trips, plan_trips
from nextbasket_assets.shop.weeks import Week, retail_week, time_table

_TIME_AHEAD = 25  # weeks of the calendar beyond the last file
_MOST_WEEKS = 999  # a basket id has three digits for the week
_MOST_PRODUCTS = 32_767  # a history keeps a product in fifteen bits
_SHOP, _WEEK = 0, 1  # first key of the random streams


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
    all) after each week. A shop that was interrupted, or a shorter one, is written over.

    Raises:
        ValueError: an argument is out of range, and the message says which and what it may be; or the folder has
            weekly files that no shop wrote, or that would be left of a longer one.
    """
    _check(customers, weeks, products, recency, header)
    ending = ".csv.gz" if compress else ".csv"
    files = [f"transactions_{retail_week(index).code}{ending}" for index in range(1, weeks + 1)]
    _check_folder(out, files)
    shop = _Shop(customers, products, seed, strength, recency, header)
    (out / TRUTH).mkdir(parents=True, exist_ok=True)
    (out / LAST_WRITTEN).unlink(missing_ok=True)
    write_bytes(out / "products.csv", products_text(shop.catalogue).encode("ascii"))
    lines, baskets, anonymous = 0, 0, 0
    for index, name in enumerate(files, start=1):
        trading = shop.trade(retail_week(index))
        write_bytes(truth_of(out, name), trading.truth.encode("ascii"))
        write_bytes(out / name, trading.text.encode("ascii"))
        lines += trading.lines
        baskets += trading.trips.customer.size
        anonymous += int((trading.trips.customer == ANONYMOUS).sum())
        if progress is not None:
            progress(index, weeks)
    if faults is not None:
        files = inject(out, files, faults)
    write_bytes(out / LAST_WRITTEN, time_table(weeks + _TIME_AHEAD).encode("ascii"))
    return ShopReport(
        files=tuple(files),
        lines=lines,
        baskets=baskets,
        anonymous_baskets=anonymous,
        customers=int(shop.seen.sum()),
        products=products,
    )


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


def _check_folder(out: Path, files: list[str]) -> None:
    """Two shops never mix, and a retailer's own weeks are never written over: a shop's have their planted missions."""
    there = sorted(path.name for path in out.glob("transactions_*"))
    other = [name for name in there if name not in files or not truth_of(out, name).exists()]
    if other:
        raise ValueError(
            f"{out} has {len(other)} weekly file(s) of something else than this shop, {other[0]} first: "
            "choose an empty folder, or remove them"
        )


@dataclass(frozen=True)
class _TradingWeek:
    trips: Trips
    lines: int
    text: str
    truth: str


class _Shop:
    """The shop's standing facts, and the state that one week hands to the next."""

    catalogue: Catalogue
    stores: Stores
    mix: MissionMix
    people: Population

    def __init__(
        self, customers: int, products: int, seed: int, strength: float, recency: float, header: Header
    ) -> None:
        self._seed = seed
        self.catalogue = stock(products, np.random.default_rng([seed, _SHOP, 0]))
        self.stores = open_stores(np.random.default_rng([seed, _SHOP, 1]))
        self.mix = plant(self.catalogue, strength)
        self.people = settle(customers, self.stores, self.mix.share, np.random.default_rng([seed, _SHOP, 2]))
        self.seen = np.zeros(customers, dtype=np.bool_)
        self._presence = Presence(self.people)
        self._prices = Prices(self.catalogue)
        self._histories = Histories(customers, products, recency)
        self._clerk = Clerk(self.catalogue, self.people, self.stores, header)

    def trade(self, week: Week) -> _TradingWeek:
        """One week of trade. Call once for each week, in order."""
        streams = [np.random.default_rng([self._seed, _WEEK, week.index, step]) for step in range(6)]
        expected = self._presence.expected_baskets(week.index, streams[0])
        trips = plan_trips(week, self.people, expected, self.stores, self.mix, streams[1])
        shelves = Shelves(self.catalogue, self.mix, season(self.catalogue, week), week.index)
        basket, product = fill(trips, self.people.tier, self._histories, shelves, streams[2])
        lines = ring_up(trips, basket, product, self._prices.of_week(streams[3]), self.catalogue, week, streams[4])
        basket_ids = number_baskets(week, trips.customer, streams[5])
        self.seen[trips.customer[trips.customer != ANONYMOUS]] = True
        planted = [MISSIONS[number].name for number in trips.mission.tolist()]
        return _TradingWeek(
            trips,
            lines.product.size,
            self._clerk.write_up(week, trips, basket_ids, lines),
            truth_text(basket_ids, planted),
        )
