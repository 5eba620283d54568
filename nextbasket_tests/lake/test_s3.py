"""The lake in a bucket: the same promises as on a disk, with S3's conditional put as the referee between writers."""

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest

from nextbasket_assets.lake import registry, reports
from nextbasket_assets.lake.artifacts import seal, verify
from nextbasket_assets.lake.copies import local_files, local_folder, new_folder
from nextbasket_assets.lake.erasure import erase_customer
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.registry import PROMOTED, Decision
from nextbasket_assets.lake.staged_files import write_staged
from nextbasket_assets.lake.tables import Lake, LakeError
from nextbasket_tests.emr_bed.aws import local_aws, objects

ONE, TWO = date(2006, 4, 10), date(2006, 4, 17)
TABLE = "model_evaluation"
KEY = "arn:aws:kms:us-east-1:123456789012:key/0001"


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with local_aws():
        yield boto3.client("s3")


@pytest.fixture
def bucket(s3: Any, request: pytest.FixtureRequest) -> str:
    name = f"shop-{abs(hash(request.node.name))}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def lake(bucket: str) -> Lake:
    return Lake(f"s3://{bucket}/platform/lake/")


def rows(*values: float) -> pa.Table:
    row = {"model_version": "v", "method": "m", "metric": "recall", "k": 10, "customers": 1, "decile": None}
    return pa.Table.from_pylist([row | {"value": value} for value in values])


def put(lake: Lake, weeks: dict[date, pa.Table], run: str = "run", asked: list[date] | None = None) -> int:
    with stage(lake, TABLE, run) as folder:
        for week, table in weeks.items():
            write_staged(lake, TABLE, folder, week, table)
        return publish(lake, TABLE, folder, asked or list(weeks), Provenance(run, "code", {}))


def values(lake: Lake, *weeks: date) -> list[float]:
    return sorted(lake.read(TABLE, weeks)["value"].to_pylist())


def decision(number: int) -> Decision:
    return Decision(
        week=ONE,
        name="rnn_model",
        version=f"v{number}",
        decision=PROMOTED,
        why="it won",
        metrics={"recall": 0.5},
        artifact="models/rnn_model/v1",
        digest="d",
        inputs={},
        run_id="run",
    )


def test_weeks_are_replaced_emptied_and_read_as_on_a_disk(lake: Lake) -> None:
    """A corrected week, an emptied one and an untouched one in a bucket hold exactly what was published last."""
    put(lake, {ONE: rows(1, 2, 3), TWO: rows(4)})
    put(lake, {ONE: rows(9)})
    put(lake, {}, asked=[TWO])

    assert lake.rows(TABLE) == {ONE: 1, TWO: 0}
    assert values(lake, ONE, TWO) == [9]
    assert all(uri.startswith(f"{lake.root}/{TABLE}/run-") for uri in lake.files(TABLE, [ONE, TWO]))


def test_a_failing_block_leaves_no_object(lake: Lake, s3: Any, bucket: str) -> None:
    """What was staged in the bucket and not published is gone when the stage fails, and no folder marker stays."""
    with pytest.raises(RuntimeError, match="audit"), stage(lake, TABLE, "failing") as folder:
        write_staged(lake, TABLE, folder, ONE, rows(1))
        assert objects(s3, bucket)
        raise RuntimeError("audit")

    assert [key for key in objects(s3, bucket) if not key.endswith("/")] == []


@pytest.mark.parametrize("before", [{}, {TWO: rows(0)}, {ONE: rows(0)}], ids=["no table", "new week", "corrected week"])
def test_of_two_writers_one_wins_and_the_other_is_told(lake: Lake, before: dict[date, pa.Table]) -> None:
    """Two runs publish one week at the same moment: one is whole in the bucket, the other gets a clear error."""
    if before:
        put(lake, before)
    barrier, refused = threading.Barrier(2), []

    def run(value: float) -> None:
        try:
            with stage(lake, TABLE, f"run{value}") as folder:
                write_staged(lake, TABLE, folder, ONE, rows(value, value))
                barrier.wait()
                publish(lake, TABLE, folder, [ONE], Provenance("r", "c", {}))
        except LakeError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=run, args=(value,)) for value in (1.0, 2.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert values(lake, ONE) in ([1.0, 1.0], [2.0, 2.0])
    assert all("another run" in message for message in refused)
    assert len({path.split("/")[0] for path in _published(lake)}) == 1 + (TWO in before)


def _published(lake: Lake) -> list[str]:
    snapshot = lake.snapshot(TABLE)
    assert snapshot is not None
    return [file.path for file in snapshot.published]


def test_two_writers_of_one_version_are_told_apart_by_s3(lake: Lake) -> None:
    """The referee is the bucket: a commit file that is there already is never overwritten."""
    put(lake, {ONE: rows(1)})
    mine = lake.snapshot(TABLE)
    put(lake, {ONE: rows(2)})
    assert mine is not None

    with pytest.raises(LakeError, match="another run published 2006-04-10"), stage(lake, TABLE, "late") as folder:
        write_staged(lake, TABLE, folder, ONE, rows(3))
        late, seen = Lake(lake.root), [mine, mine]  # a writer that looked earlier, until its commit fails
        late.snapshot = lambda table, version=None: seen.pop() if seen else lake.snapshot(table)  # type: ignore[method-assign,misc]
        publish(late, TABLE, folder, [ONE], Provenance("late", "code", {}))

    assert values(lake, ONE) == [2]


def test_decisions_and_models_live_in_the_bucket(lake: Lake, tmp_path: Path) -> None:
    """A model folder is uploaded whole, sealed, verified, fetched again bit by bit, and refused once it was touched."""
    with new_folder(lake, "models/m/1") as folder:
        (Path(folder) / "deep").mkdir()
        (Path(folder) / "deep" / "weights").write_bytes(b"\0" * 10)
        (Path(folder) / "card.md").write_text("card")
    digest = seal(lake, "models/m/1")
    registry.record(lake, decision(1))
    verify(lake, "models/m/1", digest)

    champion = registry.promoted(lake, "rnn_model", TWO)
    assert champion is not None
    assert champion.version == "v1"
    with local_folder(lake, "models/m/1") as copy:
        assert (Path(str(copy)) / "deep" / "weights").read_bytes() == b"\0" * 10
    lake.storage.put(lake.path("models/m/1/card.md"), b"another card")
    with pytest.raises(LakeError, match=r"sha256 differs for card\.md"):
        verify(lake, "models/m/1", digest)


def test_two_first_decisions_do_not_share_a_number(lake: Lake) -> None:
    """Two runs decide at the same moment in an empty registry: numbers stay unique, and who lost is told."""
    barrier, refused = threading.Barrier(2), []

    def decide(number: int) -> None:
        barrier.wait()
        try:
            registry.record(lake, decision(number))
        except LakeError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=decide, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    numbers = lake.registry()["number"].to_pylist()
    assert numbers == list(range(1, 3 - len(refused)))
    assert all("another decision was recorded" in message for message in refused)


def test_a_folder_cut_short_is_not_uploaded(lake: Lake, s3: Any, bucket: str) -> None:
    """A training that fails half-way puts nothing into the bucket."""
    with pytest.raises(RuntimeError), new_folder(lake, "models/m/2") as folder:
        (Path(folder) / "weights").write_bytes(b"x")
        raise RuntimeError

    assert objects(s3, bucket) == []


def test_torch_gets_the_files_in_their_order(lake: Lake, tmp_path: Path) -> None:
    """Files of two weeks come to this machine's disk in the order that was asked for, and leave it with the block."""
    put(lake, {ONE: rows(1), TWO: rows(2)})
    uris = lake.files(TABLE, [ONE, TWO])

    with local_files(lake, uris[::-1]) as paths:
        found = [pa.parquet.read_table(path)["value"].to_pylist() for path in paths]  # type: ignore[attr-defined]

    assert found == [[2], [1]]
    assert not any(Path(path).exists() for path in paths)


def test_a_report_is_replaced_found_and_erased(lake: Lake) -> None:
    """A page in a bucket: the newest one, until a customer that it shows is erased."""
    shown = '<h3 id="person-1">CUST1</h3>'
    for page in ("old", shown):
        place = reports.put(lake, ONE, page)
    assert place == lake.uri("reports/week=2006-04-10/index.html")
    assert reports.read(lake, ONE) == shown
    assert erase_customer(lake, "CUST1", "run").deleted["reports"] == ["week=2006-04-10/index.html"]
    assert reports.weeks(lake) == []


def test_every_object_is_encrypted_with_the_key_that_was_asked_for(s3: Any, bucket: str, tmp_path: Path) -> None:
    """With a KMS key set, rows, commits, models, reports and decisions carry it, with a bucket key; without one, none does."""
    for key, root in ((KEY, "with"), (None, "without")):
        lake = Lake(f"s3://{bucket}/{root}", key)
        put(lake, {ONE: rows(1)})
        put(lake, {}, asked=[TWO])
        registry.record(lake, decision(1))
        with new_folder(lake, "models/m/1") as folder:
            (Path(folder) / "weights").write_bytes(b"x")
        seal(lake, "models/m/1")
        reports.put(lake, ONE, "page")

    for name in objects(s3, bucket):
        head = s3.head_object(Bucket=bucket, Key=name)
        expected = (KEY, True) if name.startswith("with/") else (None, False)
        assert (head.get("SSEKMSKeyId"), head.get("BucketKeyEnabled", False)) == expected, name


def test_a_root_that_is_neither_is_refused() -> None:
    """Another scheme is an error that says which there are."""
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        Lake("gs://shop/lake")
