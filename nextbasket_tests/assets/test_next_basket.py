"""The network's settings in the UI are the ones of the training."""

from dataclasses import asdict

from nextbasket_assets.assets.next_basket import TrainingRunConfig
from nextbasket_assets.recommender.training import TrainingConfig


def test_the_config_is_the_settings() -> None:
    """Every setting of a training run can be set in the launchpad, with the same default."""
    assert TrainingRunConfig().model_dump() == asdict(TrainingConfig())
