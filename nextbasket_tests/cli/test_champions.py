"""`nextbasket rollback` and `promote`: a decision stands, and what was stopped after it goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from nextbasket_assets.cli import runs
from nextbasket_assets.lake import champions, registry
from nextbasket_assets.lake.freshness import SCORES
from nextbasket_assets.lake.registry import PROMOTED, ROLLED_BACK
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.settings.reading import Settings
from nextbasket_tests.cli.conftest import Run
from nextbasket_tests.lake.test_champions import ONE, THREE, TWO, decide, score

ROLLBACK = ("rollback", "--reason=worse")


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Two champions, as of the first and the second week, which they scored."""
    for name in ("LANDING", "LAKE"):
        monkeypatch.setenv(f"NEXTBASKET_{name}", str(tmp_path / name.lower()))
    lake = Lake(str(tmp_path / "lake"))
    for week, version in ((ONE, "one"), (TWO, "two")):
        decide(lake, week, version, PROMOTED)
        for table in SCORES:
            make(lake, table, week)
    return lake


def make(lake: Lake, table: str, week: date) -> None:
    """A week of a table, by the champion in force."""
    champion = registry.promoted(lake, champions.MODEL, week)
    versions = [champion.version if champion else "top-frequency"] if table in SCORES[:2] else []
    score(lake, week, *versions, table=table)


@pytest.fixture
def rescored(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The weeks whose lists were made again, by the champion in force."""
    made: list[date] = []

    def refresh(_: object, table: str, weeks: list[date]) -> None:
        for week in weeks:
            make(lake, table, week)
        made.extend(weeks if table == SCORES[0] else ())

    monkeypatch.setattr(runs, "refresh", refresh)
    return made


@contextmanager
def stopped_at(table: str) -> Iterator[None]:
    """Somebody stops the command when it begins with this table."""
    go_on = runs.refresh

    def refresh(settings: Settings, one: str, weeks: list[date]) -> None:
        if one == table:
            raise KeyboardInterrupt
        go_on(settings, one, weeks)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runs, "refresh", refresh)
        yield


def decided(lake: Lake) -> list[tuple[str, str]]:
    """Every decision after the two promotions."""
    return [(one.version, one.decision) for one in registry.decisions(lake, champions.MODEL)][2:]


@pytest.mark.parametrize("table", SCORES)
def test_a_stopped_rollback_goes_on(run: Run, lake: Lake, rescored: list[date], table: str) -> None:
    """The second call makes again what is left and takes no other version out of service; the third one does."""
    with stopped_at(table):
        first = run(*ROLLBACK)
    second = run(*ROLLBACK)
    after_two = decided(lake)
    third = run(*ROLLBACK)

    assert (first.exit_code, second.exit_code, third.exit_code) == (1, 0, 0), second.output
    assert "error  two is rolled back, and not all of its lists are made again." in first.stderr
    assert "The same command goes on." in first.stderr
    assert after_two == [("two", ROLLED_BACK)]
    assert decided(lake) == [("two", ROLLED_BACK), ("one", ROLLED_BACK)]
    assert rescored == [*([] if table == SCORES[0] else [TWO]), *([TWO] if table in SCORES[:2] else []), ONE, TWO]


@pytest.mark.parametrize("table", SCORES)
def test_a_stopped_promotion_goes_on(run: Run, lake: Lake, rescored: list[date], table: str) -> None:
    """The same command makes again what is left; when nothing is, the version is promoted already."""
    promote = ("promote", "two", "--reason=better")
    assert run(*ROLLBACK).exit_code == 0
    with stopped_at(table):
        first = run(*promote)
    second, third = run(*promote), run(*promote)

    assert (first.exit_code, second.exit_code, third.exit_code) == (1, 0, 1), second.output
    assert "error  two is promoted, and not all lists are made again." in first.stderr
    assert "1 week(s) made again" in second.stdout
    assert "two is promoted already. Nothing was changed." in " ".join(third.stderr.split())
    assert decided(lake) == [("two", ROLLED_BACK), ("two", PROMOTED)]
    assert champions.to_make_again(lake, ONE) == []


def test_an_export_that_was_never_made_holds_no_rollback_up(run: Run, lake: Lake, rescored: list[date]) -> None:
    """A new week whose run has not come to its export, or failed at it, shows no version that was rolled back."""
    assert run(*ROLLBACK).exit_code == 0
    make(lake, "next_basket_scores", THREE)

    assert run(*ROLLBACK).exit_code == 0
    assert decided(lake) == [("two", ROLLED_BACK), ("one", ROLLED_BACK)]


def test_lists_outside_the_calendar_stay(
    run: Run, lake: Lake, rescored: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a week that the settings leave out there are no runs: it is told, and no other week is held up."""
    monkeypatch.setenv("NEXTBASKET_LAST_WEEK", ONE.isoformat())
    found = run(*ROLLBACK)

    assert (found.exit_code, rescored, decided(lake)) == (0, [], [("two", ROLLED_BACK)])
    assert "1 week(s) keep the lists of another model, for they lie outside the weeks wanted" in found.stdout
