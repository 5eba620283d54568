"""The code location. The only reader of the environment: it maps one word, `local` or `emr`, and a few paths to resources."""

import difflib
import gc
import os
import re
import warnings
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import ValidationError

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
from nextbasket_assets.errors import BAD_INPUT, NextbasketError  # noqa: E402
from nextbasket_assets.operations.checks import CHECKS  # noqa: E402
from nextbasket_assets.operations.jobs import JOBS  # noqa: E402
from nextbasket_assets.operations.mission_checks import MISSION_CHECKS  # noqa: E402
from nextbasket_assets.operations.reaper import cluster_reaper  # noqa: E402
from nextbasket_assets.operations.retraining import RetrainingPolicy  # noqa: E402
from nextbasket_assets.operations.sensors import landing_sensor  # noqa: E402
from nextbasket_assets.partitions import LGSR_FIRST_WEEK, LGSR_LAST_WEEK, weekly  # noqa: E402
from nextbasket_assets.resources.emr.settings import EmrSettings  # noqa: E402
from nextbasket_assets.resources.emr.spark import EmrSparkResource  # noqa: E402
from nextbasket_assets.resources.lake import LakeResource  # noqa: E402
from nextbasket_assets.resources.landing import LandingResource  # noqa: E402
from nextbasket_assets.resources.spark import LocalSparkResource, SparkResource  # noqa: E402

PROJECT_FOLDER = ".nextbasket"


SETTINGS = (
    *("DEPLOYMENT", "LANDING", "LAKE", "FIRST_WEEK", "LAST_WEEK", "DRIVER_MEMORY", "KMS_KEY", "PSEUDONYM_KEY"),
    "IMAGE",  # of deploy/, which hands on all it was given
)
_PATTERNS = frozenset("*?[]{}%\\")  # characters of a path
_ENDS_A_URI = frozenset("?#")  # what follows them is no part of an object's key
_REGIONS = ("NEXTBASKET_EMR_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")


class SettingsError(NextbasketError):
    """The environment asks for something that does not exist; the message says what there is."""

    exit_code = BAD_INPUT


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
    lake = _location(environment.get("NEXTBASKET_LAKE", f"{PROJECT_FOLDER}/{shop}/lake"))
    chosen = Settings(
        deployment=deployment,
        landing=_location(landing),
        lake=lake,
        dagster_home=_location(environment.get("DAGSTER_HOME", f"{PROJECT_FOLDER}/{shop}/dagster")),
        first_week=_monday("NEXTBASKET_FIRST_WEEK", environment.get("NEXTBASKET_FIRST_WEEK", str(LGSR_FIRST_WEEK))),
        last_week=None if last == "open" else _monday("NEXTBASKET_LAST_WEEK", last),
        driver_memory=_memory(environment.get("NEXTBASKET_DRIVER_MEMORY", "3g")),
        kms_key=environment.get("NEXTBASKET_KMS_KEY"),
        pseudonym_key=_location(environment["NEXTBASKET_PSEUDONYM_KEY"])
        if "NEXTBASKET_PSEUDONYM_KEY" in environment
        else None,
        emr=_emr(environment, lake) if deployment == "emr" else None,
    )
    key = {"NEXTBASKET_PSEUDONYM_KEY": chosen.pseudonym_key} if chosen.pseudonym_key else {}
    for name, place in {"NEXTBASKET_LANDING": chosen.landing, "NEXTBASKET_LAKE": chosen.lake, **key}.items():
        if place.startswith("s3://") != (deployment == "emr"):
            needed = "an s3:// prefix, which its clusters read" if deployment == "emr" else "a folder of this machine"
            raise SettingsError(
                f"{name} is {place}: the deployment {deployment!r} needs {needed}. Change the one or the other."
            )
    if re.fullmatch("s3://[^/]*", chosen.lake):
        raise SettingsError(
            f"NEXTBASKET_LAKE is {chosen.lake}: a whole bucket, beside which there is no room for the landing files and the "
            f"work of EMR. Name a prefix in it, such as {chosen.lake}/lake."
        )
    places = {"NEXTBASKET_LANDING": chosen.landing, "NEXTBASKET_LAKE": chosen.lake}
    for name, place in places.items():
        _refuse_odd(name, place, _PATTERNS)
    for name, place in key.items():
        _refuse_odd(name, place)
    if chosen.emr:
        _refuse_odd("NEXTBASKET_EMR_WORK", chosen.emr.work)
        places["NEXTBASKET_EMR_WORK"] = chosen.emr.work
    _refuse_shared(places)
    for place in (chosen.landing, chosen.lake):
        if f"{chosen.pseudonym_key}/".startswith(f"{place}/"):
            raise SettingsError(
                f"NEXTBASKET_PSEUDONYM_KEY is inside {place}: keep the key apart from what it protects."
            )
    return chosen


def _refuse_odd(name: str, place: str, patterns: frozenset[str] = frozenset()) -> None:
    """A place with these characters is refused, and so is one in a bucket whose name would be cut off at a # or a ?."""
    wrong = patterns | _ENDS_A_URI if place.startswith("s3://") else patterns
    if odd := sorted(set(place) & wrong):
        raise SettingsError(
            f"{name} is {place}: Spark and Delta Lake take {' '.join(odd)} in a path for a pattern or an escape, and "
            "would read other files. Use a path without it."
        )


def _refuse_shared(places: Mapping[str, str]) -> None:
    """Landing files, tables and work files each have a place of their own."""
    for name, place in places.items():
        if "//" in place.removeprefix("s3://"):
            raise SettingsError(
                f"{name} is {place}: S3 keeps both slashes of // and Hadoop one, so each would read other objects. "
                "Write one slash."
            )
        if same := [other for other in places if other != name and places[other] == place]:
            raise SettingsError(
                f"{name} and {same[0]} are both {place}: what arrives and what is made would mix. "
                "Give each a folder of its own."
            )


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    """A misspelt setting is no setting: a key that nobody reads would leave customer codes plain."""
    known = {*SETTINGS, *(f"EMR_{field.upper()}" for field in EmrSettings.model_fields)}
    for name in sorted(environment):
        if name.startswith("NEXTBASKET_") and name.removeprefix("NEXTBASKET_") not in known:
            near = difflib.get_close_matches(name, [f"NEXTBASKET_{one}" for one in known], n=1)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{name}: there is no such setting.{meant} See docs/deploy.md for the ones there are.")


def _emr(environment: Mapping[str, str], lake: str) -> EmrSettings:
    """The EMR settings: a variable for each field, lists with commas; work files lie beside the lake by default."""
    chosen: dict[str, Any] = {
        "work": f"{lake.rsplit('/', 1)[0]}/emr",
        "kms_key": environment.get("NEXTBASKET_KMS_KEY", ""),
    }
    chosen["region"] = _region(environment)
    for field, about in EmrSettings.model_fields.items():
        if text := environment.get(f"NEXTBASKET_EMR_{field.upper()}"):
            parts = [part.strip() for part in text.split(",") if part.strip()]
            chosen[field] = parts if about.annotation == list[str] else text
    chosen["work"] = _work(chosen["work"])
    try:
        found = EmrSettings(**chosen)
    except ValidationError as error:
        raise SettingsError("; ".join(_wrong(one) for one in error.errors())) from error
    if found.score_on_spark and not found.environment:
        raise SettingsError(
            "NEXTBASKET_EMR_SCORE_ON_SPARK needs torch on the nodes: name an archive that has it "
            "in NEXTBASKET_EMR_ENVIRONMENT. See docs/deploy.md, section 2."
        )
    missing = [field for field in _SERVERLESS if not getattr(found, field)]
    if found.mode == "serverless" and missing:
        named = ", ".join(f"NEXTBASKET_EMR_{field.upper()} ({_SERVERLESS[field]})" for field in missing)
        raise SettingsError(
            f"NEXTBASKET_EMR_MODE is serverless, which needs {named}. Set it; docs/deploy.md, section 2, says how."
        )
    return found


_SERVERLESS = {
    "environment": "its own Python is 3.9 without numpy, and the stages need 3.11 with it",
    "application_id": "the application whose job runs the stages are",
    "job_role_arn": "the role that these job runs take",
}


def _wrong(about: Any) -> str:
    """What pydantic says about a field, as a sentence about its variable."""
    field = str(about["loc"][0])
    meant = EmrSettings.model_fields[field].description
    return f"NEXTBASKET_EMR_{field.upper()} is {about['input']!r}: {about['msg']}. What it is for: {meant}"


def _work(place: str) -> str:
    """The prefix of work files, without slashes at its end.

    Raises:
        SettingsError: it is none.
    """
    if not re.match("s3://[^/]", place):
        raise SettingsError(
            f"NEXTBASKET_EMR_WORK is {place}: clusters read code and plans from an s3:// prefix. Name one, such as "
            "s3://BUCKET/emr."
        )
    return place.rstrip("/")


def _region(environment: Mapping[str, str]) -> str:
    """The one region of clusters and bucket.

    Raises:
        SettingsError: none is named, or more than one.
    """
    named = {name: environment[name] for name in _REGIONS if name in environment}
    if len(set(named.values())) == 1:
        return next(iter(named.values()))
    if not named:
        raise SettingsError(
            "AWS_REGION is not set: the deployment 'emr' makes its clusters in a region and reads the bucket there. "
            "Set it to the bucket's region, such as eu-west-1."
        )
    said = ", ".join(f"{name} is {region}" for name, region in named.items())
    raise SettingsError(f"{said}: clusters and bucket are in one region. Set AWS_REGION alone, to the bucket's.")


def tell_boto3(environment: MutableMapping[str, str]) -> None:
    """Hand the region on under the only name that boto3 reads, AWS_DEFAULT_REGION, unless that one is set."""
    region = next((environment[name] for name in reversed(_REGIONS) if environment.get(name, "").strip()), None)
    if region:
        environment["AWS_DEFAULT_REGION"] = region


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
        sensors=[landing_sensor(weeks, RetrainingPolicy()), *([cluster_reaper(chosen.lake)] if chosen.emr else [])],
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


def _location(place: str) -> str:
    return place.rstrip("/") if "://" in place else str(Path(place).resolve())


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


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions that this machine's environment asks for."""
    return build_definitions(settings(os.environ))
