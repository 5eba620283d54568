"""Checks on published tables: they warn, and some ask for a new model. What must stop a week runs before it is published."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg

from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import week_code
from nextbasket_assets.limits import MOST_FALLBACK, MOST_UNASSIGNED
from nextbasket_assets.partitions import weeks_of
from nextbasket_assets.resources.lake import LakeResource


def weeks_of_run(context: dg.AssetCheckExecutionContext) -> list[date]:
    """The weeks of the run that the check belongs to: its partition, or every partition of its range."""
    tags = context.run.tags
    if "dagster/partition" in tags:
        return weeks_of([tags["dagster/partition"]])
    first, last = (date.fromisoformat(tags[f"dagster/asset_partition_range_{end}"]) for end in ("start", "end"))
    return [first + timedelta(weeks=step) for step in range((last - first).days // 7 + 1)]


@dg.asset_check(asset="customer_sequences", name="no_week_of_the_history_is_missing")
def history_is_complete(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    """Every week between the first and the last one in the lake is there; a gap is no error, but it is said."""
    held = lake.open().weeks("staged_baskets")
    held = [week for week in held if week <= max(weeks_of_run(context))]
    missing = missing_weeks(held)
    return _warn(not missing, {"missing_weeks": ", ".join(missing) or "none", "history_weeks": len(held)})


def missing_weeks(held: Sequence[date]) -> list[str]:
    """Retail weeks that are absent between the first and the last one held."""
    if not held:
        return []
    span = (max(held) - min(held)).days // 7
    every = (min(held) + timedelta(weeks=step) for step in range(span + 1))
    return [week_code(week) for week in every if week not in held]


@dg.asset_check(asset="mission_tagged_baskets", name="most_baskets_have_a_mission")
def most_baskets_have_a_mission(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    """At most a fifth of the baskets with a model in force are unassigned; more says that the assortment moved on."""
    share = unassigned_share(lake.open(), weeks_of_run(context)[-1])
    return _warn(share is None or share <= MOST_UNASSIGNED, {"unassigned_share": share, "limit": MOST_UNASSIGNED})


def unassigned_share(lake: Lake, week: date) -> float | None:
    """Share of the week's baskets without a mission; None when there was no model or no basket."""
    import pyarrow.compute as pc

    tags = lake.read("mission_tagged_baskets", [week])
    tagged = tags.filter(pc.is_valid(tags["mission_model"]))
    if not tagged.num_rows:
        return None
    return float(pc.mean(pc.cast(pc.equal(tagged["mission"], "unassigned"), "float64")).as_py())


@dg.asset_check(asset="next_basket_scores", name="most_customers_are_scored_by_the_model")
def most_customers_are_scored_by_the_model(
    context: dg.AssetCheckExecutionContext, lake: LakeResource
) -> dg.AssetCheckResult:
    """At most half of the customers get the fallback's list."""
    import pyarrow.compute as pc

    scores = lake.open().read("next_basket_scores", weeks_of_run(context)[-1:])
    first = scores.filter(pc.equal(scores["rank"], 1))
    share = pc.mean(pc.cast(pc.equal(first["source"], "fallback"), "float64")).as_py()
    return _warn(share is None or share <= MOST_FALLBACK, {"fallback_share": share, "limit": MOST_FALLBACK})


def _warn(passed: bool, metadata: dict[str, Any]) -> dg.AssetCheckResult:
    shown = {name: value for name, value in metadata.items() if value is not None}
    return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=shown)


CHECKS = [history_is_complete, most_baskets_have_a_mission, most_customers_are_scored_by_the_model]
RETRAINING_CHECKS = [
    dg.AssetCheckKey(dg.AssetKey("mission_tagged_baskets"), "most_baskets_have_a_mission"),
    dg.AssetCheckKey(dg.AssetKey("next_basket_scores"), "most_customers_are_scored_by_the_model"),
]
