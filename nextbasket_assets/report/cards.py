"""What a mission's card says: rows of mission_profiles, put into words and into the order of their evidence.

Belongs here: the choice of rows and their wording, for pictures, for the terminal and for the report alike.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nextbasket_assets.catalogue import Catalogue

ALL, UNASSIGNED = "all", "unassigned"
AVERAGE = 100.0
LEAST_BASKETS = 30  # of a mission in the week: with fewer a card says nothing about what sets it apart
_LEAST_WITH_LEVEL = 10  # of them that have a level, for it to be over-represented: one basket is an anecdote
_PER_ATTRIBUTE = 2  # levels of one attribute on a card; the four category levels count as one attribute

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Bar:
    """One index with its interval; `baskets` of the mission stand behind it."""

    label: str
    index: float
    low: float
    high: float
    baskets: int


@dataclass(frozen=True, kw_only=True)
class MissionCard:
    """One mission in one week.

    Attributes:
        share, spend_share: of the week's baskets and spend.
        change: of the share against the weeks before, in percentage points; None without any.
        measures: name -> (value, index), of the means per basket.
        items: the items with the highest index, those most over-represented first.
        strongest: the attributes that differ most from the average for certain, highest index first.
    """

    mission: str
    name: str
    baskets: int
    share: float
    spend_share: float
    change: float | None
    measures: Mapping[str, tuple[float, float]]
    items: Sequence[Bar]
    strongest: Sequence[Bar]

    @property
    def title(self) -> str:
        """The mission as people say it, with its id."""
        return titled(self.mission, {self.mission: self.name})


def titled(mission: str, names: Mapping[str, str]) -> str:
    """Id and name of a mission; the id alone where it has no name."""
    name = names.get(mission, mission)
    return mission if name == mission else f"{mission} {name}"


def missions_of(rows: Rows) -> list[str]:
    """Ids of the missions that the week's rows speak of, without 'all' and 'unassigned'."""
    return sorted({row["mission"] for row in rows} - {ALL, UNASSIGNED})


def cards(
    rows: Rows, names: Mapping[str, str], catalogue: Catalogue, *, items: int = 8, bars: int = 4
) -> list[MissionCard]:
    """A card for every mission that had a basket in the week, the largest first.

    Args:
        rows: mission_profiles of one week.
        names: mission id to name.
        catalogue: names of items and categories.
        items: items per card.
        bars: strongest attributes above the average, and as many below.
    """
    by_mission: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_mission.setdefault(row["mission"], []).append(row)
    made = [
        _card(mission, names.get(mission, mission), by_mission[mission], catalogue, items, bars)
        for mission in missions_of(row for found in by_mission.values() for row in found)
        if any(row["name"] == "share_of_baskets" for row in by_mission[mission])
    ]
    return sorted(made, key=lambda card: (-card.baskets, card.mission))


def _card(
    mission: str, name: str, rows: list[Mapping[str, Any]], catalogue: Catalogue, items: int, bars: int
) -> MissionCard:
    overall = {row["name"]: row for row in rows if row["section"] == "overall"}
    changes = [row["value"] for row in rows if (row["section"], row["name"]) == ("trend", "change")]
    typical = sorted((row for row in rows if row["section"] == "item"), key=lambda row: (-row["index"], row["level"]))
    baskets = overall["share_of_baskets"]["baskets"]
    return MissionCard(
        mission=mission,
        name=name,
        baskets=baskets,
        share=overall["share_of_baskets"]["value"],
        spend_share=overall["share_of_spend"]["value"] if "share_of_spend" in overall else 0.0,
        change=changes[0] if changes else None,
        measures={key: (row["value"], row["index"]) for key, row in overall.items() if row["index"] is not None},
        items=[_bar(row, catalogue.name(row["level"])) for row in typical[:items]],
        strongest=strongest(rows, catalogue, bars) if baskets >= LEAST_BASKETS else [],
    )


def strongest(rows: Rows, catalogue: Catalogue, bars: int) -> list[Bar]:
    """The attributes whose whole interval is farthest from 100: `bars` above and `bars` below, highest index first.

    The near end of the interval decides, so a large index on a handful of baskets does not come first.
    """
    told = [row for row in rows if row["section"] == "attribute" and row["low"] is not None]
    common = [row for row in told if row["baskets"] >= _LEAST_WITH_LEVEL]
    above = sorted(
        (row for row in common if row["low"] > AVERAGE), key=lambda row: (-row["low"], row["name"], row["level"])
    )
    below = sorted(
        (row for row in told if row["high"] < AVERAGE), key=lambda row: (row["high"], row["name"], row["level"])
    )
    chosen = _varied(above, bars) + _varied(below, bars)
    shown = sorted(chosen, key=lambda row: (-row["index"], row["name"], row["level"]))
    return [_bar(row, label(row["name"], row["level"], catalogue)) for row in shown]


def _varied(rows: Sequence[Mapping[str, Any]], limit: int) -> list[Mapping[str, Any]]:
    taken: dict[str, int] = {}
    chosen: list[Mapping[str, Any]] = []
    for row in rows:
        attribute = row["name"].split("_")[0] if row["name"].startswith("category") else row["name"]
        taken[attribute] = taken.get(attribute, 0) + 1
        if taken[attribute] <= _PER_ATTRIBUTE and len(chosen) < limit:
            chosen.append(row)
    return chosen


def label(name: str, level: str, catalogue: Catalogue) -> str:
    """An attribute and its level in words: "store format LS", "Sat", or a category's name."""
    if name.startswith("category"):
        return catalogue.groups.get(level, level)
    if name == "weekday":
        return level.split(" ")[-1]
    if name == "hour_band":
        return f"{level} o'clock"
    return f"{name.replace('_', ' ')} {level}"


def _bar(row: Mapping[str, Any], text: str) -> Bar:
    return Bar(text, row["index"], row["low"], row["high"], row["baskets"])


def counted(number: float, thing: str) -> str:
    """So many of a thing, rounded: "1 day", "2 days"."""
    whole = round(number)
    return f"{whole:,} {thing}{'' if whole == 1 else 's'}"


def log_index(index: float, least: float) -> float:
    """Doublings above the average, so that half and double are equally far; never below that of `least`."""
    return math.log2(max(index, least) / AVERAGE)


def shortened(text: str, most: int) -> str:
    """The text, cut with a full stop where it is too long for its place."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "."
