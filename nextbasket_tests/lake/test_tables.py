"""Reading the lake: what is not as it was published is named, and no reader takes it for less."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from nextbasket_assets.lake import tables
from nextbasket_assets.lake.housekeeping import collect_staged
from nextbasket_assets.lake.staged_files import write_staged
from nextbasket_assets.lake.storage import PlaceError
from nextbasket_assets.lake.tables import Lake, LakeError, Snapshot
from nextbasket_tests.lake.test_publish import ONE, TABLE, TWO, put, rows, values
from nextbasket_tests.lake.test_registry import EARLY, PROMOTED, decide


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.mark.parametrize(("empty", "said"), [(False, "is missing"), (True, "has 0 bytes instead of")])
def test_a_file_that_is_gone_or_cut_is_named(lake: Lake, empty: bool, said: str) -> None:
    """By whoever reads rows, asks for files, or looks for a model: fewer rows than were published are never read."""
    put(lake, {ONE: rows(1)})
    decide(lake, EARLY, "early", PROMOTED)
    for file in [*Path(lake.uri(TABLE)).rglob("part-*.parquet"), *Path(lake.uri("model_registry")).glob("*.parquet")]:
        file.unlink()
        if empty:
            file.touch()

    for look in (lambda: lake.read(TABLE, [ONE]), lambda: lake.files(TABLE, [ONE]), lake.registry):
        with pytest.raises(LakeError, match=rf"1 data file\(s\) are not what was published: .* {said}"):
            look()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables whose logs were read, in order."""
    found: list[str] = []

    def opening(uri: str, **named: Any) -> DeltaTable:
        found.append(uri.rsplit("/", 1)[-1])
        return DeltaTable(uri, **named)

    monkeypatch.setattr(tables, "DeltaTable", opening)
    return found


def test_an_unchanged_table_is_opened_once(lake: Lake, opened: list[str]) -> None:
    """However often it is read, its log is read once; so are the registry's log and files."""
    put(lake, {ONE: rows(1)})
    decide(lake, EARLY, "early", PROMOTED)
    opened.clear()

    assert [values(lake, ONE), values(lake, ONE), len(lake.require(TABLE, [ONE])), lake.weeks(TABLE)] == [
        [1],
        [1],
        1,
        [ONE],
    ]
    assert lake.registry() is lake.registry()
    assert opened == [TABLE, "model_registry"]


def test_what_others_published_is_seen(lake: Lake) -> None:
    """A lake that has read a table sees the next version, whoever made it, and a table that was made in its place."""
    other = Lake(lake.root)
    put(lake, {ONE: rows(1)})
    decide(lake, EARLY, "early", PROMOTED)
    assert (values(lake, ONE), lake.registry().num_rows) == ([1], 1)

    put(other, {ONE: rows(2)})
    decide(other, EARLY, "late", PROMOTED)
    assert (values(lake, ONE), lake.registry().num_rows) == ([2], 2)

    shutil.rmtree(lake.uri(TABLE))
    assert lake.weeks(TABLE) == []
    put(other, {TWO: rows(3)})
    put(other, {TWO: rows(4)})
    assert (lake.version(TABLE), lake.weeks(TABLE), values(lake, TWO)) == (1, [TWO], [4])


def test_a_snapshot_keeps_answering_the_same(lake: Lake) -> None:
    """Commits of the same lake, of a week, of a folder to be removed and of a decision, move no snapshot that somebody holds."""
    put(lake, {ONE: rows(1)})
    decide(lake, EARLY, "early", PROMOTED)
    held = [lake.snapshot(TABLE), lake.snapshot("model_registry")]
    before = [said(one) for one in held]

    write_staged(lake, TABLE, lake.uri(TABLE, "dddddddd-1"), TWO, rows(5))
    assert collect_staged(lake, TABLE, []) == ["dddddddd-1"]
    put(lake, {ONE: rows(2), TWO: rows(3)})
    decide(lake, EARLY, "late", PROMOTED)

    assert [said(one) for one in held] == before
    assert lake.snapshot(TABLE) is not held[0]


def said(snapshot: Snapshot | None) -> tuple[object, ...]:
    assert snapshot is not None
    files = sorted(snapshot.delta.file_uris())
    return (
        snapshot.delta.version(),
        files,
        snapshot.delta.transaction_version(f"week={ONE}"),
        len(snapshot.commits),
    )


def test_a_place_of_another_scheme_is_no_lake() -> None:
    """What is neither a folder nor a bucket of S3 becomes no folder of this machine."""
    with pytest.raises(PlaceError, match="gs://shop/lake: a lake is an absolute folder or an s3://bucket/prefix"):
        Lake("gs://shop/lake")
