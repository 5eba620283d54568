"""At the same time: a reader beside a publisher, a backfill beside a weekly run, decisions beside decisions."""

import threading
from pathlib import Path

from nextbasket_assets.lake import registry
from nextbasket_assets.lake.registry import PROMOTED, Decision
from nextbasket_assets.lake.tables import Lake, LakeError
from nextbasket_tests.faults.scenarios import ONE, TABLE, THREE, TWO, put


def test_a_reader_during_publications_sees_whole_weeks(tmp_path: Path) -> None:
    """While two weeks are replaced together again and again, every look finds both of one version and never a mix."""
    put(tmp_path, {ONE: 1, TWO: 1})
    lake, seen, done = Lake(str(tmp_path / "lake")), set(), threading.Event()
    lost: list[str] = []

    def read() -> None:
        while not done.is_set():
            snapshot = lake.snapshot(TABLE)
            if snapshot is None:
                lost.append("the table")
                continue
            rows = {file.week: file.rows for file in snapshot.published}
            files = [lake.uri(TABLE, file.path) for file in snapshot.published]
            lost.extend(path for path in files if not Path(path).exists())
            seen.add((rows[ONE], rows[TWO]))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(2, 25):
            put(tmp_path, {ONE: number, TWO: number})
    finally:
        done.set()
        reader.join()

    assert lost == []
    assert len(seen) > 2
    assert all(one == two for one, two in seen), seen


def test_a_backfill_beside_weekly_runs_loses_nothing(tmp_path: Path) -> None:
    """A range and single weeks outside it, published by two threads at once, again and again: all of them arrive."""
    put(tmp_path, {ONE: 1, TWO: 1, THREE: 1})
    failed: list[str] = []

    def weekly() -> None:
        for number in range(2, 12):
            try:
                put(tmp_path, {THREE: number}, tidy=False)
            except LakeError as error:
                failed.append(str(error))

    beside = threading.Thread(target=weekly)
    beside.start()
    for number in range(2, 12):
        put(tmp_path, {ONE: number, TWO: number}, tidy=False)
    beside.join()

    assert failed == []
    assert Lake(str(tmp_path / "lake")).rows(TABLE) == {ONE: 11, TWO: 11, THREE: 11}


def test_decisions_at_once_are_all_kept_or_refused_by_name(tmp_path: Path) -> None:
    """Two threads record decisions: each is in the registry once, or its recorder was told to run again."""
    lake, refused = Lake(str(tmp_path)), dict[str, str]()

    def record(name: str) -> None:
        for number in range(8):
            decision = Decision(
                week=ONE,
                name="rnn_model",
                version=f"{name}{number}",
                decision=PROMOTED,
                why="w",
                metrics={},
                artifact="models/x",
                digest="d",
                inputs={},
                run_id=name,
            )
            try:
                registry.record(lake, decision)
            except LakeError as error:
                refused[decision.version] = str(error)

    threads = [threading.Thread(target=record, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = [decision.version for decision in registry.decisions(lake, "rnn_model")]
    assert all("Run this again" in said for said in refused.values())
    assert sorted([*kept, *refused]) == sorted(f"{name}{number}" for name in "ab" for number in range(8))
    assert lake.registry()["number"].to_pylist() == list(range(1, len(kept) + 1))
