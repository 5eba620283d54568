"""A dozen customers: what they bought, what they are expected to buy, and, once known, what they then bought.

The same customers week after week: within each segment of history length those whose code has the smallest digest, so that
nobody chose them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.report.cards import counted, titled
from nextbasket_assets.report.weekly.judging import LENGTH, first_baskets
from nextbasket_assets.report.weekly.quality import Quality, judged, thickness

DOZEN = 12
_BASKETS = 4  # most recent ones that are shown
_LOOK_AHEAD_WEEKS = 8  # how long a customer's next basket is waited for


@dataclass(frozen=True)
class Place:
    """One place of a list."""

    rank: int
    item: str
    name: str
    probability: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Person:
    """One customer at the end of the week.

    Attributes:
        segment: thin, medium or heavy.
        seen: baskets known.
        history: (day, names of items) of the most recent baskets, newest first.
        places: the first places of the list.
        source: what made the list.
        outlook: the next trip in words; empty without a forecast.
    """

    code: str
    segment: str
    seen: int
    history: Sequence[tuple[date, Sequence[str]]]
    places: Sequence[Place]
    source: str
    outlook: str


def people(lake: Lake, week: date, catalogue: Catalogue, names: Mapping[str, str]) -> list[Person]:
    """The dozen of a week; reads that week only.

    Args:
        lake: the tables.
        week: of the lists.
        catalogue: names of items.
        names: mission id to name.
    """
    known = lake.read("customer_sequences", [week], ["customer", "baskets_seen", "baskets"])
    chosen = chosen_customers(dict(zip(known["customer"].to_pylist(), known["baskets_seen"].to_pylist(), strict=True)))
    lists = _of(lake, "next_basket_scores", week, chosen)
    outlooks = {row["customer"]: row for row in _of(lake, "next_trip_outlook", week, chosen)}
    sequences = {row["customer"]: row for row in _only(known, chosen).to_pylist()}
    return [
        _person(
            sequences[code], [row for row in lists if row["customer"] == code], outlooks.get(code), catalogue, names
        )
        for code in chosen
    ]


def chosen_customers(seen: Mapping[str, int], most: int = DOZEN) -> list[str]:
    """A third of `most` from each segment by the smallest digest of the code; short segments are filled up from the rest."""
    order = sorted(seen, key=lambda code: hashlib.blake2b(code.encode(), digest_size=8).digest())
    thirds = [[code for code in order if thickness(seen[code]) == name] for name in ("thin", "medium", "heavy")]
    first = [code for third in thirds for code in third[: most // 3]]
    rest = [code for code in order if code not in first]
    chosen = [*first, *rest[: most - len(first)]]
    return sorted(chosen, key=lambda code: (seen[code], code))


def _of(lake: Lake, table: str, week: date, customers: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(row) for row in _only(lake.read(table, [week]), customers).to_pylist()]


def _only(rows: pa.Table, customers: Sequence[str]) -> pa.Table:
    return rows.filter(pc.is_in(rows["customer"], value_set=pa.array(customers, pa.string())))


def _person(
    sequence: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    outlook: Mapping[str, Any] | None,
    catalogue: Catalogue,
    names: Mapping[str, str],
) -> Person:
    ranked = sorted(rows, key=lambda row: row["rank"])[:LENGTH]
    recent = sequence["baskets"][-_BASKETS:][::-1]
    return Person(
        code=sequence["customer"],
        segment=thickness(sequence["baskets_seen"]),
        seen=sequence["baskets_seen"],
        history=[(basket["date"], [catalogue.name(item) for item in basket["items"]]) for basket in recent],
        places=[
            Place(row["rank"], row["item"], catalogue.name(row["item"]), row["probability"], row["reason"])
            for row in ranked
        ],
        source=ranked[0]["source"] if ranked else "nothing",
        outlook=_in_words(outlook, names) if outlook else "",
    )


def _in_words(outlook: Mapping[str, Any], names: Mapping[str, str]) -> str:
    mission = f", most likely for {titled(outlook['mission'], names)}" if outlook["mission"] else ""
    return (
        f"comes within 7 days with {outlook['visit_within_7_days']:.0%}, "
        f"expected in {counted(outlook['expected_days'], 'day')}, about {counted(outlook['expected_items'], 'item')}{mission}"
    )


@dataclass(frozen=True)
class Outcome:
    """What one of the dozen bought on their next trip.

    Attributes:
        day: None when they have not come yet.
        hits: names of items that were on the list.
        others: names of the other items.
    """

    code: str
    day: date | None
    hits: Sequence[str]
    others: Sequence[str]


@dataclass(frozen=True)
class Aftermath:
    """What people bought after the week, as far as anybody has looked.

    Attributes:
        until: the newest week that was looked at; None while there is none.
        outcomes: one for each of the dozen.
        quality: of all lists against the week after; None before it is there.
    """

    until: date | None
    outcomes: Sequence[Outcome]
    quality: Quality | None


def aftermath(lake: Lake, week: date, dozen: Sequence[Person], catalogue: Catalogue) -> Aftermath:
    """The one part of a report that reads later weeks: at most eight of them."""
    later = [other for other in lake.weeks("staged_baskets") if other > week][:_LOOK_AHEAD_WEEKS]
    columns = ["customer", "date", "hour", "basket", "items"]
    rows = _only(lake.read("staged_baskets", later, columns), [person.code for person in dozen])
    first = {row["customer"]: row for row in first_baskets(rows).to_pylist()}
    next_week = later and (later[0] - week).days == 7
    return Aftermath(
        until=later[-1] if later else None,
        outcomes=[_outcome(person, first.get(person.code), catalogue) for person in dozen],
        quality=judged(lake, week).quality if next_week else None,
    )


def _outcome(person: Person, basket: Mapping[str, Any] | None, catalogue: Catalogue) -> Outcome:
    if basket is None:
        return Outcome(person.code, None, [], [])
    listed = [place.item for place in person.places]
    bought = [line["item"] for line in basket["items"]]
    hits = [item for item in listed if item in bought]
    others = [item for item in bought if item not in listed]
    return Outcome(person.code, basket["date"], *([catalogue.name(item) for item in items] for items in (hits, others)))
