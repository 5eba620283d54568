"""The code location. The only reader of the environment: it maps one word, `local`, and a few paths to resources."""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

warnings.filterwarnings("ignore", category=dg.BetaWarning)  # single-run backfills are beta, and what we want
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from nextbasket_assets.assets import baskets, missions, next_basket, scores  # noqa: E402  (after the filters)
from nextbasket_assets.operations.checks import CHECKS  # noqa: E402
from nextbasket_assets.operations.jobs import JOBS  # noqa: E402
from nextbasket_assets.operations.retraining import RetrainingPolicy  # noqa: E402
from nextbasket_assets.operations.sensors import landing_sensor  # noqa: E402
from nextbasket_assets.partitions import LGSR_FIRST_WEEK, LGSR_LAST_WEEK, weekly  # noqa: E402
from nextbasket_assets.resources.lake import LakeResource  # noqa: E402
from nextbasket_assets.resources.landing import LandingResource  # noqa: E402
from nextbasket_assets.resources.spark import SparkResource  # noqa: E402

PROJECT_FOLDER = ".nextbasket"


class SettingsError(Exception):
    """The environment asks for something that does not exist; the message says what there is."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the platform works, read from the environment.

    Attributes:
        deployment: `local`.
        landing: folder or s3:// prefix where weekly files arrive (NEXTBASKET_LANDING).
        lake: folder or s3:// prefix of the tables and models (NEXTBASKET_LAKE).
        first_week: Monday of the first partition (NEXTBASKET_FIRST_WEEK).
        dagster_home: folder of Dagster's own storage for the local commands (DAGSTER_HOME).
        last_week: Monday of the last partition; None, an open end, for a live retailer (NEXTBASKET_LAST_WEEK, `open`).
        driver_memory: heap of Spark's JVM (NEXTBASKET_DRIVER_MEMORY).
    """

    deployment: str
    landing: str
    lake: str
    dagster_home: str
    first_week: date = LGSR_FIRST_WEEK
    last_week: date | None = LGSR_LAST_WEEK
    driver_memory: str = "3g"


def settings(environment: Mapping[str, str]) -> Settings:
    """The settings that these environment variables ask for, with defaults inside the project folder.

    Raises:
        SettingsError: an unknown deployment or a date that is none.
    """
    deployment = environment.get("NEXTBASKET_DEPLOYMENT", "local")
    if deployment != "local":
        raise SettingsError(f"NEXTBASKET_DEPLOYMENT is {deployment!r}: the only deployment there is is 'local'.")
    last = environment.get("NEXTBASKET_LAST_WEEK", LGSR_LAST_WEEK.isoformat())
    landing = environment.get("NEXTBASKET_LANDING", f"{PROJECT_FOLDER}/demo/landing")
    # One landing folder, one lake: two shops never mix, whatever the order in which they are tried.
    shop = Path(landing).resolve().name if "NEXTBASKET_LANDING" in environment else "demo"
    return Settings(
        deployment=deployment,
        landing=_location(landing),
        lake=_location(environment.get("NEXTBASKET_LAKE", f"{PROJECT_FOLDER}/{shop}/lake")),
        dagster_home=_location(environment.get("DAGSTER_HOME", f"{PROJECT_FOLDER}/{shop}/dagster")),
        first_week=_monday("NEXTBASKET_FIRST_WEEK", environment.get("NEXTBASKET_FIRST_WEEK", str(LGSR_FIRST_WEEK))),
        last_week=None if last == "open" else _monday("NEXTBASKET_LAST_WEEK", last),
        driver_memory=environment.get("NEXTBASKET_DRIVER_MEMORY", "3g"),
    )


def build_definitions(
    chosen: Settings, loggers: Mapping[str, dg.LoggerDefinition] | None = None, **resources: Any
) -> dg.Definitions:
    """Fresh definitions for these settings; keyword arguments replace resources by name."""
    weeks = weekly(chosen.first_week, chosen.last_week)
    assets = [
        definition.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=weeks))
        for module in (baskets, missions, next_basket, scores)
        for definition in dg.load_assets_from_modules([module])
        if isinstance(definition, dg.AssetsDefinition)
    ]
    return dg.Definitions(
        assets=assets,
        asset_checks=CHECKS,
        jobs=JOBS,
        loggers=loggers,
        sensors=[landing_sensor(weeks, RetrainingPolicy())],
        executor=dg.in_process_executor,  # one process per run: one Spark session, and resources live as long as the run
        resources={
            "landing": LandingResource(uri=chosen.landing),
            "lake": LakeResource(root=chosen.lake),
            "spark": SparkResource(driver_memory=chosen.driver_memory),
            **resources,
        },
    )


def _location(place: str) -> str:
    return place if "://" in place else str(Path(place).resolve())


def _monday(name: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{name} is {text!r}: expected a Monday as YYYY-MM-DD.") from error
    if found.weekday() != 0:
        raise SettingsError(f"{name} is {found}, which is not a Monday: a retail week is named by its first day.")
    return found


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions that this machine's environment asks for."""
    return build_definitions(settings(os.environ))
