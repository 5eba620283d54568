"""The missions' settings in the UI are the ones of the stage."""

from dataclasses import asdict

from nextbasket_assets.assets.missions import MissionConfig
from nextbasket_assets.transforms.missions import MissionSettings


def test_the_config_is_the_settings() -> None:
    """Every setting of the fit can be set in the launchpad, with the same default."""
    assert MissionConfig().model_dump(exclude={"window_weeks"}) == asdict(MissionSettings())
