"""The variables of the deployment `emr`: one for each field of `EmrSettings`, and the region."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from pydantic import ValidationError

from nextbasket_assets.resources.emr.settings import EmrSettings
from nextbasket_assets.settings.places import SettingsError

_REGIONS = ("NEXTBASKET_EMR_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")
_SERVERLESS = {
    "environment": "its own Python is 3.9 without numpy, and the stages need 3.11 with it",
    "application_id": "the application whose job runs the stages are",
    "job_role_arn": "the role that these job runs take",
}


def emr_settings(environment: Mapping[str, str], lake: str) -> EmrSettings:
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
