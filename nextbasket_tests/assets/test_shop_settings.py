"""settings.yaml of the landing folder: it holds for every run that is not told otherwise, and a wrong one stops the run."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from nextbasket_assets.assets.run_config import ScoringConfig, TrainingRunConfig
from nextbasket_assets.assets.shop_settings import SECTIONS, ShopSettingsError, read_settings, settled
from nextbasket_assets.resources.landing import LandingResource
from nextbasket_assets.resources.landing_folders import LocalFolder

SEVEN = "next_basket_scores: {k: 7}"


@dg.asset
def next_basket_scores(context: dg.AssetExecutionContext, config: ScoringConfig, landing: LandingResource) -> int:
    """As many items as this run is to list."""
    return settled(context, config, landing).k


@dg.asset
def rnn_model(
    context: dg.AssetExecutionContext, config: TrainingRunConfig, landing: LandingResource
) -> TrainingRunConfig:
    """What this run is to train with."""
    return settled(context, config, landing)


def run(landing: Path, asset: dg.AssetsDefinition, launched: dict[str, Any]) -> Any:
    name = asset.key.to_user_string()
    config = {"ops": {name: {"config": launched}}} if launched else {}
    resources = {"landing": LandingResource(uri=str(landing))}
    return dg.materialize([asset], run_config=config, resources=resources).output_for_node(name)


@pytest.mark.parametrize(
    ("written", "launched", "k"),
    [("", {}, 20), (SEVEN, {}, 7), (SEVEN, {"k": 9}, 9), (SEVEN, {"k": 20}, 7)],
)
def test_the_launchpad_comes_before_the_shop_and_the_shop_before_the_default(
    tmp_path: Path, written: str, launched: dict[str, Any], k: int
) -> None:
    """A run that was launched with a value of its own has it; the default, which the launchpad fills in, is nobody's word."""
    (tmp_path / "settings.yaml").write_text(written)

    assert run(tmp_path, next_basket_scores, launched) == k


def test_what_neither_says_is_the_default(tmp_path: Path) -> None:
    """Two settings of one asset, one from the shop and one launched, leave the others as they are."""
    (tmp_path / "settings.yaml").write_text("rnn_model:\n  half_life: 60\n  epochs: 3\n")

    assert run(tmp_path, rnn_model, {"epochs": 5}) == TrainingRunConfig(half_life=60.0, epochs=5)
    (tmp_path / "settings.yaml").unlink()
    assert run(tmp_path, rnn_model, {}) == TrainingRunConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"k: \xff", "settings.yaml is not YAML in UTF-8"),
        (b"- rnn_model", "names something that has no settings. Choose from staged_baskets, "),
        (b"score_exports: {k: 3}", "names something that has no settings: score_exports. Choose from staged_baskets, "),
        (b"next_basket_scores: 7", "below next_basket_scores is something else than its settings. Choose from k."),
        (b"next_basket_scores: {k: 3, size: 7}", "below next_basket_scores is something else than its settings: size."),
        (b"next_basket_scores: {k: 0}", "k of next_basket_scores is 0: Input should be greater than or equal to 1"),
        (b"next_basket_scores: {k: many}", "k of next_basket_scores is 'many': Input should be a valid integer"),
        (b"rnn_model: {dropout: .nan}", "dropout of rnn_model is nan"),
        (b"mission_model: {candidates: [1, 2]}", "are numbers of missions to choose from. Give numbers from 2 to 100"),
        (b"retraining: {max_age_weeks: 0}", "max_age_weeks of retraining is 0"),
        (b"staged_baskets: {non_merchandise: BAG}", "non_merchandise of staged_baskets is 'BAG'"),
        (b"staged_baskets: {non_merchandise: [7]}", "non_merchandise of staged_baskets is 7"),
    ],
    ids=str,
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    """The message names the file, the setting and the value, and says what there is; no setting is passed over."""
    (tmp_path / "settings.yaml").write_bytes(text)

    with pytest.raises(ShopSettingsError) as refused:
        read_settings(LocalFolder(tmp_path))
    assert message in str(refused.value)


def test_a_mistake_for_one_asset_stops_the_others(tmp_path: Path) -> None:
    """Whoever misspells a setting of the training hears of it from the first asset that looks, not after the week is made."""
    (tmp_path / "settings.yaml").write_text("rnn_model: {epoch: 3}\nnext_basket_scores: {k: 7}\n")

    with pytest.raises(ShopSettingsError, match="below rnn_model is something else than its settings"):
        run(tmp_path, next_basket_scores, {})


def test_an_empty_section_says_nothing(tmp_path: Path) -> None:
    """An asset without a setting below it is as good as not named."""
    (tmp_path / "settings.yaml").write_text("rnn_model:\n")

    assert read_settings(LocalFolder(tmp_path)) == {}


def test_every_setting_says_what_it_is_for() -> None:
    """The launchpad and the messages show it."""
    bare = [
        f"{asset}.{name}"
        for asset, section in SECTIONS.items()
        for name, field in section.model_fields.items()
        if not field.description
    ]

    assert not bare
