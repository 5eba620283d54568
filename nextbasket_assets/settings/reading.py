"""`Settings`, and how environment variables become them."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from nextbasket_assets.partitions import LGSR_FIRST_WEEK, LGSR_LAST_WEEK
from nextbasket_assets.resources.emr.settings import EmrSettings
from nextbasket_assets.settings.emr import emr_settings
from nextbasket_assets.settings.places import (
    SettingsError,
    location,
    refuse_cut,
    refuse_key_inside,
    refuse_other_schemes,
    refuse_patterns,
    refuse_shared,
    refuse_unreachable,
    refuse_whole_bucket,
)

PROJECT_FOLDER = ".nextbasket"

SETTINGS = (
    *("DEPLOYMENT", "LANDING", "LAKE", "FIRST_WEEK", "LAST_WEEK", "DRIVER_MEMORY", "KMS_KEY", "PSEUDONYM_KEY"),
    "IMAGE",  # of deploy/, which hands on all it was given
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the platform works, read from the environment.

    Attributes:
        deployment: `local` or `emr` (NEXTBASKET_DEPLOYMENT).
        landing: folder or s3:// prefix where weekly files arrive (NEXTBASKET_LANDING).
        lake: folder or s3:// prefix of the tables and models (NEXTBASKET_LAKE).
        first_week: Monday of the first partition (NEXTBASKET_FIRST_WEEK).
        dagster_home: folder of Dagster's own storage for the local commands (DAGSTER_HOME).
        last_week: Monday of the last partition; None, an open end, for a live retailer (NEXTBASKET_LAST_WEEK, `open`).
        driver_memory: heap of the local Spark's JVM (NEXTBASKET_DRIVER_MEMORY).
        kms_key: key that encrypts what is written to S3; None, the bucket's default (NEXTBASKET_KMS_KEY).
        pseudonym_key: file or s3:// object with the key that hides customer codes; None, plain codes
            (NEXTBASKET_PSEUDONYM_KEY).
        emr: all about EMR; None locally (NEXTBASKET_EMR_*).
    """

    deployment: str
    landing: str
    lake: str
    dagster_home: str
    first_week: date = LGSR_FIRST_WEEK
    last_week: date | None = LGSR_LAST_WEEK
    driver_memory: str = "3g"
    kms_key: str | None = None
    pseudonym_key: str | None = None
    emr: EmrSettings | None = None


def settings(environment: Mapping[str, str]) -> Settings:
    """The settings that these environment variables ask for, with defaults inside the project folder.

    A variable that is blank, as a settings.env leaves them, is one that is not set.

    Raises:
        SettingsError: an unknown deployment, a date that is none, or a place that the deployment cannot reach.
    """
    _refuse_unknown(environment)
    environment = {name: value for name, value in environment.items() if value.strip()}
    deployment = environment.get("NEXTBASKET_DEPLOYMENT", "local")
    if deployment not in ("local", "emr"):
        raise SettingsError(
            f"NEXTBASKET_DEPLOYMENT is {deployment!r}: there is no such deployment. Choose 'local' or 'emr'."
        )
    last = environment.get("NEXTBASKET_LAST_WEEK", LGSR_LAST_WEEK.isoformat())
    landing = environment.get("NEXTBASKET_LANDING", f"{PROJECT_FOLDER}/demo/landing")
    # A lake for each name of a landing folder: shops of two names never mix, whatever the order in which they are tried.
    shop = Path(landing).resolve().name if "NEXTBASKET_LANDING" in environment else "demo"
    lake = location(environment.get("NEXTBASKET_LAKE", f"{PROJECT_FOLDER}/{shop}/lake"))
    chosen = Settings(
        deployment=deployment,
        landing=location(landing),
        lake=lake,
        dagster_home=location(environment.get("DAGSTER_HOME", f"{PROJECT_FOLDER}/{shop}/dagster")),
        first_week=_monday("NEXTBASKET_FIRST_WEEK", environment.get("NEXTBASKET_FIRST_WEEK", str(LGSR_FIRST_WEEK))),
        last_week=None if last == "open" else _monday("NEXTBASKET_LAST_WEEK", last),
        driver_memory=_memory(environment.get("NEXTBASKET_DRIVER_MEMORY", "3g")),
        kms_key=environment.get("NEXTBASKET_KMS_KEY"),
        pseudonym_key=location(environment["NEXTBASKET_PSEUDONYM_KEY"])
        if "NEXTBASKET_PSEUDONYM_KEY" in environment
        else None,
        emr=emr_settings(environment, lake) if deployment == "emr" else None,
    )
    _refuse_places(chosen)
    return chosen


def _refuse_places(chosen: Settings) -> None:
    """Whatever one of the places cannot be, alone or beside the others."""
    places = {"NEXTBASKET_LANDING": chosen.landing, "NEXTBASKET_LAKE": chosen.lake}
    key = {"NEXTBASKET_PSEUDONYM_KEY": chosen.pseudonym_key} if chosen.pseudonym_key else {}
    work = {"NEXTBASKET_EMR_WORK": chosen.emr.work} if chosen.emr else {}
    refuse_other_schemes(places | key)
    refuse_unreachable(chosen.deployment, places | key)
    refuse_whole_bucket(chosen.lake)
    for name, place in places.items():
        refuse_patterns(name, place)
    for name, place in (key | work).items():
        refuse_cut(name, place)
    refuse_shared(places | work)
    refuse_key_inside(chosen.pseudonym_key, places)


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    """A misspelt setting is no setting: a key that nobody reads would leave customer codes plain."""
    known = {*SETTINGS, *(f"EMR_{field.upper()}" for field in EmrSettings.model_fields)}
    for name in sorted(environment):
        if name.startswith("NEXTBASKET_") and name.removeprefix("NEXTBASKET_") not in known:
            near = difflib.get_close_matches(name, [f"NEXTBASKET_{one}" for one in known], n=1)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{name}: there is no such setting.{meant} See docs/deploy.md for the ones there are.")


def _memory(text: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]*[mg]", text):
        raise SettingsError(f"NEXTBASKET_DRIVER_MEMORY is {text!r}: expected a size such as 3g or 1500m.")
    return text


def _monday(name: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{name} is {text!r}: expected a Monday as YYYY-MM-DD.") from error
    if found.weekday() != 0:
        raise SettingsError(f"{name} is {found}, which is not a Monday. Name the week by its first day.")
    return found
