"""The warnings about published tables: each can fail, on every week of the run and when it is executed by itself."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.operations.checks import (
    history_is_complete,
    most_baskets_have_a_mission,
    most_customers_are_scored_by_the_model,
)
from nextbasket_tests.operations.checking import checked
from nextbasket_tests.report.test_week_numbers import published

FIRST, SECOND, THIRD = (date(2006, 4, 10) + timedelta(weeks=number) for number in range(3))
CHECKS = (history_is_complete, most_baskets_have_a_mission, most_customers_are_scored_by_the_model)


def tags(unassigned: int, model: str | None = "m1") -> list[dict[str, Any]]:
    """Ten baskets, so many of them without a mission."""
    return [{"mission_model": model, "mission": "unassigned" if n < unassigned else "M01"} for n in range(10)]


def lists(fallback: int) -> list[dict[str, Any]]:
    """Lists of ten customers, so many of them by the fallback, whose lists are longer; a list counts once."""
    sources = [("fallback", 3) if n < fallback else ("model", 1) for n in range(10)]
    return [{"rank": rank, "source": source} for source, items in sources for rank in range(1, items + 1)]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Of three weeks the first one breaks every claim about itself, and the last one none."""
    published(tmp_path, "mission_tagged_baskets", {FIRST: tags(10), SECOND: tags(3), THIRD: tags(2)})
    return published(tmp_path, "next_basket_scores", {FIRST: lists(10), SECOND: lists(6), THIRD: lists(5)})


@pytest.mark.parametrize(
    ("check", "figure", "last"),
    [
        (most_baskets_have_a_mission, "unassigned_share", 0.2),
        (most_customers_are_scored_by_the_model, "fallback_share", 0.5),
    ],
)
def test_every_week_of_a_run_is_judged(lake: Lake, check: dg.AssetChecksDefinition, figure: str, last: float) -> None:
    """A broken week is named, alone as in a range with sound ones after it; a share at the limit is sound."""
    alone, beside, sound = checked(lake, check, FIRST), checked(lake, check, FIRST, THIRD), checked(lake, check, THIRD)

    assert (alone.passed, beside.passed, sound.passed) == (False, False, True)
    assert alone.metadata["broken_weeks"].value == "2006-04-10"
    assert beside.metadata["broken_weeks"].value == "2006-04-10, 2006-04-17"
    assert beside.metadata[figure].value == last
    assert beside.severity is dg.AssetCheckSeverity.WARN


def test_a_hole_in_the_history_is_named(tmp_path: Path) -> None:
    """A week that never came, between the first one and the last week of the run; what comes after that is not looked at."""
    lake = published(tmp_path, "staged_baskets", {FIRST: [], THIRD: []})
    beside = checked(lake, history_is_complete, FIRST, THIRD)

    assert (beside.passed, beside.metadata["missing_weeks"].value) == (False, "200608")
    assert checked(lake, history_is_complete, FIRST, SECOND).passed


@pytest.mark.parametrize(
    ("check", "table"),
    list(zip(CHECKS, ("customer_sequences", "mission_tagged_baskets", "next_basket_scores"), strict=True)),
)
def test_a_check_by_itself_judges_the_newest_week(tmp_path: Path, check: dg.AssetChecksDefinition, table: str) -> None:
    """Executed in the UI without a run of its table it takes the table's newest week, and passes where there is none."""
    lake = Lake(str(tmp_path))
    assert checked(lake, check).passed

    rows = {"mission_tagged_baskets": (tags(10), tags(0)), "next_basket_scores": (lists(10), lists(0))}
    sound_last, broken_last = Path(tmp_path / "sound"), Path(tmp_path / "broken")
    broken, sound = rows.get(table, ([], []))
    published(sound_last, "staged_baskets", {FIRST: [], SECOND: []})
    published(broken_last, "staged_baskets", {FIRST: [], THIRD: []})

    assert checked(published(sound_last, table, {FIRST: broken, SECOND: sound}), check).passed
    assert not checked(published(broken_last, table, {FIRST: sound, THIRD: broken}), check).passed


def test_a_week_without_a_model_or_without_baskets_breaks_nothing(tmp_path: Path) -> None:
    """Before the first mission model every basket is unassigned, and nothing is wrong with that."""
    lake = published(tmp_path, "mission_tagged_baskets", {FIRST: tags(10, model=None), SECOND: []})
    found = checked(lake, most_baskets_have_a_mission, FIRST, SECOND)

    assert (found.passed, found.metadata["weeks"].value) == (True, 0)
