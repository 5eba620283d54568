"""Two runs that publish at once: one of them whole, and the other one is told so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from nextbasket_assets.lake import publish as publishing
from nextbasket_assets.lake.tables import Lake, LakeError
from nextbasket_tests.lake.test_publish import ONE, TWO, put, rows, values


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def beside(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something when the next run is about to commit."""
    left = [act]
    monkeypatch.setattr(publishing, "reach", lambda point: left.pop()() if left and point == "commit" else None)


@pytest.mark.parametrize("known", [True, False], ids=["corrected week", "new week"])
def test_two_runs_on_one_week_do_not_mix(lake: Lake, monkeypatch: pytest.MonkeyPatch, known: bool) -> None:
    """Of two runs that publish one week at once the first one's rows stay, and the other one is told so."""
    put(lake, {ONE: rows(0)} if known else {TWO: rows(0)})
    beside(monkeypatch, lambda: put(lake, {ONE: rows(1, 1)}))

    with pytest.raises(LakeError, match="another run published 2006-04-10"):
        put(lake, {ONE: rows(2, 2)})
    assert values(lake, ONE) == [1, 1]


def test_two_runs_do_not_both_create_a_table(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one's rows are the table; the other one is told to run again."""
    beside(monkeypatch, lambda: put(lake, {ONE: rows(1)}))

    with pytest.raises(LakeError, match="another run created the table at the same moment"):
        put(lake, {ONE: rows(2)})
    assert values(lake, ONE) == [1]


def test_a_run_waits_for_its_turn(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit is tried again as often as others were faster; both weeks are there in the end."""
    put(lake, {ONE: rows(0), TWO: rows(0)})
    commit, left = DeltaTable.create_write_transaction, [1, 2, 3, 4, 5, 6, 7, 8, 9]

    def overtaken(table: DeltaTable, *arguments: Any, **named: Any) -> None:
        if left:
            number = left.pop()
            with monkeypatch.context() as others:
                others.setattr(DeltaTable, "create_write_transaction", commit)
                put(lake, {TWO: rows(number)})
            raise CommitFailedError
        commit(table, *arguments, **named)

    monkeypatch.setattr(DeltaTable, "create_write_transaction", overtaken)
    put(lake, {ONE: rows(7)})

    assert (values(lake, ONE), values(lake, TWO)) == ([7], [1])


def test_a_commit_that_fails_for_nobody_is_not_tried_for_ever(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no other run has committed, the error of the storage is the run's own."""
    put(lake, {ONE: rows(0)})

    def broken(table: DeltaTable, *arguments: Any, **named: Any) -> None:
        raise CommitFailedError("the storage said no")

    monkeypatch.setattr(DeltaTable, "create_write_transaction", broken)
    with pytest.raises(CommitFailedError, match="the storage said no"):
        put(lake, {ONE: rows(1)})
    assert values(lake, ONE) == [0]
