"""Checks on published tables: they warn, and some ask for a new model. What must stop a week runs before it is published."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pyarrow as pa

from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import week_code
from nextbasket_assets.limits import MOST_FALLBACK, MOST_UNASSIGNED
from nextbasket_assets.partitions import weeks_of_tags
from nextbasket_assets.resources.lake import LakeResource

Figures = Mapping[str, float]


def weeks_of_run(context: dg.AssetCheckExecutionContext, lake: Lake, table: str) -> list[date]:
    """The weeks of the run that the check belongs to; the table's newest week when it is executed by itself."""
    return weeks_of_tags(context.run.tags) or lake.weeks(table)[-1:]


def judged(
    found: Mapping[date, Figures], name: str, breaks: Callable[[Figures], bool], limit: float | str
) -> dg.AssetCheckResult:
    """A warning that names the weeks whose figure breaks the claim; weeks without the figure cannot."""
    weeks: Sequence[date] = [week for week, numbers in found.items() if name in numbers]
    broken = [week for week in weeks if breaks(found[week])]
    shown: dict[str, Any] = {"limit": limit, "broken_weeks": ", ".join(map(str, broken)) or "none", "weeks": len(weeks)}
    if weeks:
        shown[name] = found[weeks[-1]][name]
    return _warn(not broken, shown)


@dg.asset_check(asset="customer_sequences", name="no_week_of_the_history_is_missing")
def history_is_complete(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    """Every week between the first and the last one in the lake is there; a gap is no error, but it is said."""
    opened = lake.open()
    last = max(weeks_of_run(context, opened, "customer_sequences"), default=date.min)
    held = [week for week in opened.weeks("staged_baskets") if week <= last]
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
    return _judged_shares(context, lake.open(), "mission_tagged_baskets", unassigned_share, MOST_UNASSIGNED)


def unassigned_share(lake: Lake, week: date) -> float | None:
    """Share of the week's baskets without a mission; None when there was no model or no basket."""
    import pyarrow.compute as pc

    tags = lake.read("mission_tagged_baskets", [week], ["mission_model", "mission"])
    return _share(tags.filter(pc.is_valid(tags["mission_model"]))["mission"], "unassigned")


@dg.asset_check(asset="next_basket_scores", name="most_customers_are_scored_by_the_model")
def most_customers_are_scored_by_the_model(
    context: dg.AssetCheckExecutionContext, lake: LakeResource
) -> dg.AssetCheckResult:
    """At most half of the customers get the fallback's list."""
    return _judged_shares(context, lake.open(), "next_basket_scores", fallback_share, MOST_FALLBACK)


def fallback_share(lake: Lake, week: date) -> float | None:
    """Share of the week's customers whose list is the fallback's; None when there is no customer."""
    import pyarrow.compute as pc

    lists = lake.read("next_basket_scores", [week], ["rank", "source"])
    return _share(lists.filter(pc.equal(lists["rank"], 1))["source"], "fallback")


def _judged_shares(
    context: dg.AssetCheckExecutionContext,
    lake: Lake,
    table: str,
    share: Callable[[Lake, date], float | None],
    most: float,
) -> dg.AssetCheckResult:
    """Whether the share is at most so much in every week of the run."""
    name = share.__name__
    found = {week: share(lake, week) for week in weeks_of_run(context, lake, table)}
    figures = {week: {name: value} for week, value in found.items() if value is not None}
    return judged(figures, name, lambda week: week[name] > most, most)


def _share(column: pa.ChunkedArray, value: str) -> float | None:
    """Share of the rows that hold the value; None without rows."""
    import pyarrow.compute as pc

    share = pc.mean(pc.cast(pc.equal(column, value), "float64")).as_py()
    return None if share is None else float(share)


def _warn(passed: bool, metadata: dict[str, Any]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)


CHECKS = [history_is_complete, most_baskets_have_a_mission, most_customers_are_scored_by_the_model]
RETRAINING_CHECKS = [
    dg.AssetCheckKey(dg.AssetKey("mission_tagged_baskets"), "most_baskets_have_a_mission"),
    dg.AssetCheckKey(dg.AssetKey("next_basket_scores"), "most_customers_are_scored_by_the_model"),
]
