"""The code location. The only reader of the environment: its settings choose the resources, here or on EMR."""

import gc
import os
import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

# What Dagster loaded stays for good. A collector that looks through it again, again and once more at the exit costs a
# fifth of what it costs to load (benchmarks/README.md, row 8).
gc.freeze()
warnings.filterwarnings("ignore", category=dg.BetaWarning)  # single-run backfills are beta, and what we want
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from nextbasket_assets.assets import (  # noqa: E402  (after the filters)
    baskets,
    missions,
    next_basket,
    profiles,
    score_exports,
    scores,
    weekly_report,
)
from nextbasket_assets.operations.checks import CHECKS  # noqa: E402
from nextbasket_assets.operations.jobs import JOBS  # noqa: E402
from nextbasket_assets.operations.mission_checks import MISSION_CHECKS  # noqa: E402
from nextbasket_assets.operations.reaper import cluster_reaper  # noqa: E402
from nextbasket_assets.operations.sensors import landing_sensor  # noqa: E402
from nextbasket_assets.partitions import weekly  # noqa: E402
from nextbasket_assets.resources.emr.spark import EmrSparkResource  # noqa: E402
from nextbasket_assets.resources.lake import LakeResource  # noqa: E402
from nextbasket_assets.resources.landing import LandingResource  # noqa: E402
from nextbasket_assets.resources.spark import LocalSparkResource, SparkResource  # noqa: E402
from nextbasket_assets.settings.emr import tell_boto3  # noqa: E402
from nextbasket_assets.settings.reading import Settings, settings  # noqa: E402

tell_boto3(os.environ)


def build_definitions(
    chosen: Settings, loggers: Mapping[str, dg.LoggerDefinition] | None = None, **resources: Any
) -> dg.Definitions:
    """Fresh definitions for these settings; keyword arguments replace resources by name."""
    weeks = weekly(chosen.first_week, chosen.last_week)
    assets = [
        definition.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=weeks))
        for module in (baskets, missions, profiles, next_basket, scores, score_exports, weekly_report)
        for definition in dg.load_assets_from_modules([module])
        if isinstance(definition, dg.AssetsDefinition)
    ]
    return dg.Definitions(
        assets=dg.with_source_code_references(assets),
        asset_checks=[*CHECKS, *MISSION_CHECKS],
        jobs=JOBS,
        loggers=loggers,
        sensors=[landing_sensor(weeks), *([cluster_reaper(chosen.lake)] if chosen.emr else [])],
        executor=dg.in_process_executor,  # one process per run: one Spark session, and resources live as long as the run
        resources={
            "landing": LandingResource(uri=chosen.landing, pseudonym_key=chosen.pseudonym_key),
            "lake": LakeResource(root=chosen.lake, kms_key=chosen.kms_key),
            "spark": _spark(chosen),
            **resources,
        },
    )


def _spark(chosen: Settings) -> SparkResource:
    if chosen.emr:
        return EmrSparkResource(settings=chosen.emr, lake=chosen.lake, score_on_spark=chosen.emr.score_on_spark)
    return LocalSparkResource(driver_memory=chosen.driver_memory)


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions that this machine's environment asks for."""
    return build_definitions(settings(os.environ))
