"""The missions' settings in the UI are the ones of the sample and of the choice."""

from dataclasses import asdict

from nextbasket_assets.assets.mission_learning import MissionConfig
from nextbasket_assets.missions.choosing import ChoiceSettings
from nextbasket_assets.transforms.missions import SampleSettings


def test_the_config_is_the_settings() -> None:
    """Every setting of sample and choice can be set in the launchpad, with the same default."""
    settings = {**asdict(SampleSettings()), **asdict(ChoiceSettings())}
    settings |= {name: list(value) for name, value in settings.items() if isinstance(value, tuple)}

    assert MissionConfig().model_dump(exclude={"window_weeks", "topic_items"}) == settings
