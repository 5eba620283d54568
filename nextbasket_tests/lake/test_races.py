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
    """A commit that was overtaken four times is tried once more, and then no more."""
    put(lake, {ONE: rows(0)})
    commit, overtaken = DeltaTable.create_write_transaction, [4, 5]

    def tried(table: DeltaTable, *arguments: Any, **named: Any) -> None:
        if overtaken[0]:
            overtaken[0] -= 1
            raise CommitFailedError
        commit(table, *arguments, **named)

    monkeypatch.setattr(DeltaTable, "create_write_transaction", tried)
    put(lake, {ONE: rows(1)})
    del overtaken[0]
    with pytest.raises(LakeError, match="another run published"):
        put(lake, {ONE: rows(2)})
    assert values(lake, ONE) == [1]
