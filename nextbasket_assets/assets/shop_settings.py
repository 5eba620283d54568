"""The shop's own settings: what `settings.yaml` in the landing folder says holds for every run that is not told otherwise."""

from collections.abc import Collection
from typing import Any, TypeVar, cast

import dagster as dg
import yaml
from pydantic import ValidationError

from nextbasket_assets.assets.run_config import (
    MissionConfig,
    ProfileConfig,
    RetrainingPolicy,
    ScoringConfig,
    SequenceConfig,
    StagingConfig,
    TrainingRunConfig,
)
from nextbasket_assets.errors import BAD_INPUT, NextbasketError
from nextbasket_assets.resources.landing import LandingResource, read_optional
from nextbasket_assets.resources.landing_folders import Folder

FILE_NAME = "settings.yaml"
RETRAINING = "retraining"
_SHOWN = 3  # unknown names that a message names
# Asset -> what can be set for it; and what the landing sensor asks.
SECTIONS: dict[str, type[dg.Config]] = {
    "staged_baskets": StagingConfig,
    "mission_model": MissionConfig,
    "mission_profiles": ProfileConfig,
    "customer_sequences": SequenceConfig,
    "rnn_model": TrainingRunConfig,
    "next_basket_scores": ScoringConfig,
    RETRAINING: RetrainingPolicy,
}
Given = dict[str, dict[str, Any]]
_Config = TypeVar("_Config", bound=dg.Config)


class ShopSettingsError(NextbasketError):
    """A settings.yaml that cannot be used; the message says which line of it, why, and what to do."""

    exit_code = BAD_INPUT


def settled(context: dg.AssetExecutionContext, config: _Config, landing: LandingResource) -> _Config:
    """This run's settings of an asset: what was typed for the run, else what the shop says, else the default.

    Dagster's launchpad opens with every default written out: a default there is nobody's word.

    Raises:
        ShopSettingsError: the file is wrong, for this asset or another.
    """
    asset, fields = context.op_execution_context.op.name, type(config).model_fields
    shop = read_settings(landing.folder()).get(asset, {})
    launched = cast("dict[str, Any]", context.run.run_config).get("ops", {}).get(asset, {}).get("config", {})
    typed = {name for name, value in launched.items() if value != fields[name].default}
    told = {name: value for name, value in shop.items() if name not in typed}
    if not told:
        return config
    context.log.info(f"{FILE_NAME} of the landing folder: {told}")
    return type(config)(**config.model_dump() | told)


def retraining_policy(folder: Folder) -> RetrainingPolicy:
    """When this shop wants a new model.

    Raises:
        ShopSettingsError: the file is wrong, here or elsewhere.
    """
    return RetrainingPolicy(**read_settings(folder).get(RETRAINING, {}))


def read_settings(folder: Folder) -> Given:
    """For each section that the file has, the settings it gives; nothing without a file.

    Raises:
        ShopSettingsError: it is no mapping of sections to settings, or a name or a value is none that there is.
    """
    content = read_optional(folder, FILE_NAME)
    try:
        found = yaml.safe_load(content or b"") or {}
    except yaml.YAMLError as error:
        raise ShopSettingsError(
            f"{FILE_NAME} is not YAML in UTF-8: {error}. Write an asset a line, and below it, indented, a setting a line."
        ) from error
    if not isinstance(found, dict) or not found.keys() <= SECTIONS.keys():
        raise ShopSettingsError(
            f"{FILE_NAME} names something that has no settings{_named(found, SECTIONS)}. Choose from {', '.join(SECTIONS)}."
        )
    said = {asset: given for asset, given in found.items() if given is not None}
    for asset, given in said.items():
        _refuse_wrong(asset, given)
    return said


def _named(found: Any, known: Collection[str]) -> str:
    """The first names that are unknown, after a colon; nothing where there are no names."""
    names = [f"{name!s:.40}" for name in found if name not in known] if isinstance(found, dict) else []
    return f": {', '.join(names[:_SHOWN])}" if names else ""


def _refuse_wrong(asset: str, given: Any) -> None:
    fields = SECTIONS[asset].model_fields
    if not isinstance(given, dict) or not given.keys() <= fields.keys():
        raise ShopSettingsError(
            f"{FILE_NAME}: below {asset} is something else than its settings{_named(given, fields)}. Choose from "
            f"{', '.join(fields)}."
        )
    try:
        SECTIONS[asset](**given)
    except ValidationError as error:
        wrong = error.errors()[0]
        name = wrong["loc"][0]
        raise ShopSettingsError(
            f"{FILE_NAME}: {name} of {asset} is {wrong['input']!r}: {wrong['msg']}. What it is for: "
            f"{fields[str(name)].description} Correct the line, or leave it out."
        ) from error
