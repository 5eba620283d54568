"""What a week's mission profiles should show. None blocks: a week may differ from the rest, but not without being said."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from nextbasket_assets.assets.profiles import figures, profile_rows
from nextbasket_assets.limits import MOST_DRIFT
from nextbasket_assets.operations.checks import weeks_of_run
from nextbasket_assets.resources.lake import LakeResource

LARGEST_SHARE = 0.6

Figures = Mapping[str, float]


@dg.asset_check(asset="mission_profiles", name="mission_shares_are_like_in_training")
def shares_are_like_in_training(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    """The population stability index of the missions' shares against the training window is below 0.25."""
    found = _figures(context, lake)
    return judged(found, "psi", lambda week: week["psi"] >= MOST_DRIFT, MOST_DRIFT)


@dg.asset_check(asset="mission_profiles", name="no_mission_has_most_baskets")
def no_mission_has_most_baskets(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    """No mission has more than 60 % of the baskets: one that does names no purpose, it is shopping as such."""
    found = _figures(context, lake)
    return judged(
        found, "largest_mission_share", lambda week: week["largest_mission_share"] > LARGEST_SHARE, LARGEST_SHARE
    )


@dg.asset_check(asset="mission_profiles", name="small_baskets_have_lower_confidence")
def small_baskets_have_lower_confidence(
    context: dg.AssetCheckExecutionContext, lake: LakeResource
) -> dg.AssetCheckResult:
    """Baskets with one or two known items are tagged with less confidence on average than the others."""
    found = _figures(context, lake)
    small, larger = "mean_confidence_of_small_baskets", "mean_confidence_of_larger_baskets"
    both = {week: numbers for week, numbers in found.items() if larger in numbers}
    return judged(both, small, lambda week: week[small] >= week[larger], larger)


def judged(
    found: Mapping[date, Figures], name: str, breaks: Callable[[Figures], bool], limit: float | str
) -> dg.AssetCheckResult:
    """A warning that names the weeks whose figure breaks the claim; weeks without the figure cannot."""
    weeks: Sequence[date] = [week for week, numbers in found.items() if name in numbers]
    broken = [week for week in weeks if breaks(found[week])]
    shown: dict[str, Any] = {"limit": limit, "broken_weeks": ", ".join(map(str, broken)) or "none", "weeks": len(weeks)}
    if weeks:
        shown[name] = found[weeks[-1]][name]
    return dg.AssetCheckResult(passed=not broken, severity=dg.AssetCheckSeverity.WARN, metadata=shown)


def _figures(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dict[date, Figures]:
    opened = lake.open()
    return {week: figures(profile_rows(opened, week)) for week in weeks_of_run(context)}


MISSION_CHECKS = [shares_are_like_in_training, no_mission_has_most_baskets, small_baskets_have_lower_confidence]
