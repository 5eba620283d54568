"""Who was scored by what: the lists of the week, the model in service, the challenger and the gate's word."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nextbasket_assets.lake import registry
from nextbasket_assets.lake.registry import Decision
from nextbasket_assets.lake.tables import Lake

MODEL, FALLBACK = "rnn_model", "fallback"
SHOWN_METRICS = (
    *(("recall", 10), ("recall_repeat", 10), ("recall_explore", 10), ("ndcg", 10), ("phr", 10)),
    ("calibration_error", 50),
)


@dataclass(frozen=True)
class Scored:
    """The lists of a week.

    Attributes:
        known: customers known at the end of the week.
        listed: customers with a list.
        fallback: of them, those whose list no model made.
        length: items on the longest list.
        versions: what scored, to customers.
    """

    known: int
    listed: int
    fallback: int
    length: int
    versions: Mapping[str, int]

    @property
    def fallback_share(self) -> float:
        """Of the customers with a list."""
        return self.fallback / max(self.listed, 1)


def scored(lake: Lake, week: date) -> Scored:
    """Who has a list, and who made it."""
    lists = lake.read("next_basket_scores", [week], ["rank", "source", "model_version"])
    first = lists.filter(pc.equal(lists["rank"], 1))
    return Scored(
        known=lake.rows("customer_sequences").get(week, 0),
        listed=first.num_rows,
        fallback=int(pc.sum(pc.equal(first["source"], FALLBACK)).as_py() or 0),
        length=pc.max(lists["rank"]).as_py() or 0,
        versions=dict(Counter(first["model_version"].to_pylist()).most_common()),
    )


def made_by(lake: Lake, week: date) -> frozenset[str]:
    """The models that made a week's lists; none where all are the fallback's."""
    lists = lake.read("next_basket_scores", [week], ["rank", "source", "model_version"])
    modelled = pc.and_(pc.equal(lists["rank"], 1), pc.not_equal(lists["source"], FALLBACK))
    return frozenset(pc.unique(lists.filter(modelled)["model_version"]).to_pylist())


@dataclass(frozen=True)
class Models:
    """The model in service as of a week, and the newest comparison up to it.

    Attributes:
        champion: None when none is promoted.
        age: weeks between the champion's as-of week and this one.
        challenger: the newest decision about the newest model trained up to the week; None before the first.
        evaluation: method to its values in the order of `SHOWN_METRICS`, None for one it lacks; best recall first.
        judged_on: customers of that comparison.
    """

    champion: Decision | None
    age: int | None
    challenger: Decision | None
    evaluation: Mapping[str, Sequence[float | None]]
    judged_on: int


def models(lake: Lake, week: date) -> Models:
    """What the registry and the newest evaluation say as of a week."""
    decided = registry.decisions(lake, MODEL)
    champion = registry.in_force(decided, week)
    rows = _newest_evaluation(lake, week)
    return Models(
        champion=champion,
        age=(week - champion.week).days // 7 if champion else None,
        challenger=registry.judged(decided, week),
        evaluation=_evaluation(rows),
        judged_on=max((row["customers"] for row in rows), default=0),
    )


def _newest_evaluation(lake: Lake, week: date) -> list[dict[str, Any]]:
    held = [other for other in lake.weeks("model_evaluation") if other <= week]
    rows = lake.read("model_evaluation", held[-1:])
    return [dict(row) for row in rows.filter(pc.is_null(rows["decile"])).to_pylist()]


def _evaluation(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[float | None]]:
    values = {(row["method"], row["metric"], row["k"]): row["value"] for row in rows}
    methods = sorted({row["method"] for row in rows}, key=lambda name: (-values.get((name, "recall", 10), 0.0), name))
    return {name: [values.get((name, *shown)) for shown in SHOWN_METRICS] for name in methods}


def first_probabilities(lake: Lake, weeks: Sequence[date], version: str | None = None) -> pa.Array:
    """Probability of every list's first item in these weeks; only of lists by `version` where it is given."""
    lists = lake.read("next_basket_scores", weeks, ["rank", "probability", "model_version"])
    kept = pc.equal(lists["rank"], 1)
    if version is not None:
        kept = pc.and_(kept, pc.equal(lists["model_version"], version))
    return lists.filter(kept)["probability"]
