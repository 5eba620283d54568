"""What a setting may be: what means nothing is refused with its name, before anything is made."""

from pathlib import Path

import pytest

from nextbasket_assets.settings.places import SettingsError
from nextbasket_assets.settings.reading import settings


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"NEXTBASKET_DEPLOYMENT": "moon"}, "NEXTBASKET_DEPLOYMENT is 'moon'"),
        ({"NEXTBASKET_FIRST_WEEK": "2020-01-07"}, "NEXTBASKET_FIRST_WEEK is 2020-01-07, which is not a Monday"),
        (
            {"NEXTBASKET_LANDING": "/data/shop[1]"},
            r"NEXTBASKET_LANDING is /data/shop\[1\]: Spark and Delta Lake take \[ \]",
        ),
        ({"NEXTBASKET_LAKE": "/data/50%25"}, "NEXTBASKET_LAKE is /data/50%25: .* Use a path without it"),
        ({"NEXTBASKET_LAST_WEEK": "soon"}, "NEXTBASKET_LAST_WEEK is 'soon': expected a Monday"),
    ],
)
def test_wrong_settings_are_named(environment: dict[str, str], message: str) -> None:
    """A setting that means nothing is an error that names the variable."""
    with pytest.raises(SettingsError, match=message):
        settings(environment)


@pytest.mark.parametrize("deployment", ["local", "emr"])
@pytest.mark.parametrize("name", ["NEXTBASKET_LANDING", "NEXTBASKET_LAKE", "NEXTBASKET_PSEUDONYM_KEY"])
@pytest.mark.parametrize("place", ["gs://b/x", "file:///data/x", "s3a://b/x"])
def test_a_place_of_another_scheme_is_told_what_a_place_is(deployment: str, name: str, place: str) -> None:
    """What is no folder and no s3:// prefix is refused for that, not for its slashes."""
    places = {"NEXTBASKET_LANDING": "s3://b/landing", "NEXTBASKET_LAKE": "s3://b/lake", "AWS_REGION": "eu-west-1"}
    environment = {"NEXTBASKET_DEPLOYMENT": deployment, **(places if deployment == "emr" else {}), name: place}
    if deployment == "emr":
        environment["NEXTBASKET_EMR_WORK"] = "s3://b/emr"

    with pytest.raises(SettingsError, match=f"{name} is {place}: a place is an absolute folder or an s3:// prefix"):
        settings(environment)


def test_a_blank_variable_is_not_set() -> None:
    """A blank setting is no setting: the lake is where it is without it."""
    assert settings({"NEXTBASKET_LAKE": "", "NEXTBASKET_LANDING": " "}) == settings({})


def test_an_open_end_and_a_key_beside_this_folder() -> None:
    """`open` is no last week; a key's place is made absolute, so that one inside the landing folder is seen there."""
    found = settings({"NEXTBASKET_LAST_WEEK": "open", "NEXTBASKET_PSEUDONYM_KEY": "keys/key"})

    assert found.last_week is None
    assert found.pseudonym_key == str(Path("keys/key").resolve())
    for inside in ("arrivals/key", "arrivals"):
        with pytest.raises(SettingsError, match="keep the key apart"):
            settings({"NEXTBASKET_LANDING": "arrivals", "NEXTBASKET_PSEUDONYM_KEY": inside})
    assert settings({"NEXTBASKET_LANDING": "arrivals", "NEXTBASKET_PSEUDONYM_KEY": "arrivals-key"}).pseudonym_key


def test_two_landing_folders_never_share_a_lake() -> None:
    """The default lake follows the landing folder, so that two shops do not mix."""
    ours, theirs = settings({}), settings({"NEXTBASKET_LANDING": "/data/lgsr"})

    assert ours.lake.endswith("demo/lake")
    assert theirs.lake.endswith("lgsr/lake")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NEXTBASKET_PSEUDONYM_KEYFILE", "/key", "there is no such setting. Did you mean NEXTBASKET_PSEUDONYM_KEY?"),
        ("NEXTBASKET_EMR_REGIONS", "x", "there is no such setting. Did you mean NEXTBASKET_EMR_REGION?"),
        ("NEXTBASKET_DRIVER_MEMORY", "lots", "is 'lots': expected a size such as 3g or 1500m"),
    ],
)
def test_a_setting_that_is_none_is_refused(name: str, value: str, said: str) -> None:
    """A misspelt variable is named with its nearest, before it silently does nothing."""
    with pytest.raises(SettingsError) as refused:
        settings({name: value})

    assert name in str(refused.value)
    assert said in str(refused.value)
