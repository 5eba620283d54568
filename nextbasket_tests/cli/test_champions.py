"""`nextbasket rollback` and `promote`: a decision stands, and what was stopped after it goes on."""

from datetime import date
from pathlib import Path

import pytest

from nextbasket_assets.cli import runs
from nextbasket_assets.lake import champions, registry
from nextbasket_assets.lake.registry import PROMOTED, ROLLED_BACK
from nextbasket_assets.lake.tables import Lake
from nextbasket_tests.cli.conftest import Run
from nextbasket_tests.lake.test_champions import ONE, TWO, decide, score

ROLLBACK = ("rollback", "--reason=worse")


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Two champions, as of the first and the second week, which they scored."""
    for name in ("LANDING", "LAKE"):
        monkeypatch.setenv(f"NEXTBASKET_{name}", str(tmp_path / name.lower()))
    lake = Lake(str(tmp_path / "lake"))
    for week, version in ((ONE, "one"), (TWO, "two")):
        decide(lake, week, version, PROMOTED)
        score(lake, week, version)
    return lake


@pytest.fixture
def rescored(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The weeks whose lists were made again, by the champion in force."""
    made: list[date] = []

    def refresh(_: object, table: str, weeks: list[date]) -> None:
        for week in weeks if table == "next_basket_scores" else ():
            champion = registry.promoted(lake, champions.MODEL, week)
            score(lake, week, champion.version if champion else "top-frequency")
            made.append(week)

    monkeypatch.setattr(runs, "refresh", refresh)
    return made


def decided(lake: Lake) -> list[tuple[str, str]]:
    """Every decision after the two promotions."""
    return [(one.version, one.decision) for one in registry.decisions(lake, champions.MODEL)][2:]


def stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_stopped_rollback_goes_on(
    run: Run, lake: Lake, rescored: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call makes the lists again and takes no other version out of service; the third one does."""
    with monkeypatch.context() as patched:
        patched.setattr(runs, "refresh", stop)
        first = run(*ROLLBACK)
    second = run(*ROLLBACK)
    after_two = decided(lake)
    third = run(*ROLLBACK)

    assert (first.exit_code, second.exit_code, third.exit_code) == (1, 0, 0)
    assert "error  two is rolled back, and not all of its lists are made again." in first.stderr
    assert "The same command goes on." in first.stderr
    assert after_two == [("two", ROLLED_BACK)]
    assert decided(lake) == [("two", ROLLED_BACK), ("one", ROLLED_BACK)]
    assert rescored == [TWO, ONE, TWO]


def test_a_stopped_promotion_goes_on(
    run: Run, lake: Lake, rescored: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command makes the lists again; when none is left, the version is promoted already."""
    promote = ("promote", "two", "--reason=better")
    assert run(*ROLLBACK).exit_code == 0
    with monkeypatch.context() as patched:
        patched.setattr(runs, "refresh", stop)
        first = run(*promote)
    second, third = run(*promote), run(*promote)

    assert (first.exit_code, second.exit_code, third.exit_code) == (1, 0, 1)
    assert "error  two is promoted, and not all lists are made again." in first.stderr
    assert "1 week(s) scored again" in second.stdout
    assert "two is promoted already. Nothing was changed." in " ".join(third.stderr.split())
    assert decided(lake) == [("two", ROLLED_BACK), ("two", PROMOTED)]
    assert rescored == [TWO, TWO]


def test_lists_outside_the_calendar_stay(
    run: Run, lake: Lake, rescored: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a week that the settings leave out there are no runs: it is told, and no other week is held up."""
    monkeypatch.setenv("NEXTBASKET_LAST_WEEK", ONE.isoformat())
    found = run(*ROLLBACK)

    assert (found.exit_code, rescored, decided(lake)) == (0, [], [("two", ROLLED_BACK)])
    assert "1 week(s) keep the lists of another model, for they lie outside the weeks wanted" in found.stdout
