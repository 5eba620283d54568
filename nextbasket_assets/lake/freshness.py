"""Which weeks are behind: made from rows that were replaced since, or never made although their input is there.

Every commit says which weeks it replaces and at which versions it read its inputs, so the tables' own histories answer.
A correction of an old week makes later weeks stale; a run that died halfway leaves weeks that are missing. A mission model
as of an older week tags the weeks after it again, and what was made from their former tags follows.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from nextbasket_assets.lake import registry
from nextbasket_assets.lake.publish import MADE
from nextbasket_assets.lake.tables import Lake

REGISTRY, MODEL = "model_registry", "mission_model"


@dataclass(frozen=True)
class Source:
    """One of the tables that a table is made from, and which of its weeks one week is made from.

    Attributes:
        table: its name.
        weeks: the same week, all weeks up to it, the week of the mission model in force, or the weeks after that one.
    """

    table: str
    weeks: Literal["same", "past", "model", "after model"]


# In the order in which they are made anew.
SOURCES = {
    "staged_baskets": Source("raw_transactions", "same"),
    "mission_tagged_baskets": Source("staged_baskets", "same"),
    "mission_history": Source("staged_baskets", "past"),
    "mission_profiles": Source("staged_baskets", "past"),
    "customer_sequences": Source("staged_baskets", "past"),
    "next_basket_scores": Source("customer_sequences", "same"),
    "next_trip_outlook": Source("customer_sequences", "same"),
    "score_exports": Source("next_basket_scores", "same"),
    "weekly_report": Source("next_basket_scores", "same"),
}
# What they read besides. Code of before may not have said at which version: such a week is not behind for that.
_BESIDES = {
    "mission_tagged_baskets": (Source(REGISTRY, "model"),),
    "mission_history": (Source(REGISTRY, "model"),),
    "mission_profiles": (Source("mission_tagged_baskets", "past"), Source("mission_history", "model")),
    "customer_sequences": (Source("mission_tagged_baskets", "after model"), Source("mission_history", "model")),
    "score_exports": (Source("next_trip_outlook", "same"),),
}


SCORES = ("next_basket_scores", "next_trip_outlook", "score_exports", "weekly_report")
_ASKED_FOR = (*SCORES, "mission_profiles")  # made for weeks that were asked for before, and for the newest one


def sources(table: str) -> tuple[Source, ...]:
    """What a table is made from; first the table without which its weeks cannot be made."""
    return SOURCES[table], *_BESIDES.get(table, ())


def versions(lake: Lake) -> dict[str, int]:
    """The version of every table that decides: as long as they stay, nothing falls behind."""
    tables = {*SOURCES, *(source.table for table in SOURCES for source in sources(table))}
    return {table: lake.version(table) for table in sorted(tables)}


def behind(lake: Lake) -> dict[str, list[date]]:
    """Weeks to make anew, by table, in the order of making; tables that are up to date are not there."""
    tables = [*SOURCES, *(source.table for source in SOURCES.values())]
    last = {table: _last(_commits(lake, table)) for table in dict.fromkeys(tables)}
    read = {source.table for table in SOURCES for source in sources(table)} - {REGISTRY}
    newest = {table: lake.version(table) for table in read}
    promotions = _promotions(lake)

    def is_behind(table: str, week: date) -> bool:
        made = last[table].get(week)
        if made is None or _is_of_a_former_table(made, newest):
            return True
        return _is_stale(made, table, week, last, _in_force(promotions, week))

    found: dict[str, list[date]] = {}
    for table in SOURCES:
        weeks = [week for week in _expected(lake, table, promotions) if is_behind(table, week)]
        if weeks:
            found[table] = weeks
    return found


def last_made(lake: Lake, table: str, week: date) -> int | None:
    """The version that made a week's rows as they are, but for what was erased since; None when none did."""
    commit = _last(_commits(lake, table)).get(week)
    return commit.version if commit else None


@dataclass(frozen=True)
class _Commit:
    version: int
    weeks: tuple[date, ...]
    inputs: dict[str, int]


def _commits(lake: Lake, table: str) -> list[_Commit]:
    """The commits that made rows; what an erasure left is no news for later tables."""
    snapshot = lake.snapshot(table)
    entries = snapshot.commits if snapshot else []
    return [
        _Commit(entry["version"], _weeks(entry["weeks"]), json.loads(entry["inputs"]))
        for entry in entries
        if entry.get("kind") == MADE
    ]


def _weeks(listed: str) -> tuple[date, ...]:
    return tuple(date.fromisoformat(week) for week in listed.split(","))


def _last(commits: list[_Commit]) -> dict[date, _Commit]:
    """The last commit of every week."""
    last: dict[date, _Commit] = {}
    for commit in sorted(commits, key=lambda commit: commit.version):
        last |= dict.fromkeys(commit.weeks, commit)
    return last


@dataclass(frozen=True)
class _InForce:
    """A week's mission model, if any: its as-of week, its version, and the registry's version since which it is in force."""

    week: date | None = None
    version: str | None = None
    since: int = -1


def _promotions(lake: Lake) -> list[tuple[int, date, str]]:
    """Registry version, as-of week and model version of every mission model, oldest first.

    A commit that writes is one decision; those of a vacuum come between. Of decisions older than the log the number tells.
    """
    rows = lake.registry().select(["number", "name", "decision", "week", "version"]).sort_by("number").to_pylist()
    snapshot = lake.snapshot(REGISTRY)
    writes = (commit["version"] for commit in (snapshot.commits if snapshot else ()) if commit["operation"] == "WRITE")
    since = {row["number"]: version for row, version in zip(reversed(rows), writes, strict=False)}
    return [
        (since.get(row["number"], row["number"] - 1), row["week"], row["version"])
        for row in rows
        if (row["name"], row["decision"]) == (MODEL, registry.PROMOTED)
    ]


def _in_force(promotions: list[tuple[int, date, str]], week: date) -> _InForce:
    """The newest model that is not later than the week, as `registry.promoted`: nobody takes a mission model back."""
    found = _InForce()
    for at, as_of, version in promotions:
        if as_of <= week and (found.week is None or as_of >= found.week) and version != found.version:
            found = _InForce(as_of, version, at)
    return found


def _is_of_a_former_table(made: _Commit, newest: Mapping[str, int]) -> bool:
    """Whether the week was made from a version that its source has not reached: that table's place was taken by another."""
    return any(made.inputs.get(table, -1) > version for table, version in newest.items())


def _is_stale(
    made: _Commit, table: str, week: date, last: Mapping[str, Mapping[date, _Commit]], model: _InForce
) -> bool:
    """Whether something that the week is made from changed after it was read."""
    for source in sources(table):
        changed = model.since if source.table == REGISTRY else _changed(last[source.table], source, week, model.week)
        unsaid = -1 if source is SOURCES[table] else changed
        if made.inputs.get(source.table, unsaid) < changed:
            return True
    return False


def _changed(commits: Mapping[date, _Commit], source: Source, week: date, model: date | None) -> int:
    """Version of the last change of what the week is made from."""
    read = [commit.version for other, commit in commits.items() if _is_read(other, source, week, model)]
    return max(read, default=-1)


def _is_read(other: date, source: Source, week: date, model: date | None) -> bool:
    """Whether a week is made from another week of a source; without a mission model all weeks are after it."""
    match source.weeks:
        case "same":
            return other == week
        case "past":
            return other <= week
        case "model":
            return other == model
        case "after model":
            return other <= week and (model is None or other > model)


def _expected(lake: Lake, table: str, promotions: list[tuple[int, date, str]]) -> list[date]:
    """Weeks that the table should have, given its input and its own past."""
    held = lake.weeks(SOURCES[table].table)
    if table == "mission_history":
        models = {as_of for _, as_of, _ in promotions}
        return [week for week in held if week in models]
    if table in _ASKED_FOR:
        asked_for = set(lake.weeks(table))
        return [week for week in held if week in asked_for or week == held[-1]]
    return held
