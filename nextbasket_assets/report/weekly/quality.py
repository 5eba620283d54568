"""How good the lists of the last weeks were: one number per week, in all, for repeats, for what was new, and by segment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from typing import Any

import numpy as np
import pyarrow as pa

from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.report.weekly.judging import judged_week, within_week
from nextbasket_assets.report.weekly.scored import made_by

JUDGED_WEEKS = 6
THIN, HEAVY = 5, 25  # baskets before the list: thin below the one, heavy from the other on
_Z = 1.96
_BINS = 10


@dataclass(frozen=True)
class Quality:
    """Lists against the first basket of the week after; means over customers, 0 over nobody.

    Over several weeks a customer is still one observation, the mean of their weeks: the weeks of one customer are alike,
    and an interval that took them for different people would be too narrow.

    Attributes:
        customers: with a list who came, each once however often they came.
        recall: share of the basket's items that were on the list. chance: half of its 95 % interval.
        hit_rate: share of customers with at least one item on it; over several weeks, of each one's weeks.
        repeat, explore: recall of the items that the customer had bought before, and of those they had not.
        usual: recall of the customer's own most-bought items, as many as are judged.
        ahead: recall minus usual, with its 95 % interval.
    """

    customers: int
    recall: float
    chance: float
    hit_rate: float
    repeat: float
    explore: float
    usual: float
    ahead: tuple[float, float, float]


@dataclass(frozen=True)
class Calibration:
    """What P(bought within 7 days) said and what came of it, in tenths of the pairs by rising probability."""

    said: Sequence[float]
    happened: Sequence[float]
    pairs: Sequence[int]

    @property
    def error(self) -> float:
        """Mean distance between said and happened, weighted by pairs."""
        gaps = (abs(s - h) * n for s, h, n in zip(self.said, self.happened, self.pairs, strict=True))
        return sum(gaps) / max(sum(self.pairs), 1)


@dataclass(frozen=True)
class JudgedWeek:
    """The lists of one week, judged by the week after it; `versions` are the models that made them."""

    week: date
    versions: frozenset[str]
    quality: Quality
    calibration: Calibration
    rows: pa.Table


def quality(rows: pa.Table) -> Quality:
    """The means over the customers in rows of `judging.judge`, of one week or of several."""
    counts = {name: rows[name].to_numpy().astype(float) for name in rows.schema.names if name in _COUNTS}
    person = rows["customer"].combine_chunks().dictionary_encode().indices.to_numpy()
    recall, usual = (_shares(counts[name], counts["items"], person) for name in ("hits", "usual_hits"))
    mean, half = _mean(recall - usual), _half(recall - usual)
    return Quality(
        customers=len(np.unique(person)),
        recall=_mean(recall),
        chance=_half(recall),
        hit_rate=_mean(_person_means((counts["hits"] > 0).astype(float), person)),
        repeat=_mean(_shares(counts["repeat_hits"], counts["repeats"], person)),
        explore=_mean(_shares(counts["explore_hits"], counts["explored"], person)),
        usual=_mean(usual),
        ahead=(mean, mean - half, mean + half),
    )


_COUNTS = {"items", "hits", "repeats", "repeat_hits", "explored", "explore_hits", "usual_hits"}


def _shares(part: np.ndarray, whole: np.ndarray, person: np.ndarray) -> np.ndarray:
    """One share for each customer that has a whole: the mean over their rows with one."""
    has = whole > 0
    return _person_means(part[has] / whole[has], person[has])


def _person_means(values: np.ndarray, person: np.ndarray) -> np.ndarray:
    """One mean for each customer with a value, in the order of their numbers."""
    rows = np.bincount(person)
    means: np.ndarray = np.bincount(person, values)[rows > 0] / rows[rows > 0]
    return means


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _half(values: np.ndarray) -> float:
    """Half of a mean's 95 % interval; all there is when one customer or none says nothing about it."""
    return _Z * float(values.std(ddof=1)) / sqrt(len(values)) if len(values) > 1 else 1.0


def calibration(said: pa.ChunkedArray, happened: pa.ChunkedArray) -> Calibration:
    """Bins of equal numbers of pairs; no more bins than pairs."""
    probability, outcome = said.to_numpy().astype(float), happened.to_numpy()
    order = np.argsort(probability, kind="stable")
    bins = [part for part in np.array_split(order, _BINS) if len(part)]
    means = ([float(values[part].mean()) for part in bins] for values in (probability, outcome))
    return Calibration(next(means), next(means), [len(part) for part in bins])


def judged_weeks(lake: Lake, week: date, most: int = JUDGED_WEEKS) -> list[JudgedWeek]:
    """The lists of the last weeks whose week after is `week` or earlier, oldest first."""
    held = set(lake.weeks("staged_baskets"))
    after = timedelta(weeks=1)
    known = [one for one in lake.weeks("next_basket_scores") if one + after <= week and one + after in held]
    return [judged(lake, one) for one in known[-most:]]


def judged(lake: Lake, week: date) -> JudgedWeek:
    """The lists of one week, judged by the week after it, which must be in the lake."""
    rows = judged_week(lake, week)
    return JudgedWeek(week, made_by(lake, week), quality(rows), calibration(*within_week(lake, week)), rows)


@dataclass(frozen=True)
class Segment:
    """The quality of the lists for some of the customers."""

    name: str
    level: str
    quality: Quality


def segments(rows: pa.Table) -> list[Segment]:
    """The quality by history, lifestage, price sensitivity and store format, over rows of `judging.judged_week`, of any weeks."""
    found = []
    everyone = rows.to_pylist()
    for name, level_of in _SEGMENTS.items():
        levels = np.array([level_of(row) for row in everyone], dtype=object)
        for level in sorted(set(levels), key=lambda level: (_ORDER.get(level, 0), level)):
            found.append(Segment(name, level, quality(rows.filter(pa.array(levels == level)))))
    return found


def thickness(baskets: int) -> str:
    """A customer's segment by the baskets known before the list."""
    return "thin" if baskets < THIN else "medium" if baskets < HEAVY else "heavy"


def _label(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: row[name] or "unknown"


_SEGMENTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "history": lambda row: thickness(row["baskets_seen"]),
    "lifestage": _label("lifestage"),
    "price sensitivity": _label("price_sensitivity"),
    "store format": _label("store_format"),
}
_ORDER = {"thin": 1, "medium": 2, "heavy": 3, "SS": 1, "MS": 2, "LS": 3, "XLS": 4, "unknown": 9}
