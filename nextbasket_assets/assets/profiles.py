"""Mission profiles: who goes on which mission, when, where and for what, and what has changed.

Made for every week from the tags it has; what looks back reads weeks before it and no later ones.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pyarrow as pa

from nextbasket_assets.assets.mission_learning import MODEL
from nextbasket_assets.assets.publishing import (
    audited,
    claim_specs,
    picture,
    published,
    run_weeks,
    show,
    staged,
    table_spec,
    versions,
)
from nextbasket_assets.assets.run_config import ProfileConfig
from nextbasket_assets.assets.shop_settings import settled
from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.partitions import LGSR_WEEKS
from nextbasket_assets.report.cards import ALL, UNASSIGNED, cards
from nextbasket_assets.report.mission_plots import lift_bars_png, mission_card_png, shares_png
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.landing import LandingResource, usable_catalogue
from nextbasket_assets.resources.spark import SparkResource, StageReport

TABLE = "mission_profiles"
_PICTURED_WEEKS = 4  # the newest of a long run: a picture takes a second and 60 kB of the event log
_SUMMED_UP = ("overall", "trend", "drift", "agreement")


@dg.multi_asset(
    specs=[
        table_spec(
            TABLE,
            "missions",
            {"spark"},
            "What sets each mission apart in the week: share, size and spend, typical items, index against all baskets = 100 "
            "with 95 % intervals over every attribute, moves between missions, trend, drift from the training window, and "
            "agreement with the retailer's own labels. Anonymous baskets count, but not for customers' attributes.",
            deps=["mission_tagged_baskets", "mission_history", "staged_baskets", "raw_transactions", "mission_model"],
        )
    ],
    check_specs=claim_specs(TABLE),
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def mission_profiles(
    context: dg.AssetExecutionContext,
    config: ProfileConfig,
    spark: SparkResource,
    lake: LakeResource,
    landing: LandingResource,
) -> Iterator[Any]:
    """Profile each week's missions in the terms of the model that tagged it."""
    weeks, tables = run_weeks(context), lake.open()
    catalogue = usable_catalogue(landing.folder(), context.log.warning)
    inputs = versions(tables, "mission_tagged_baskets", "mission_history", "staged_baskets", "raw_transactions")
    with staged(tables, context, TABLE) as folders:
        report = _profile(settled(context, config, landing), spark, tables, folders[TABLE], weeks)
        yield from audited(report, TABLE, weeks)
        result = published(tables, context, TABLE, folders[TABLE], weeks, inputs, report)
    for week in weeks:
        pictured = week in weeks[-_PICTURED_WEEKS:]
        rows = profile_rows(tables, week, None if pictured else _SUMMED_UP)
        show(context, TABLE, week, figures(rows))
        if pictured:
            names = _names(tables, rows)
            drawn = pictures(rows, names, catalogue)
            if week == weeks[-1]:
                drawn |= card_pictures(rows, names, catalogue)
            show(context, TABLE, week, drawn)
    yield result


def _profile(config: ProfileConfig, spark: SparkResource, lake: Lake, folder: str, weeks: list[date]) -> StageReport:
    """One stage run, on the weeks and on what they look back to."""
    reach = timedelta(weeks=config.look_back_weeks)
    held = [other for other in lake.weeks("staged_baskets") if any(week - reach <= other <= week for week in weeks)]
    registry.champion(lake, MODEL, weeks[-1])  # refuses a registry that has lost the models
    tags = lake.batches("mission_tagged_baskets", weeks, ["mission_model"])
    models = model_weeks(lake, {model for file in tags for model in file["mission_model"].unique().to_pylist()})
    return spark.run(
        TABLE,
        {
            "staged_baskets": lake.require("staged_baskets", sorted({*held, *weeks})),
            "raw_transactions": lake.require("raw_transactions", weeks),
            "mission_tagged_baskets": [
                *lake.files("mission_tagged_baskets", set(held) - set(weeks)),
                *lake.require("mission_tagged_baskets", weeks),
            ],
            "mission_history": lake.files("mission_history", models),
        },
        {TABLE: folder},
        weeks=[week.isoformat() for week in weeks],
        **config.model_dump(),
    )


def model_weeks(lake: Lake, versions_: Iterable[str | None]) -> set[date]:
    """The as-of weeks of these versions of the mission model: their histories and identities are kept by week."""
    asked = set(versions_)
    return {decision.week for decision in registry.decisions(lake, MODEL) if decision.version in asked}


def profile_rows(lake: Lake, week: date, sections: Sequence[str] | None = _SUMMED_UP) -> list[dict[str, Any]]:
    """A week's rows of mission_profiles: of these sections, or of all."""
    import pyarrow.compute as pc

    rows = lake.read(TABLE, [week])
    if sections is not None:
        rows = rows.filter(pc.is_in(rows["section"], value_set=pa.array(sections)))
    return [dict(row) for row in rows.to_pylist()]


def figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """A week's numbers with stable names, to be plotted over weeks; those that the week does not have are left out."""
    of_all = {(row["name"], row["level"]): row["value"] for row in rows if row["mission"] == ALL}
    shares = {row["mission"]: row["value"] for row in rows if row["name"] == "share_of_baskets"}
    missions = {mission: share for mission, share in shares.items() if mission not in (ALL, UNASSIGNED)}
    known = {row["mission"] for row in rows} - {ALL, UNASSIGNED}
    changes = [abs(row["value"]) for row in rows if row["name"] == "change" and row["mission"] in known]
    named = {
        "psi": ("psi", ""),
        "psi_by_chance": ("psi_by_chance", ""),
        "nmi": ("nmi", "basket_dominant_mission"),
        "v_measure": ("v_measure", "basket_dominant_mission"),
        "nmi_basket_type": ("nmi", "basket_type"),
        "mean_confidence": ("mean_confidence", ""),
        "share_of_small_baskets": ("share_of_small_baskets", ""),
        "mean_confidence_of_small_baskets": ("mean_confidence_of_small_baskets", ""),
        "mean_confidence_of_larger_baskets": ("mean_confidence_of_larger_baskets", ""),
        "share_without_known_item": ("share_without_known_item", ""),
    }
    found = {name: of_all[key] for name, key in named.items() if key in of_all}
    if missions:
        found |= {"missions": len(known), "largest_mission_share": max(missions.values())}
    if changes:
        found["largest_change_points"] = max(changes)
    return found


def card_pictures(
    rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], catalogue: Catalogue
) -> dict[str, dg.MetadataValue]:
    """A card for every mission, `card_M01` and so on; none without a mission."""
    return {
        f"card_{card.mission}": picture(mission_card_png(card), card.title) for card in cards(rows, names, catalogue)
    }


def pictures(
    rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], catalogue: Catalogue
) -> dict[str, dg.MetadataValue]:
    """Lift bars and shares over the weeks, as the UI shows them; none without a mission."""
    drawn = cards(rows, names, catalogue, bars=3)
    if not drawn:
        return {}
    return {
        "lift_bars": picture(lift_bars_png(drawn), "what sets each mission apart, as an index of the average basket"),
        "shares_over_weeks": picture(
            shares_png(rows, names), "each mission's share of the baskets over the last weeks"
        ),
    }


def mission_names(lake: Lake, week: date) -> dict[str, str]:
    """Mission id to name, of the model that tagged the week; empty where it has no names."""
    return _names(lake, profile_rows(lake, week, ["overall"]))


def _names(lake: Lake, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    versions_ = {row["mission_model"] for row in rows}
    identities = lake.read("mission_identities", model_weeks(lake, versions_)).to_pylist()
    return {row["mission"]: row["name"] for row in identities if row["mission_model"] in versions_}
