"""The warnings about mission profiles: each can fail, after a run and when it is executed by itself."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.operations.mission_checks import (
    no_mission_has_most_baskets,
    shares_are_like_in_training,
    small_baskets_have_lower_confidence,
)
from nextbasket_tests.operations.checking import checked
from nextbasket_tests.report.test_week_numbers import published

FIRST, SECOND = (date(2006, 4, 10) + timedelta(weeks=number) for number in range(2))


def profile(psi: float, largest: float, small: float, missions: int = 2, chance: float = 0.0) -> list[dict[str, Any]]:
    """A week's figures; larger baskets have a mean confidence of 0.5."""
    shares = [
        {"section": "overall", "name": "share_of_baskets", "level": "", "mission": f"M0{number + 1}", "value": share}
        for number, share in enumerate((largest, 0.1)[:missions])
    ]
    of_all = {
        "psi": ("drift", psi),
        "psi_by_chance": ("drift", chance),
        "mean_confidence_of_small_baskets": ("overall", small),
        "mean_confidence_of_larger_baskets": ("overall", 0.5),
    }
    rows = [
        {"section": section, "name": name, "level": "", "mission": "all", "value": value}
        for name, (section, value) in of_all.items()
    ]
    return [*shares, *rows]


BROKEN, SOUND = profile(0.3, 0.7, 0.6), profile(0.1, 0.5, 0.4)
CHECKS = [shares_are_like_in_training, no_mission_has_most_baskets, small_baskets_have_lower_confidence]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return published(tmp_path, "mission_profiles", {FIRST: SOUND, SECOND: BROKEN})


@pytest.mark.parametrize("check", CHECKS)
def test_a_broken_week_of_a_run_is_named(lake: Lake, check: dg.AssetChecksDefinition) -> None:
    """The one week whose figure breaks the claim; the sound one alone passes."""
    both = checked(lake, check, FIRST, SECOND)

    assert (both.passed, both.metadata["broken_weeks"].value) == (False, "2006-04-17")
    assert checked(lake, check, FIRST).passed


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_by_itself_judges_the_newest_week(lake: Lake, tmp_path: Path, check: dg.AssetChecksDefinition) -> None:
    """Executed in the UI without a run of its table it takes the table's newest week, and passes where there is none."""
    assert not checked(lake, check).passed
    assert checked(Lake(str(tmp_path / "empty")), check).passed


@pytest.mark.parametrize(
    ("check", "sound", "broken"),
    [
        (shares_are_like_in_training, profile(0.24, 0.5, 0.4), profile(0.25, 0.5, 0.4)),
        (no_mission_has_most_baskets, profile(0.1, 0.6, 0.4), profile(0.1, 0.61, 0.4)),
        (small_baskets_have_lower_confidence, profile(0.1, 0.5, 0.49), profile(0.1, 0.5, 0.5)),
    ],
)
def test_each_claim_has_its_limit(
    tmp_path: Path, check: dg.AssetChecksDefinition, sound: list[dict[str, Any]], broken: list[dict[str, Any]]
) -> None:
    """An index below 0.25, a share of at most 0.6, and less confidence in small baskets than in the others."""
    result = checked(published(tmp_path, "mission_profiles", {FIRST: sound, SECOND: broken}), check, FIRST, SECOND)

    assert result.metadata["broken_weeks"].value == str(SECOND)


def test_a_week_of_small_baskets_has_nothing_to_compare_them_with(tmp_path: Path) -> None:
    """Where no basket is larger there is no mean confidence of larger ones."""
    rows = [row for row in BROKEN if row["name"] != "mean_confidence_of_larger_baskets"]
    lake = published(tmp_path, "mission_profiles", {FIRST: rows})

    assert checked(lake, small_baskets_have_lower_confidence, FIRST).passed


def test_a_shift_that_chance_explains_is_none(tmp_path: Path) -> None:
    """An index of 0.3 breaks the claim where chance reaches 0.1, and not where so few baskets reach 0.4 without any change."""
    weeks = {FIRST: profile(0.3, 0.5, 0.4, chance=0.4), SECOND: profile(0.3, 0.5, 0.4, chance=0.1)}
    result = checked(published(tmp_path, "mission_profiles", weeks), shares_are_like_in_training, FIRST, SECOND)

    assert result.metadata["broken_weeks"].value == str(SECOND)


@pytest.mark.parametrize("check", [no_mission_has_most_baskets, small_baskets_have_lower_confidence])
def test_a_week_of_one_mission_has_nothing_to_compare(tmp_path: Path, check: dg.AssetChecksDefinition) -> None:
    """All baskets are on it, with full confidence, every week: no reason to warn every week."""
    lake = published(tmp_path, "mission_profiles", {FIRST: profile(0.0, 1.0, 1.0, missions=1)})

    assert checked(lake, check, FIRST).passed


def test_one_mission_of_several_with_all_baskets_is_no_week_of_one_mission(tmp_path: Path) -> None:
    """A model of two missions that tags every basket with one of them warns, as it does one basket earlier."""
    other = {"section": "drift", "name": "training_share", "level": "", "mission": "M02", "value": 0.4}
    lake = published(tmp_path, "mission_profiles", {FIRST: [*profile(0.0, 1.0, 0.4, missions=1), other]})

    assert not checked(lake, no_mission_has_most_baskets, FIRST).passed


@pytest.mark.parametrize("check", CHECKS)
def test_a_week_without_figures_breaks_nothing(tmp_path: Path, check: dg.AssetChecksDefinition) -> None:
    """Before the first mission model a week has no missions to judge."""
    found = checked(published(tmp_path, "mission_profiles", {FIRST: []}), check, FIRST)

    assert (found.passed, found.metadata["weeks"].value) == (True, 0)
