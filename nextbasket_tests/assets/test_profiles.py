"""A week's figures, and the warnings that read them."""

from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from nextbasket_assets.assets import profiles
from nextbasket_assets.assets.profiles import _profile, card_pictures, figures, mission_names, pictures
from nextbasket_assets.assets.run_config import ProfileConfig
from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.registry import PROMOTED, Decision
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.operations.checks import judged
from nextbasket_assets.report.cards import missions_of
from nextbasket_assets.transforms.profile_numbers import ProfileSettings
from nextbasket_tests.report.test_cards import NAMES, profile, row
from nextbasket_tests.report.test_week_numbers import published

WEEK = date(2006, 4, 10)
OLDER, NEWER = WEEK - timedelta(weeks=2), WEEK - timedelta(weeks=1)


def test_the_config_is_the_settings() -> None:
    """Every setting of a profile can be set in the launchpad, with the same default."""
    assert ProfileConfig().model_dump() == asdict(ProfileSettings())


def test_figures_have_stable_names_and_leave_out_what_is_not_there() -> None:
    """Numbers to plot over weeks: 'unassigned' is no mission, and a week without labels has no agreement."""
    rows = [
        *profile(),
        row("drift", "psi", mission="all", value=0.3),
        row("overall", "share_of_baskets", mission="unassigned", value=0.8),
    ]

    assert figures(rows) == {"psi": 0.3, "missions": 1, "largest_mission_share": 0.2, "largest_change_points": 10.0}
    assert figures([]) == {}


def test_the_largest_change_may_be_a_fall() -> None:
    """M01 has gained ten points and M02 lost all its twelve; that fewer baskets are unassigned is no change of a mission."""
    rows = [
        *profile(),
        row("trend", "change", mission="M02", value=-12.0),
        row("trend", "change", mission="unassigned", value=-20.0),
    ]

    assert figures(rows)["largest_change_points"] == 12
    assert figures(rows)["missions"] == 2


def test_a_week_that_breaks_a_claim_is_named() -> None:
    """The check fails on the one week above the limit and passes where no week has the figure."""
    weeks = {WEEK: {"psi": 0.3}, WEEK + timedelta(weeks=1): {"psi": 0.1}, WEEK + timedelta(weeks=2): {}}
    result = judged(weeks, "psi", lambda week: week["psi"] >= 0.25, 0.25)

    assert not result.passed
    assert result.metadata["broken_weeks"].value == "2006-04-10"
    assert result.metadata["psi"].value == 0.1
    assert judged({WEEK: {}}, "psi", lambda week: week["psi"] >= 0.25, 0.25).passed


def test_pictures_are_inside_the_metadata() -> None:
    """The UI shows them without fetching anything; a week without missions has none."""
    shown = pictures(profile(), NAMES, Catalogue())

    assert shown.keys() == {"lift_bars", "shares_over_weeks"}
    assert all("](data:image/png;base64," in str(value.value) for value in shown.values())
    assert pictures([], NAMES, Catalogue()) == {}


def test_every_mission_has_a_card() -> None:
    """One picture a mission, under its id; none for what is no mission."""
    shown = card_pictures(profile(), NAMES, Catalogue())

    assert shown
    assert shown.keys() == {f"card_{mission}" for mission in missions_of(profile())}
    assert card_pictures([], NAMES, Catalogue()) == {}


@pytest.fixture
def retrained(tmp_path: Path) -> Lake:
    """A week that v1 tagged and that was profiled; v2 was promoted since, as of a later week than v1."""
    promoted = {OLDER: "v1", NEWER: "v2"}
    named = {
        week: [{"mission_model": version, "mission": "M01", "name": f"Pets of {version}"}]
        for week, version in promoted.items()
    }
    published(tmp_path, "mission_identities", named)
    published(tmp_path, "mission_history", {week: [{"mission_model": version}] for week, version in promoted.items()})
    for table in ("staged_baskets", "raw_transactions"):
        published(tmp_path, table, {WEEK: [{}]})
    published(tmp_path, "mission_tagged_baskets", {WEEK: [{"mission_model": "v1"}]})
    lake = published(tmp_path, "mission_profiles", {WEEK: [{"mission_model": "v1", "section": "overall"}]})
    for week, version in promoted.items():
        registry.record(
            lake, Decision(
                week=week, name="mission_model", version=version, decision=PROMOTED, why="so", metrics={}, artifact="a",
                digest="d", inputs={}, run_id="r",
            ),
        )  # fmt: skip
    return lake


def test_names_are_of_the_model_that_tagged(retrained: Lake) -> None:
    """A newer training takes no name from a week that the former model tagged."""
    assert mission_names(retrained, WEEK) == {"M01": "Pets of v1"}


def test_a_profile_reads_the_history_of_the_model_that_tagged(retrained: Lake) -> None:
    """Made again after a newer training, a week is compared with the window of its own model: drift and trend stay."""
    spark = Mock()
    _profile(ProfileConfig(), spark, retrained, "folder", [WEEK])

    inputs = spark.run.call_args.args[1]
    assert inputs["mission_history"] == retrained.files("mission_history", [OLDER]) != []


def test_a_profile_looks_back_as_far_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two weeks back: of three earlier weeks the last two, and not the week after."""
    weeks = [WEEK + timedelta(weeks=number) for number in range(-3, 2)]
    lake, spark = Mock(weeks=Mock(return_value=weeks), batches=Mock(return_value=[])), Mock()
    lake.require.side_effect = lake.files.side_effect = lambda _, held: sorted(held)
    monkeypatch.setattr(profiles.registry, "champion", Mock())
    monkeypatch.setattr(profiles.registry, "decisions", Mock(return_value=[]))

    _profile(ProfileConfig(look_back_weeks=2), spark, lake, "folder", [WEEK])

    inputs = spark.run.call_args.args[1]
    assert inputs["staged_baskets"] == inputs["mission_tagged_baskets"] == weeks[1:4]
    assert inputs["raw_transactions"] == [WEEK]
