"""Exports in the lake: the manifest is the commit, on a disk and in a bucket, and an erasure reaches all of it."""

import dataclasses
import hashlib
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pyarrow.fs
import pytest

from nextbasket_assets.exports import folder as export_folder
from nextbasket_assets.exports.week import export_week
from nextbasket_assets.lake import export_erasure, exports
from nextbasket_assets.lake.erasure import erase_customer, holding
from nextbasket_assets.lake.export_erasure import erase_from_exports, exported_files_with
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.staged_files import write_staged
from nextbasket_assets.lake.tables import Lake, LakeError
from nextbasket_assets.parquet import DamagedFileError
from nextbasket_tests.emr_bed.aws import local_aws
from nextbasket_tests.exports import small
from nextbasket_tests.exports.small import MONDAY, PLAIN


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with local_aws():
        yield boto3.client("s3")


@pytest.fixture(params=["disk", pytest.param("bucket", marks=pytest.mark.slow)])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    if request.param == "disk":
        return Lake(str(tmp_path / "lake"))
    name = f"shop-{uuid.uuid4().hex}"
    request.getfixturevalue("s3").create_bucket(Bucket=name)
    return Lake(f"s3://{name}/platform/lake")


def export(lake: Lake, run: str, names: dict[str, str] | None = None) -> exports.Manifest:
    return exports.replace_export(lake, MONDAY, run, partial(export_week, made=small.made(names), settings=PLAIN))


def score(lake: Lake) -> None:
    """Publish the week's lists and outlooks."""
    for table, rows in (("next_basket_scores", small.scores()), ("next_trip_outlook", small.outlook())):
        with stage(lake, table, "run") as folder:
            write_staged(lake, table, folder, MONDAY, rows)
            publish(lake, table, folder, [MONDAY], Provenance("run", "code", {}))


def before(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, act: Callable[[], object], of: str | None = None
) -> None:
    """Do something once, when this function is called next and before it works; of a path, when it is called with it."""
    work, left = getattr(owner, name), [act]

    def late(*arguments: Any, **named: Any) -> Any:
        if left and of in (None, *arguments):
            left.pop()()
        return work(*arguments, **named)

    monkeypatch.setattr(owner, name, late)


def files(lake: Lake) -> set[str]:
    selector = pyarrow.fs.FileSelector(lake.path(exports.EXPORTS), recursive=True)
    infos = lake.filesystem.get_file_info(selector)
    return {
        info.path.removeprefix(lake.path(exports.place(MONDAY)) + "/")
        for info in infos
        if info.type == pyarrow.fs.FileType.File
    }


def content(lake: Lake, path: str) -> bytes:
    with lake.filesystem.open_input_stream(lake.path(exports.place(MONDAY, path))) as stream:
        return bytes(stream.read())


def test_an_export_replaces_the_one_before(lake: Lake) -> None:
    """After two exports there is one folder, the second's, which the week's manifest names and describes."""
    export(lake, "run-one")
    manifest = export(lake, "run-two", {"a": "apples"})
    found = exports.current(lake, MONDAY)

    assert found is not None
    assert found == {"folder": found["folder"], **manifest}
    named = {f"{found['folder']}/{file['file']}" for file in manifest["files"]}
    assert files(lake) == named | {"manifest.json", f"{found['folder']}/manifest.json"}
    for file in manifest["files"]:
        assert hashlib.sha256(content(lake, f"{found['folder']}/{file['file']}")).hexdigest() == file["sha256"]


def test_an_export_replaces_one_that_somebody_removed(lake: Lake) -> None:
    """The files of the export before are gone, its manifest is not: the new one takes its place all the same."""
    export(lake, "run-one")
    before = exports.current(lake, MONDAY)
    assert before is not None
    lake.filesystem.delete_dir(lake.path(exports.place(MONDAY, before["folder"])))
    export(lake, "run-two")
    after = exports.current(lake, MONDAY)

    assert after is not None
    assert after["folder"] != before["folder"]


def test_a_failing_export_leaves_the_one_before(lake: Lake) -> None:
    """What was written when it failed is gone; the manifest and its files are as they were."""
    export(lake, "run-one")
    before = files(lake)

    def write(folder: Path) -> exports.Manifest:
        (folder / "scores_long.csv").write_text("half")
        raise RuntimeError("torn")

    with pytest.raises(RuntimeError, match="torn"):
        exports.replace_export(lake, MONDAY, "run-two", write)

    assert files(lake) == before


def test_an_export_goes_after_the_next_one_counts(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped before the new manifest is there, the former one still names files that are there."""
    export(lake, "run-one")
    before, put = files(lake), type(lake.storage).put

    def stopped(storage: Any, path: str, data: Any) -> None:
        if path == lake.path(exports.place(MONDAY, "manifest.json")):
            raise RuntimeError("stopped")
        put(storage, path, data)

    monkeypatch.setattr(type(lake.storage), "put", stopped)
    with pytest.raises(RuntimeError, match="stopped"):
        export(lake, "run-two")

    assert before < files(lake)


def test_what_killed_runs_left_is_collected(lake: Lake) -> None:
    """Folders of runs that ended go; a running run's folder and the one that the manifest names stay."""
    export(lake, "run-one")
    before = files(lake)
    for name in ("dead0000-1/scores_long.csv", "alive000-1/scores_long.csv"):
        lake.storage.put(lake.path(exports.place(MONDAY, name)), b"x")
    exports.tidy_exports(lake, MONDAY, ["alive000-and-more"])

    assert files(lake) == before | {"alive000-1/scores_long.csv"}


def test_an_erasure_rewrites_the_export(lake: Lake) -> None:
    """BOB is in no file, ANN and CAT are; a code that only begins like BOB's is another customer's."""
    export(lake, "run-one")
    lake.storage.put(lake.path(exports.place(MONDAY, "dead0000-1/scores_long.csv")), b"customer,item\nBOBBY,x\n")
    assert len(exported_files_with(lake, "BOB")) == 4
    rows, written, deleted = erase_from_exports(lake, "BOB", "run-two")
    manifest = exports.current(lake, MONDAY)

    assert manifest is not None
    assert (rows, written, len(deleted)) == (5, 5, 4)
    assert exported_files_with(lake, "BOB") == []
    assert len(exported_files_with(lake, "ANN")) == 4
    assert "dead0000-1/scores_long.csv" in files(lake)
    assert manifest["counts"]["customers"] == 2
    assert {row["sha256"] for row in lake.read(exports.TABLE, [MONDAY]).to_pylist()} == {
        file["sha256"] for file in manifest["files"]
    }


def test_an_erasure_that_died_is_finished_by_the_next(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped between the new manifest and the table's rows: nobody holds BOB any more, and the second one corrects the table."""
    export(lake, "run-one")

    def stopped(*_: object) -> None:
        raise RuntimeError("stopped")

    with monkeypatch.context() as broken, pytest.raises(RuntimeError, match="stopped"):
        broken.setattr(export_erasure, "publish", stopped)
        erase_from_exports(lake, "BOB", "run-two")
    erase_from_exports(lake, "BOB", "run-three")
    manifest = exports.current(lake, MONDAY)

    assert manifest is not None
    assert exported_files_with(lake, "BOB") == []
    assert {row["sha256"] for row in lake.read(exports.TABLE, [MONDAY]).to_pylist()} == {
        file["sha256"] for file in manifest["files"]
    }


def test_there_is_no_manifest_before_the_first_export(lake: Lake) -> None:
    """A week that was never exported has none, and nothing to erase."""
    assert exports.current(lake, MONDAY) is None
    assert erase_from_exports(lake, "ANN", "run") == (0, 0, [])


def test_an_erasure_deletes_half_written_exports(lake: Lake) -> None:
    """What a killed run left half written may hold anybody: it is deleted, and stops no erasure."""
    export(lake, "run-one")
    for name in ("scores_long.parquet", "scores_wide.parquet"):
        lake.storage.put(lake.path(exports.place(MONDAY, f"dead0000-1/{name}")), b"PAR1 half of one")
    rows, _, deleted = erase_from_exports(lake, "BOB", "run-two")

    assert (rows, len(deleted)) == (5, 6)
    assert exported_files_with(lake, "BOB") == []
    assert not any(name.startswith("dead0000-1/") for name in files(lake))


def test_an_erasure_does_not_write_again_what_it_cannot_read(lake: Lake) -> None:
    """When the export that counts is damaged, the error says to make it anew, and it stays as it is."""
    export(lake, "run-one")
    manifest = exports.current(lake, MONDAY)
    assert manifest is not None
    lake.storage.put(lake.path(exports.place(MONDAY, manifest["folder"], "scores_long.parquet")), b"PAR1 half of one")

    with pytest.raises(DamagedFileError, match="materialise its table for that week again"):
        erase_from_exports(lake, "BOB", "run-two")
    assert exports.current(lake, MONDAY) == manifest


def test_only_the_column_says_who_is_in_an_export(lake: Lake) -> None:
    """Codes that are numbers: the ranks and the year of an export are nobody, whichever folder it is in."""
    export(lake, "run-one")
    before = files(lake)

    for code in ("1", "2006"):
        assert erase_from_exports(lake, code, "run-two") == (0, 0, [])
    assert files(lake) == before


def test_a_guarded_code_is_found(lake: Lake) -> None:
    """A code that CSV has behind an apostrophe is the same customer's; half a file may hold anybody."""
    lake.storage.put(lake.path(exports.place(MONDAY, "dead0000-1/scores_long.csv")), b"customer,item\n'-BOB,x\n")
    lake.storage.put(lake.path(exports.place(MONDAY, "dead0000-1/scores_wide.csv")), b"customer,item\nANN")

    assert len(exported_files_with(lake, "-BOB")) == 2
    assert len(exported_files_with(lake, "-BOB", stumps=False)) == 1


def test_a_long_file_with_line_ends_in_its_cells_is_read(lake: Lake) -> None:
    """A sound CSV of more than a megabyte is no half file, wherever its blocks end: it stays when it holds nobody's rows."""
    line = b'ANN,"oat\nmilk"\n'
    path = lake.path(exports.place(MONDAY, "dead0000-1/scores_long.csv"))
    lake.storage.put(path, b"customer,item\n" + line * (2**21 // len(line)))

    assert exported_files_with(lake, "BOB") == []


def test_what_somebody_put_below_the_exports_is_searched(lake: Lake) -> None:
    """Other files with a customer column are searched and go; of the rest the receipt says that it was not."""
    export(lake, "run-one")
    others = {
        "exports/spring/scores_long.csv": b"customer,item\nBOB,x\n",
        "exports/spring/ann.csv": b"customer,item\nANN,x\n",
        "exports/notes.txt": b"BOB",
        "exports/week=2006-13-01/items.csv": b"item\nBOB\n",
        "exports/broken.parquet": b"PAR1 half of one",
    }
    for path, text in others.items():
        lake.storage.put(lake.path(path), text)
    receipt = erase_customer(lake, "BOB", "run-two")

    assert "exports/spring/scores_long.csv" in receipt.deleted["exports"]
    assert "exports/spring/ann.csv" not in receipt.deleted["exports"]
    assert receipt.remaining == []
    assert receipt.not_searched == [
        "exports/broken.parquet",
        "exports/notes.txt",
        "exports/week=2006-13-01/items.csv",
    ]


def test_the_manifest_of_an_erasure_agrees_with_itself(lake: Lake) -> None:
    """Customers by model are those that are left, and the tables' versions are the ones that can still be read."""
    score(lake)
    write = partial(export_week, made=exports.week_of_scores(lake, MONDAY, {}), settings=PLAIN)
    before = exports.replace_export(lake, MONDAY, "run", write)
    erase_customer(lake, "BOB", "erasing")
    after = exports.current(lake, MONDAY)

    assert after is not None
    assert before["customers_by_model"] == {"2006-04-03-abc": 3}
    assert after["customers_by_model"] == {"2006-04-03-abc": after["counts"]["customers"]} == {"2006-04-03-abc": 2}
    assert after["tables"] == {table: before["tables"][table] + 1 for table in before["tables"]}


def test_an_older_export_keeps_its_versions(lake: Lake) -> None:
    """An export that was made before its scores were made again does not claim the new ones."""
    for _ in range(2):
        with stage(lake, "next_basket_scores", "run") as folder:
            write_staged(lake, "next_basket_scores", folder, MONDAY, small.scores())
            publish(lake, "next_basket_scores", folder, [MONDAY], Provenance("run", "code", {}))
    made = dataclasses.replace(small.made(), tables={"next_basket_scores": 0})
    exports.replace_export(lake, MONDAY, "run", partial(export_week, made=made, settings=PLAIN))
    erase_customer(lake, "BOB", "erasing")
    after = exports.current(lake, MONDAY)

    assert after is not None
    assert after["tables"] == {"next_basket_scores": 0}


@pytest.mark.parametrize("moment", ["read", "half written", "all there"])
@pytest.mark.parametrize("first", [True, False], ids=["first export", "another one"])
def test_an_erasure_beside_an_export_is_not_undone(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, moment: str, first: bool
) -> None:
    """Whenever BOB is erased while the week is exported with them, they are in no file, and what the manifest names is there."""
    score(lake)
    if not first:
        exports.export_scores(lake, MONDAY, "run-one", {}, PLAIN)
    owner, name, of = {
        "read": (exports, "export_week", None),
        "half written": (export_folder, "_exported", None),
        "all there": (type(lake.storage), "put", lake.path(exports.place(MONDAY, "manifest.json"))),
    }[moment]
    before(monkeypatch, owner, name, lambda: erase_customer(lake, "BOB", "erasing"), of)
    manifest = exports.export_scores(lake, MONDAY, "run-two", {}, PLAIN)
    found = exports.current(lake, MONDAY)

    assert found is not None
    assert found == {"folder": found["folder"], **manifest}
    assert holding(lake, "BOB") == []
    assert manifest["counts"]["customers"] == 2
    assert {f"{found['folder']}/{file['file']}" for file in manifest["files"]} <= files(lake)


def test_an_erasure_puts_no_former_export_back(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run exports the week while an erasure writes the former export again: the run's stays, and the erasure says so."""
    score(lake)
    exports.export_scores(lake, MONDAY, "run-one", {}, PLAIN)
    again = lambda: exports.export_scores(lake, MONDAY, "run-two", {"a": "apples"}, PLAIN)  # noqa: E731
    before(monkeypatch, export_erasure, "write_export", again)

    with pytest.raises(LakeError, match="replaced the lists or the export of 2006-04-10"):
        erase_customer(lake, "BOB", "erasing")
    found = exports.current(lake, MONDAY)
    assert found is not None
    assert found["folder"].startswith("run-two")
    assert erase_customer(lake, "BOB", "erasing").remaining == []
    assert exports.current(lake, MONDAY) == found


def test_files_that_are_lost_are_no_reason_to_try_for_ever(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the lists stay as they are, a file of the export that went is the run's error."""
    score(lake)

    def lost(*_: object, **__: object) -> None:
        raise FileNotFoundError("scores_long.csv")

    monkeypatch.setattr(exports, "export_week", lost)
    with pytest.raises(FileNotFoundError, match=r"scores_long\.csv"):
        exports.export_scores(lake, MONDAY, "run-one", {}, PLAIN)
    assert exports.current(lake, MONDAY) is None


def test_an_export_that_goes_while_it_is_searched_holds_nobody(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run removes what it had written of an export that moved: an erasure that had listed it goes on."""
    listed = [exports.place(MONDAY, f"dead0000-1/scores_long.{kind}") for kind in ("csv", "parquet")]
    monkeypatch.setattr(export_erasure, "_files", lambda _: iter(listed))

    assert erase_from_exports(lake, "BOB", "run") == (0, 0, [])
