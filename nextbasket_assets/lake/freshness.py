"""Which weeks are behind: made from rows that were replaced since, or never made although their input is there.

Every commit says which weeks it replaces and at which versions it read its inputs, so the tables' own histories answer.
A correction of an old week makes later weeks stale; a run that died halfway leaves weeks that are missing.
"""

import json
from dataclasses import dataclass
from datetime import date

from nextbasket_assets.lake import registry
from nextbasket_assets.lake.publish import MADE
from nextbasket_assets.lake.tables import Lake


@dataclass(frozen=True)
class Source:
    """What a table is made from: another table's same week, or all of its weeks up to that one."""

    table: str
    history: bool


# In the order in which they are made anew.
SOURCES = {
    "staged_baskets": Source("raw_transactions", history=False),
    "mission_tagged_baskets": Source("staged_baskets", history=False),
    "mission_history": Source("staged_baskets", history=True),
    "mission_profiles": Source("staged_baskets", history=True),
    "customer_sequences": Source("staged_baskets", history=True),
    "next_basket_scores": Source("customer_sequences", history=False),
    "next_trip_outlook": Source("customer_sequences", history=False),
    "score_exports": Source("next_basket_scores", history=False),
    "weekly_report": Source("next_basket_scores", history=False),
}


SCORES = ("next_basket_scores", "next_trip_outlook", "score_exports", "weekly_report")
_ASKED_FOR = (*SCORES, "mission_profiles")  # made for weeks that were asked for before, and for the newest one


def versions(lake: Lake) -> dict[str, int]:
    """The version of every table that decides: as long as they stay, nothing falls behind."""
    tables = {*SOURCES, *(source.table for source in SOURCES.values())}
    return {table: lake.version(table) for table in sorted(tables)}


def behind(lake: Lake) -> dict[str, list[date]]:
    """Weeks to make anew, by table, in the order of making; tables that are up to date are not there."""
    histories = {table: _commits(lake, table) for table in versions(lake)}
    found: dict[str, list[date]] = {}
    for table, source in SOURCES.items():
        made, sources = _last(histories[table]), _last(histories[source.table])
        weeks = [
            week
            for week in _expected(lake, table)
            if week not in made or made[week].read(source.table) < _newest(sources, week, history=source.history)
        ]
        if weeks:
            found[table] = weeks
    return found


@dataclass(frozen=True)
class _Commit:
    version: int
    weeks: tuple[date, ...]
    inputs: dict[str, int]

    def read(self, table: str) -> int:
        return self.inputs.get(table, -1)


def _commits(lake: Lake, table: str) -> list[_Commit]:
    """The commits that made rows; what an erasure left is no news for later tables."""
    snapshot = lake.snapshot(table)
    entries = snapshot.delta.history() if snapshot else []
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


def _newest(sources: dict[date, _Commit], week: date, *, history: bool) -> int:
    """Version of the last change of what the week is made from."""
    read = [commit.version for other, commit in sources.items() if other == week or (history and other < week)]
    return max(read, default=-1)


def _expected(lake: Lake, table: str) -> list[date]:
    """Weeks that the table should have, given its input and its own past."""
    if table == "mission_history":
        models = registry.decisions(lake, "mission_model")
        weeks = {model.week for model in models if registry.promoted(lake, "mission_model", model.week) == model}
        return sorted(weeks & set(lake.weeks("staged_baskets")))
    held = lake.weeks(SOURCES[table].table)
    if table in _ASKED_FOR:
        asked_for = set(lake.weeks(table))
        return [week for week in held if week in asked_for or week == held[-1]]
    return held
