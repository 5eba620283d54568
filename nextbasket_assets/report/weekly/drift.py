"""Does the week look like what the model learned from? Population stability of baskets and of the lists' probabilities."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.limits import MOST_DRIFT, SOME_DRIFT
from nextbasket_assets.report.weekly.scored import Models, first_probabilities
from nextbasket_assets.stability import by_chance, stability_index

REFERENCE_WEEKS = 13
_UNKNOWN = "unknown"
_INDEX = ("psi", "psi_by_chance")  # of mission_profiles
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Drift:
    """One thing that may drift: its index, and the level that moved most.

    Attributes:
        index: None when there is nothing to compare with.
        moved: (level, share then, share now) of the level with the largest change; None without an index.
        chance: what the index stays below in 95 of 100 cases when nothing changed.
    """

    name: str
    index: float | None
    moved: tuple[str, float, float] | None
    chance: float = 0.0

    @property
    def limit(self) -> float:
        """From here on it is another population: of few cases chance alone goes far."""
        return max(MOST_DRIFT, self.chance)

    @property
    def verdict(self) -> str:
        """The index in words."""
        if self.index is None:
            return "not known"
        if self.index < SOME_DRIFT:
            return "stable"
        if self.index < self.chance:
            return "no more than chance"
        return "some shift" if self.index < MOST_DRIFT else "another population"


def drift(name: str, now: Mapping[str, int], then: Mapping[str, int]) -> Drift:
    """The index of two distributions over one attribute's levels, and what moved most."""
    if not sum(now.values()) or not sum(then.values()):
        return Drift(name, None, None)
    total_now, total_then = sum(now.values()), sum(then.values())
    shares = [(level, then.get(level, 0) / total_then, now.get(level, 0) / total_now) for level in {**then, **now}]
    moved = max(shares, key=lambda share: (abs(share[2] - share[1]), share[0]))
    return Drift(name, stability_index(now, then), moved, by_chance(len(shares), total_now, total_then))


def drifts(lake: Lake, week: date, models: Models, profile: Sequence[Mapping[str, Any]]) -> list[Drift]:
    """Everything that is watched, missions first.

    Args:
        lake: read up to the week.
        week: the week.
        models: the model in service; the reference are the weeks up to its own.
        profile: the week's rows of mission_profiles.
    """
    columns = list(dict.fromkeys(column for column, _ in _WATCHED.values()))
    now = lake.read("staged_baskets", [week], columns)
    then = lake.read("staged_baskets", reference_weeks(lake, week, models), columns)
    found = [_missions(profile)]
    for name, (column, level) in _WATCHED.items():
        found.append(drift(name, *(_counted(rows[column], level) for rows in (now, then))))
    return [*found, _lists(lake, week, models)]


def reference_weeks(lake: Lake, week: date, models: Models) -> list[date]:
    """The last weeks that the model in service learned from, or those before the week without one; never the week itself."""
    newest = models.champion.week if models.champion else week
    return [other for other in lake.weeks("staged_baskets") if other <= newest and other < week][-REFERENCE_WEEKS:]


def _counted(values: pa.ChunkedArray, level: Callable[[Any], str]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for entry in values.value_counts().to_pylist():
        counted[_UNKNOWN if entry["values"] is None else level(entry["values"])] += entry["counts"]
    return dict(counted)


def _missions(profile: Sequence[Mapping[str, Any]]) -> Drift:
    """As the profiles have it: against the weeks up to the mission model's, as many as `training_weeks` says."""
    index, chance = (next((row["value"] for row in profile if row["name"] == name), None) for name in _INDEX)
    then = {row["mission"]: row["value"] for row in profile if row["name"] == "training_share"}
    counts = {row["mission"]: row["baskets"] for row in profile if row["name"] == "share_of_baskets"}
    total = max(sum(counts.get(mission, 0) for mission in then), 1)
    shares = [(mission, share, counts.get(mission, 0) / total) for mission, share in then.items()]
    moved = max(shares, key=lambda share: (abs(share[2] - share[1]), share[0]), default=None)
    return Drift("mission", index, moved if index is not None else None, chance or 0.0)


def _lists(lake: Lake, week: date, models: Models) -> Drift:
    """The probabilities of the lists' first items against the first lists that the model in service made."""
    if models.champion is None:
        return Drift("first probability", None, None)
    version, since = models.champion.version, models.champion.week
    before = [other for other in lake.weeks("next_basket_scores") if since <= other < week][:REFERENCE_WEEKS]
    now, then = (_counted(first_probabilities(lake, weeks, version), _tenth) for weeks in ([week], before))
    return drift("first probability", now, then)


def _tenth(probability: float) -> str:
    low = min(int(probability * 10), 9)
    return f"{low * 10} to {low * 10 + 10} %"


def _hours(hour: int) -> str:
    return f"{hour // 4 * 4}-{hour // 4 * 4 + 4} o'clock"


_WATCHED: dict[str, tuple[str, Callable[[Any], str]]] = {
    "basket size": ("basket_size", str),
    "basket type": ("basket_type", str),
    "dominant mission": ("basket_dominant_mission", str),
    "lifestage": ("lifestage", str),
    "price sensitivity": ("price_sensitivity", str),
    "store format": ("store_format", str),
    "weekday": ("date", lambda day: _WEEKDAYS[day.weekday()]),
    "hour": ("hour", _hours),
}
