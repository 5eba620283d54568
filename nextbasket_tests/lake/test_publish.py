"""Publishing: whole weeks, atomically, and never somebody else's."""

import os
import time
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from nextbasket_assets.lake import publish as publishing
from nextbasket_assets.lake.publish import Provenance, publish, scratch, stage
from nextbasket_assets.lake.staged_files import staged_files, write_staged
from nextbasket_assets.lake.tables import Lake, LakeError

ONE, TWO, THREE = date(2006, 4, 10), date(2006, 4, 17), date(2006, 4, 24)
TABLE = "model_evaluation"


def rows(*values: float) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "model_version": "v",
                "method": "m",
                "metric": "recall",
                "k": 10,
                "value": value,
                "customers": 1,
                "decile": None,
            }
            for value in values
        ]
    )


def put(lake: Lake, weeks: dict[date, pa.Table], run: str = "run", asked: list[date] | None = None) -> int:
    with stage(lake, TABLE, run) as folder:
        for week, table in weeks.items():
            write_staged(lake, TABLE, folder, week, table)
        return publish(lake, TABLE, folder, asked or list(weeks), Provenance(run, "code", {"raw_transactions": 3}))


def values(lake: Lake, *weeks: date) -> list[float]:
    return lake.read(TABLE, weeks)["value"].to_pylist()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def test_replacing_a_week_leaves_the_others_alone(lake: Lake) -> None:
    """A corrected week equals the correction exactly; its neighbours keep their rows."""
    put(lake, {ONE: rows(1, 2, 3), TWO: rows(4)})
    put(lake, {ONE: rows(9)})

    assert values(lake, ONE) == [9]
    assert values(lake, TWO) == [4]
    assert lake.rows(TABLE) == {ONE: 1, TWO: 1}


def test_a_range_is_one_version(lake: Lake) -> None:
    """All weeks of a call appear in the same version: no reader sees half of a backfill."""
    put(lake, {ONE: rows(1)})
    version = put(lake, {ONE: rows(2), TWO: rows(3), THREE: rows(4)})

    assert version == 1
    assert lake.weeks(TABLE) == [ONE, TWO, THREE]
    assert lake.files(TABLE, [TWO, THREE], version=0) == []


def test_an_empty_week_is_published_empty(lake: Lake) -> None:
    """A correction that empties a week leaves no stale row, and the week still counts as made."""
    put(lake, {ONE: rows(1, 2)})
    put(lake, {}, asked=[ONE])

    assert values(lake, ONE) == []
    assert lake.weeks(TABLE) == [ONE]


def test_readers_keep_their_version(lake: Lake) -> None:
    """A snapshot taken before a publish keeps its files, and they are still there."""
    put(lake, {ONE: rows(1)})
    before = lake.snapshot(TABLE)
    put(lake, {ONE: rows(2)})

    assert before is not None
    assert [file.rows for file in before.published] == [1]
    assert Path(lake.uri(TABLE, before.published[0].path)).exists()


def test_weeks_nobody_asked_for_are_refused(lake: Lake) -> None:
    """A stage that writes a week outside its plan publishes nothing, and its files are gone."""
    put(lake, {ONE: rows(1)})
    with pytest.raises(LakeError, match=r"hold the week\(s\) 2006-04-17"):
        put(lake, {TWO: rows(2)}, run="stranger", asked=[ONE])

    assert lake.weeks(TABLE) == [ONE]
    assert not list(Path(lake.uri(TABLE)).glob("stranger*"))


def test_a_failing_block_leaves_no_files(lake: Lake) -> None:
    """What was staged and not published is removed when the stage fails."""
    with pytest.raises(RuntimeError, match="audit"), stage(lake, TABLE, "failing") as folder:
        write_staged(lake, TABLE, folder, ONE, rows(1))
        raise RuntimeError("audit")

    assert not list(Path(lake.root).rglob("*.parquet"))


def test_a_failure_after_the_commit_keeps_the_files(lake: Lake) -> None:
    """Published files survive an error later in the same block, beside those of other weeks."""
    put(lake, {TWO: rows(2)})
    with pytest.raises(KeyboardInterrupt), stage(lake, TABLE, "late") as folder:
        write_staged(lake, TABLE, folder, ONE, rows(1))
        publish(lake, TABLE, folder, [ONE], Provenance("late", "code", {}))
        raise KeyboardInterrupt

    assert values(lake, ONE, TWO) == [1, 2]


def test_a_table_that_cannot_be_created_is_no_race(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What else went wrong with the first commit is said as it is."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(publishing, "create_table_with_add_actions", broken)
    with pytest.raises(RuntimeError, match="broken"):
        put(lake, {ONE: rows(1)})


def test_what_a_step_hands_on_is_gone_afterwards(lake: Lake) -> None:
    """The folder between two steps holds customers, and goes with its block, however that ends."""
    with pytest.raises(RuntimeError), scratch(lake, "run") as folder:
        lake.storage.put(lake.path(folder, "part.parquet"), b"x")
        raise RuntimeError

    assert list(Path(lake.uri("scratch")).iterdir()) == []


def test_runs_on_different_weeks_both_succeed(lake: Lake) -> None:
    """A weekly run beside a backfill loses nothing: other weeks may move under a run."""
    put(lake, {ONE: rows(0), TWO: rows(0)})
    with stage(lake, TABLE, "a") as folder:
        write_staged(lake, TABLE, folder, ONE, rows(1))
        put(lake, {TWO: rows(2)})
        publish(lake, TABLE, folder, [ONE], Provenance("a", "c", {}))

    assert values(lake, ONE, TWO) == [1, 2]


def test_a_commit_says_where_it_comes_from(lake: Lake) -> None:
    """Every version carries the run, the code and the versions of what was read."""
    put(lake, {ONE: rows(1)}, run="run-7")
    put(lake, {ONE: rows(2)}, run="run-8")

    newest, oldest = DeltaTable(lake.uri(TABLE)).history()
    assert (newest["run_id"], oldest["run_id"]) == ("run-8", "run-7")
    assert newest["inputs"] == '{"raw_transactions": 3}'


def test_missing_weeks_are_named(lake: Lake) -> None:
    """A stage that needs a week nobody made is told which one and what to materialise."""
    put(lake, {ONE: rows(1)})

    with pytest.raises(LakeError, match=r"2006-04-17, 2006-04-24.*Materialise model_evaluation"):
        lake.require(TABLE, [ONE, TWO, THREE])


def test_an_unknown_table_is_refused(lake: Lake) -> None:
    """A misspelt table is an error, never an empty answer."""
    with pytest.raises(LakeError, match="staged_basket: no such table"):
        lake.weeks("staged_basket")


def test_a_file_that_vanished_is_not_committed(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A staged file that somebody deletes after it was listed stops the commit, of a new table and of an old one."""
    listed = staged_files

    def then_deleted(*arguments: Any) -> Any:
        found = listed(*arguments)
        for action in found:
            Path(lake.uri(TABLE, action.path)).unlink()
        return found

    for known in (False, True):
        if known:
            put(lake, {ONE: rows(1)})
        monkeypatch.setattr(publishing, "staged_files", then_deleted)
        monkeypatch.setattr(publishing, "_write_empty_weeks", lambda *_: None)
        with pytest.raises(LakeError, match=r"is missing\).*Nothing was published. Run it again"):
            put(lake, {TWO: rows(2)}, run="robbed")
        monkeypatch.undo()

    assert values(lake, *lake.weeks(TABLE)) == [1]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("days_ago", "kept"), [(6, True), (8, False)])
def test_a_vacuum_keeps_what_was_replaced_lately(lake: Lake, days_ago: int, kept: bool, full: bool) -> None:
    """A vacuum, plain or full, removes the files of a replaced week a week after their replacement, and none before."""
    put(lake, {ONE: rows(1)})
    old = Path(lake.files(TABLE, [ONE])[0])
    with stage(lake, TABLE, "run") as folder:
        write_staged(lake, TABLE, folder, ONE, rows(2))
        then = time.time() - days_ago * 24 * 60 * 60
        publish(lake, TABLE, folder, [ONE], Provenance("run", "code", {}), clock=lambda: then)
    DeltaTable(lake.uri(TABLE)).vacuum(dry_run=False, full=full)

    assert old.exists() is kept
    assert values(lake, ONE) == [2]


def test_a_version_is_found_without_opening_the_table(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest version is told by one listing of the log, however many commits there are."""
    put(lake, {ONE: rows(1)})
    put(lake, {TWO: rows(2)})
    monkeypatch.delattr("nextbasket_assets.lake.tables.DeltaTable")

    assert (lake.version(TABLE), lake.version("staged_baskets")) == (1, -1)


def test_a_table_has_a_checkpoint_every_ten_commits(lake: Lake) -> None:
    """Opening a table reads ten commits at most, and the history still has all of them, however old they are."""
    log = Path(lake.uri(TABLE, "_delta_log"))
    for number in range(12):
        put(lake, {ONE: rows(number)})
        for path in log.iterdir():
            os.utime(path, (0, 0))

    assert len(list(log.glob("*.checkpoint.parquet"))) == 1
    assert len(DeltaTable(lake.uri(TABLE)).history()) == 12
    assert values(lake, ONE) == [11]
