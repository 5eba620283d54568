"""Damage to the lake by somebody else: files gone, cut or emptied, logs lost, places closed, an old registry put back."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from nextbasket_assets.cli.main import main
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.housekeeping import collect_models
from nextbasket_assets.lake.space import room
from nextbasket_assets.lake.tables import Lake, LakeError
from nextbasket_assets.operations.cursor import remembered
from nextbasket_assets.parquet import DamagedFileError
from nextbasket_assets.resources.spark import LocalSparkResource
from nextbasket_tests.faults import shop
from nextbasket_tests.faults.scenarios import ONE, TABLE, TWO, put
from nextbasket_tests.faults.test_arrival import Ticks
from nextbasket_tests.platforms import WEEKS, Platform, failure

SOME_MONTHS = 90 * 86_400  # seconds


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    put(tmp_path, {ONE: 2, TWO: 3})
    put(tmp_path, {ONE: 4})
    return Lake(str(tmp_path / "lake"))


def log(lake: Lake) -> list[Path]:
    return sorted(Path(lake.uri(TABLE, "_delta_log")).glob("*.json"))


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "bytes instead of"),
        (lambda path: path.write_bytes(b""), "has 0 bytes instead of"),
    ],
)
def test_a_data_file_that_is_gone_or_cut_is_named(lake: Lake, damage: Callable[[Path], None], why: str) -> None:
    """Readers are told which file of which table, the other weeks are readable, and making the week again repairs it."""
    damage(Path(lake.files(TABLE, [ONE])[0]))
    for read in (lake.files, lake.read, lake.require):
        with pytest.raises(LakeError, match=f"{TABLE}: 1 data file.*{why}.*materialise {TABLE} for those weeks again"):
            read(TABLE, [ONE, TWO])

    assert lake.read(TABLE, [TWO]).num_rows == 3
    put(Path(lake.root).parent, {ONE: 4})
    assert lake.read(TABLE, [ONE, TWO]).num_rows == 7


def flipped(path: Path, place: int, *, summed: bool = False) -> None:
    """One bit of the file is another; unless `summed`, the sums that Spark's file system keeps beside it are gone."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    if not summed:
        path.with_name(f".{path.name}.crc").unlink(missing_ok=True)


@pytest.mark.parametrize("table", ["staged_baskets", "customer_sequences", "next_basket_scores"])
def test_a_flipped_bit_is_an_error_and_no_other_number(trained: Platform, table: str) -> None:
    """Wherever in a page it flips: in files of Spark and of our own, readers of the week are told which file it is."""
    week = trained.lake.weeks(table)[0]
    path = Path(trained.lake.files(table, [week])[0])
    whole = path.read_bytes()
    group = pq.read_metadata(path).row_group(0)
    columns = [group.column(index) for index in range(group.num_columns)]
    for column in columns:
        first = column.dictionary_page_offset or column.data_page_offset
        flipped(path, first + column.total_compressed_size - 1)
        with pytest.raises(DamagedFileError, match=f"{path.name}: does not hold the bytes .* or materialise its table"):
            trained.lake.read(table, [week])
        path.write_bytes(whole)
    assert trained.lake.read(table, [week]).num_rows > 0


@pytest.mark.slow
@pytest.mark.parametrize(("place", "summed"), [("page", True), ("page", False), ("end", False)])
def test_spark_says_which_file_is_damaged(trained: Platform, place: str, summed: bool) -> None:
    """A stage that reads a file with a flipped bit, in a page or its last bytes: one sentence, and nothing is published."""
    path = Path(trained.lake.files("staged_baskets", [WEEKS[0]])[0])
    before = shop.contents(trained.lake)
    whole = path.read_bytes()
    flipped(
        path,
        {"page": pq.read_metadata(path).row_group(0).column(0).data_page_offset + 40, "end": -2}[place],
        summed=summed,
    )
    trained.resources["spark"] = LocalSparkResource(master="local[2]", driver_memory="1g")
    result = trained.run("refresh_weeks", WEEKS[0], selection=["mission_tagged_baskets"])

    assert not result.success
    assert f"{path.name}: does not hold the bytes that were written" in failure(result)
    path.write_bytes(whole)
    assert shop.contents(trained.lake) == before


@pytest.mark.parametrize("content", ["", "{garbage", '{"add":{"path":"x'])
def test_a_damaged_commit_stops_readers_and_writers(lake: Lake, content: str) -> None:
    """An empty, cut or overwritten commit is one sentence; an empty one (a power cut) is not taken for no change."""
    whole = log(lake)[-1].read_text()
    log(lake)[-1].write_text(content)
    for act in (lambda: lake.rows(TABLE), lambda: put(Path(lake.root).parent, {ONE: 9})):
        with pytest.raises(
            LakeError, match=f"{TABLE}: its log cannot be read .*Restore .*_delta_log from a copy"
        ) as said:
            act()
        assert "\n" not in str(said.value)

    log(lake)[-1].write_text(whole)
    assert lake.rows(TABLE) == {ONE: 4, TWO: 3}


@pytest.mark.slow
def test_old_commits_are_kept(tmp_path: Path) -> None:
    """After months and a hundred commits the log still says what every week was made from (Delta forgets after thirty days)."""
    put(tmp_path, {ONE: 1})
    lake = Lake(str(tmp_path / "lake"))
    past = time.time() - SOME_MONTHS
    for number in range(105):
        put(tmp_path, {TWO: number % 3}, tidy=False)
        os.utime(log(lake)[-1], (past, past))
    for path in log(lake):
        os.utime(path, (past, past))
    put(tmp_path, {TWO: 1}, tidy=False)
    snapshot = lake.snapshot(TABLE)

    assert snapshot is not None
    assert list(Path(lake.uri(TABLE, "_delta_log")).glob("*.checkpoint.parquet")), (
        "no checkpoint, so nothing was forgotten"
    )
    assert [commit["weeks"] for commit in snapshot.delta.history()][-1] == ONE.isoformat()


def test_a_place_that_may_not_be_written_is_one_sentence(lake: Lake, tmp_path: Path) -> None:
    """A file where the lake should be, or a folder without permission: what, why, what to do."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(LakeError, match=r"cannot write .*file/lake/.*Not a directory.*move the lake"):
        put(tmp_path / "file", {ONE: 1})
    with pytest.raises(LakeError, match="cannot write PLACE"), room("PLACE", 0):
        raise RuntimeError("java.io.IOException: Mkdirs failed: Permission denied")


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who may not write")
def test_somebody_else_may_read_the_lake_and_not_write_it(lake: Lake, tmp_path: Path) -> None:
    """Another user's run on a lake that is not theirs: refused in one sentence, and the lake is what it was."""
    before = sorted(map(str, tmp_path.rglob("*")))
    for path in [*tmp_path.parents, tmp_path, *tmp_path.rglob("*")]:
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    code = (
        "import os, sys; from pathlib import Path; from nextbasket_tests.faults.scenarios import ONE, put\n"
        "import pyarrow.compute  # pyarrow reads it at the first cast, when the interpreter's own files may be out of reach\n"
        "os.setuid(65534); put(Path(sys.argv[1]), {ONE: 1}, tidy=False)"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)

    assert f"LakeError: cannot write {lake.uri(TABLE)}/" in ran.stderr, ran.stderr
    assert "Permission denied" in ran.stderr
    assert sorted(map(str, tmp_path.rglob("*"))) == before


def test_a_lost_registry_is_noticed_and_no_model_is_removed(trained: Platform) -> None:
    """Without its registry a lake publishes no fallback lists as if nothing were, and the champion's folder stays."""
    lake, kept = trained.lake, Path(trained.root / "registry")
    scores = trained.rows("next_basket_scores", shop.AS_OF)
    models = sorted(Path(lake.uri("models")).rglob("*"))
    shutil.move(lake.uri("model_registry"), kept)
    result = trained.run("refresh_weeks", shop.AS_OF, selection=["next_basket_scores"])

    assert not result.success
    assert f"no decision about rnn_model as of {shop.AS_OF}, although model_evaluation has that week" in failure(result)
    assert collect_models(lake, "rnn_model", []) == []
    assert sorted(Path(lake.uri("models")).rglob("*")) == models
    shutil.move(kept, lake.uri("model_registry"))
    assert trained.run("refresh_weeks", shop.AS_OF, selection=["next_basket_scores"]).success
    assert trained.rows("next_basket_scores", shop.AS_OF) == scores
    assert registry.lost(lake, "rnn_model") is None


@pytest.mark.parametrize("cursor", ["", "x", "[]", '{"listed": 3}', '{"listed": [["a"]], "digests": {}}', "null"])
def test_an_edited_cursor_is_a_lost_one(cursor: str) -> None:
    """What is no cursor costs a look and stops no tick."""
    assert remembered(cursor) == {"listed": [], "digests": {}}


def test_odd_companions_stop_no_tick(trained: Platform) -> None:
    """A time.csv in UTF-16, a folder with a weekly name, an edited cursor: the sensor asks for the weeks that are whole."""
    landing = trained.root / "landing"
    (landing / "time.csv").write_bytes("shop_week,date_from\n".encode("utf-16"))
    (landing / "transactions_200613.csv").mkdir()
    ticks = Ticks(trained)
    ticks.cursor = "by hand"
    ticks.tick()

    asked = {request.partition_key for request in ticks.tick().run_requests or []}
    assert asked == {WEEKS[1].isoformat(), WEEKS[4].isoformat()}


def test_a_command_without_access_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where a folder should be: the command says which, without a traceback."""
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("NEXTBASKET_LANDING", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "file" / "home"))
    result = CliRunner().invoke(main, ["ui"])

    assert result.exit_code == 1
    assert f"{tmp_path}/file/home: Not a directory." in result.output
    assert "Let this process read and write there" in result.output
