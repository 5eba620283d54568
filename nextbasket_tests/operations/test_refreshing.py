"""Which run is asked for when tables are behind: each once, and none for ever before the others."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.operations.refreshing import refreshes, refreshes_or_why
from nextbasket_assets.operations.requests import Request
from nextbasket_tests.report.weekly.weeks import CUSTOMERS, WEEKS, basket, bought, put, score, small_lake

FIRST_BEHIND = "mission_tagged_baskets"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Three weeks of baskets without tags, profiles of the last two that are older than their baskets."""
    return small_lake(str(tmp_path / "lake"), WEEKS[:3])


def keys(lake: Lake) -> list[str]:
    return [request.key for request in refreshes(lake, WEEKS)]


def correct(lake: Lake, week: date) -> None:
    put(lake, "staged_baskets", week, [basket(n, week, bought(n, week, last=False)) for n in range(CUSTOMERS)])


def test_a_run_that_was_asked_for_lets_the_next_table_pass(lake: Lake) -> None:
    """A table whose run failed does not hold up the others; when all were asked for, nothing is."""
    asked: set[str] = set()
    tables = []
    while requests := refreshes(lake, WEEKS, asked.__contains__):
        tables += [request.table for request in requests]
        asked |= {request.key for request in requests}

    assert tables[:3] == [FIRST_BEHIND, "mission_profiles", "customer_sequences"]
    assert len(tables) == len(set(tables)) == 7


def test_a_week_that_failed_alone_is_left_out_of_the_next_range(lake: Lake) -> None:
    """A week that was asked for by itself stays out, and the weeks beside it are asked for without it."""
    [whole] = refreshes(lake, WEEKS)
    middle = whole.key.replace(f"{WEEKS[0]}..{WEEKS[2]}", f"{WEEKS[1]}..{WEEKS[1]}")
    beside = refreshes(lake, WEEKS, {middle}.__contains__)

    assert [(one.table, one.first, one.last) for one in beside] == [
        (FIRST_BEHIND, WEEKS[0], WEEKS[0]),
        (FIRST_BEHIND, WEEKS[2], WEEKS[2]),
    ]


def test_a_range_that_failed_is_not_asked_for_beside_another(tmp_path: Path) -> None:
    """Of two ranges with a gap between them one was asked for: the other one alone is."""
    lake = Lake(str(tmp_path))
    early, late = [WEEKS[0], WEEKS[1]], [week + timedelta(weeks=3) for week in WEEKS[:2]]
    for week in (*early, *late):
        put(lake, "staged_baskets", week, [])
    first, second = refreshes(lake, [*early, *late])

    assert [(one.first, one.last) for one in (first, second)] == [(early[0], early[1]), (late[0], late[1])]
    assert refreshes(lake, [*early, *late], {first.key}.__contains__) == [second]


def test_weeks_outside_the_calendar_are_left_alone(lake: Lake) -> None:
    """Of weeks that are behind those of the calendar alone are asked for, and named when they stay behind."""
    inside = WEEKS[1:3]

    assert [(one.first, one.last) for one in refreshes(lake, inside)] == [(inside[0], inside[-1])]
    assert "mission_tagged_baskets 200608 to 200609, " in refreshes_or_why(lake, inside, lambda _: True)[1]
    assert refreshes_or_why(lake, [], lambda _: False) == ([], "")


def test_only_its_own_source_makes_a_failed_run_worth_another_try(lake: Lake) -> None:
    """Lists that were made again leave the key of the tags as it is; corrected baskets change it."""
    before = keys(lake)
    score(lake, WEEKS[2])
    assert keys(lake) == before
    correct(lake, WEEKS[0])

    assert keys(lake) != before


def test_tags_that_are_mended_later_ask_for_their_readers_again(lake: Lake) -> None:
    """Sequences that were made while the tags' run had failed are asked for once more when the tags are there."""
    asked = {request.key for request in asked_for(lake)}
    assert not refreshes(lake, WEEKS, asked.__contains__)
    for week in WEEKS[:3]:
        put(lake, FIRST_BEHIND, week, [])
    again = [request.table for request in asked_for(lake) if request.key not in asked]

    assert {"mission_profiles", "customer_sequences"} <= {*again}


def test_what_stays_behind_is_said(lake: Lake) -> None:
    """When every run was asked for and something is behind all the same, tables and weeks are named; else nothing is."""
    asked: set[str] = set()
    said = []
    while len(said) < 9 and not any(said):
        requests, why = refreshes_or_why(lake, WEEKS, asked.__contains__)
        asked |= {request.key for request in requests}
        said.append(why)

    assert said[-1] == (
        "behind are mission_tagged_baskets 200607 to 200609, mission_profiles 200608 to 200609, "
        "customer_sequences 200607 to 200609 and 4 more table(s), and the run(s) for these weeks ended without them: "
        "mend what stopped them and start them again"
    )
    assert refreshes_or_why(Lake(f"{lake.root}/none"), WEEKS, asked.__contains__) == ([], "")


@pytest.mark.parametrize("table", ["staged_baskets", "mission_profiles"])
def test_a_table_made_anew_has_keys_of_its_own(lake: Lake, table: str) -> None:
    """The same versions of another table, of the source or of what is made from it, are no reason to call a run made."""
    before = {request.key for request in asked_for(lake)}
    folder = Path(lake.uri(table))
    for path in sorted((folder / "_delta_log").glob("*.json")):
        path.write_text(re.sub(r'("metaData":\{"id":")[^"]*', r"\1another", path.read_text()))
    after = {request.key for request in asked_for(Lake(lake.root))}

    assert {key for key in before - after if "mission_profiles" in key}


def asked_for(lake: Lake) -> list[Request]:
    """Everything that is asked for while every run fails."""
    found: list[Request] = []
    while requests := refreshes(lake, WEEKS, {request.key for request in found}.__contains__):
        found += requests
    return found
