"""The week's scores as files for other systems: long and wide, parquet and CSV, with a data dictionary and a manifest."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg

from nextbasket_assets.assets.publishing import published, run_weeks, running_runs, staged, table_spec, versions
from nextbasket_assets.assets.run_config import ExportConfig
from nextbasket_assets.exports.settings import ExportSettings
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.partitions import LGSR_WEEKS
from nextbasket_assets.resources.export_settings import export_settings
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_assets.resources.landing import LandingResource, usable_catalogue

TABLE = "score_exports"
NO_LIST_EMPTY = "every_exported_customer_has_an_item"


@dg.multi_asset(
    specs=[
        table_spec(
            TABLE,
            "next_basket",
            {"csv", "parquet"},
            "The week's lists for other systems, below exports/ in the lake: one row per customer and item, and one row per "
            "customer; lengths, item lists and the hold-out are as the landing folder's export.yaml says.",
            deps=["next_basket_scores", "next_trip_outlook"],
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            NO_LIST_EMPTY,
            asset=TABLE,
            description="The allow list and the exclusion list leave every customer at least one item.",
        )
    ],
    partitions_def=LGSR_WEEKS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def score_exports(
    context: dg.AssetExecutionContext, config: ExportConfig, landing: LandingResource, lake: LakeResource
) -> Iterator[Any]:
    """Export each week's lists; the files first, then the manifest, then the table's rows."""
    from nextbasket_assets.lake.exports import stage_rows

    weeks, tables, folder = run_weeks(context), lake.open(), landing.folder()
    settings = export_settings(folder, config.model_dump())
    names = usable_catalogue(folder, context.log.warning).names
    inputs = versions(tables, "next_basket_scores", "next_trip_outlook")
    with staged(tables, context, TABLE) as folders:
        counts = [_export(context, tables, week, names, settings) for week in weeks]
        for week in weeks:
            stage_rows(tables, folders[TABLE], week)
        result = published(tables, context, TABLE, folders[TABLE], weeks, inputs)
    empty = sum(count["lists_empty"] for count in counts)
    yield dg.AssetCheckResult(
        asset_key=TABLE,
        check_name=NO_LIST_EMPTY,
        passed=not empty,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"empty_lists": empty},
    )
    yield result


def _export(
    context: dg.AssetExecutionContext, lake: Lake, week: date, names: Mapping[str, str], settings: ExportSettings
) -> dict[str, int]:
    """Replace a week's export, and report its numbers; what the manifest counts."""
    from nextbasket_assets.lake.exports import export_scores, place, tidy_exports

    tidy_exports(lake, week, running_runs(context))
    manifest = export_scores(lake, week, context.run.run_id, names, settings)
    counts: dict[str, int] = manifest["counts"]
    folder = dg.MetadataValue.path(lake.uri(place(week)))
    numbers = {"folder": folder, **counts, "customers_by_model": manifest["customers_by_model"]}
    context.add_asset_metadata(numbers, asset_key=TABLE, partition_key=week.isoformat())
    return counts
