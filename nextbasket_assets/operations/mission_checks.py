"""What a week's mission profiles should show. None blocks: a week may differ from the rest, but not without being said."""

from datetime import date

import dagster as dg

from nextbasket_assets.assets.profiles import TABLE, figures, profile_rows
from nextbasket_assets.limits import MOST_DRIFT
from nextbasket_assets.operations.checks import Figures, judged, weeks_of_run
from nextbasket_assets.resources.lake import LakeResource

LARGEST_SHARE = 0.6


@dg.asset_check(asset=TABLE, name="mission_shares_are_like_in_training")
def shares_are_like_in_training(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    """The population stability index of the missions' shares against the training window is below 0.25, or not beyond chance.

    A few baskets on many missions reach 0.25 without any change: `psi_by_chance` is what they stay below in 95 % of the weeks.
    """
    found = _figures(context, lake)
    limit = f"{MOST_DRIFT}, and psi_by_chance"
    return judged(found, "psi", lambda week: week["psi"] >= max(MOST_DRIFT, week.get("psi_by_chance", 0.0)), limit)


@dg.asset_check(asset=TABLE, name="no_mission_has_most_baskets")
def no_mission_has_most_baskets(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    """No mission of several has more than 60 % of the baskets: one that does names no purpose, it is shopping as such.

    A week of a single mission passes: `missions_foretell_baskets_of_held_out_customers` has said so of its model.
    """
    found = _of_several(_figures(context, lake))
    return judged(
        found, "largest_mission_share", lambda week: week["largest_mission_share"] > LARGEST_SHARE, LARGEST_SHARE
    )


@dg.asset_check(asset=TABLE, name="small_baskets_have_lower_confidence")
def small_baskets_have_lower_confidence(
    context: dg.AssetCheckExecutionContext, lake: LakeResource
) -> dg.AssetCheckResult:
    """Baskets with one or two known items are tagged with less confidence on average than the others.

    A week of a single mission passes: every basket is on it for certain.
    """
    found = _of_several(_figures(context, lake))
    small, larger = "mean_confidence_of_small_baskets", "mean_confidence_of_larger_baskets"
    both = {week: numbers for week, numbers in found.items() if larger in numbers}
    return judged(both, small, lambda week: week[small] >= week[larger], larger)


def _of_several(found: dict[date, Figures]) -> dict[date, Figures]:
    """The weeks without those of a single mission."""
    return {week: numbers for week, numbers in found.items() if numbers.get("missions") != 1}


def _figures(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dict[date, Figures]:
    opened = lake.open()
    return {week: figures(profile_rows(opened, week)) for week in weeks_of_run(context, opened, TABLE)}


MISSION_CHECKS = [shares_are_like_in_training, no_mission_has_most_baskets, small_baskets_have_lower_confidence]
