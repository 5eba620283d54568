"""Which run is asked for when tables are behind: each once, and none for ever before the others."""

from datetime import date
from pathlib import Path

import pytest

from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.operations.refreshing import refreshes
from nextbasket_tests.report.weekly.weeks import CUSTOMERS, WEEKS, basket, bought, put, score, small_lake

FIRST_BEHIND = "mission_tagged_baskets"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Three weeks of baskets without tags, profiles of the last two that are older than their baskets."""
    return small_lake(str(tmp_path / "lake"), WEEKS[:3])


def keys(lake: Lake) -> list[str]:
    return [request.key for request in refreshes(lake)]


def correct(lake: Lake, week: date) -> None:
    put(lake, "staged_baskets", week, [basket(n, week, bought(n, week, last=False)) for n in range(CUSTOMERS)])


def test_a_run_that_was_asked_for_lets_the_next_table_pass(lake: Lake) -> None:
    """A table whose run failed does not hold up the others; when all were asked for, nothing is."""
    asked: set[str] = set()
    tables = []
    while requests := refreshes(lake, asked.__contains__):
        tables += [request.table for request in requests]
        asked |= {request.key for request in requests}

    assert tables[:3] == [FIRST_BEHIND, "mission_profiles", "customer_sequences"]
    assert len(tables) == len(set(tables)) == 7


def test_a_week_that_failed_alone_is_left_out_of_the_next_range(lake: Lake) -> None:
    """A week that was asked for by itself stays out, and the weeks beside it are asked for without it."""
    [whole] = refreshes(lake)
    middle = whole.key.replace(f"{WEEKS[0]}..{WEEKS[2]}", f"{WEEKS[1]}..{WEEKS[1]}")
    beside = refreshes(lake, {middle}.__contains__)

    assert [(one.table, one.first, one.last) for one in beside] == [
        (FIRST_BEHIND, WEEKS[0], WEEKS[0]),
        (FIRST_BEHIND, WEEKS[2], WEEKS[2]),
    ]


def test_only_its_own_source_makes_a_failed_run_worth_another_try(lake: Lake) -> None:
    """Lists that were made again leave the key of the tags as it is; corrected baskets change it."""
    before = keys(lake)
    score(lake, WEEKS[2])
    assert keys(lake) == before
    correct(lake, WEEKS[0])

    assert keys(lake) != before
