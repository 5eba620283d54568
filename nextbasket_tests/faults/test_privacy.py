"""Privacy: erasing a person, and nothing personal or secret where it does not belong."""

import gzip
import json
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from nextbasket_assets.cli.main import main
from nextbasket_assets.columns import TABLES
from nextbasket_assets.lake import freshness, reports
from nextbasket_assets.lake.erasure import erase_customer, holding, personal_tables
from nextbasket_assets.lake.tables import LakeError
from nextbasket_assets.landing import week_code
from nextbasket_tests.faults import shop
from nextbasket_tests.platforms import WEEKS, Platform, failure, line

GONE, NEIGHBOUR = "CUST0000000001", "CUST0000000011"
SECRET = "canary-9f8e7d6c5b4a"


def others(platform: Platform) -> dict[str, list[dict[str, object]]]:
    """Every row that does not name the customer, by table; of the exports, whose files shrink, the names of the files."""
    rows = {
        table: [
            row for week in platform.lake.weeks(table) for row in platform.rows(table, week) if GONE not in str(row)
        ]
        for table in TABLES
    }
    return rows | {"score_exports": [{name: row[name] for name in ("week", "file")} for row in rows["score_exports"]]}


def raw_bytes(platform: Platform, but: str = "") -> bytes:
    """All that the lake's files say, those of one table left out: parquet decoded, everything else as it is."""
    found, left_out = b"", set(Path(platform.lake.uri(but)).rglob("*")) if but else set()
    for path in sorted(set(Path(platform.lake.root).rglob("*")) - left_out):
        if path.is_file() and path.suffix == ".parquet":
            table = pq.read_table(path, partitioning=None)
            found += str(table.to_pylist()).encode() + str(pq.read_metadata(path).row_group(0)).encode()
            found += str(
                [pq.read_metadata(path).row_group(0).column(i).statistics for i in range(len(table.schema))]
            ).encode()
        elif path.is_file():
            found += path.read_bytes()
    return found


@pytest.mark.slow
def test_s4_an_erased_customer_is_nowhere(trained: Platform) -> None:
    """Erased from tables, older versions, rejected lines and scores, and from the log's statistics; others keep every row."""
    broken = line(WEEKS[4], 1, 0, "PRD0700001").replace(",1.5,", ",NaN,")
    longer = broken.replace(GONE, GONE + "99")
    trained.deliver(WEEKS[4], [*shop.lines(WEEKS[4]), broken, longer])
    for week in (WEEKS[1], WEEKS[4]):  # week 1 has an older version now
        result = trained.run("backfill_weeks", week, tags={"nextbasket/allow": "few_lines_are_rejected"})
        assert result.success, failure(result)
    kept, fresh = others(trained), freshness.behind(trained.lake)
    assert GONE.encode() in raw_bytes(trained)
    receipt = erase_customer(trained.lake, GONE, "run")

    assert receipt.remaining == []
    assert holding(trained.lake, GONE) == []
    remaining = raw_bytes(trained).replace((GONE + "99").encode(), b"")
    assert GONE.encode() not in remaining
    assert NEIGHBOUR.encode() in remaining
    assert others(trained) == kept
    assert freshness.behind(trained.lake) == fresh, "an erasure makes no later week stale"
    assert receipt.rows["rejected_lines"] == 1
    assert all(receipt.rows[table] > 0 for table in personal_tables())
    assert all(receipt.deleted[table] for table in personal_tables())
    assert {name.split()[0] for name in receipt.models} == {"mission_model", "rnn_model"}
    assert GONE not in json.dumps(receipt.as_json())


def test_s4_an_erased_customer_is_in_no_report(trained: Platform) -> None:
    """The report that shows the customer is deleted and named; made again, it shows somebody else."""
    week = trained.lake.weeks("weekly_report")[-1]
    code = next(
        one for one in (f"CUST{n:010d}" for n in range(shop.CUSTOMERS)) if one in reports.read(trained.lake, week)
    )
    receipt = erase_customer(trained.lake, code, "run")

    assert receipt.deleted["reports"] == [f"week={week}/index.html"]
    with pytest.raises(LakeError, match="has no report"):
        reports.read(trained.lake, week)
    result = trained.run("refresh_weeks", week, selection=["weekly_report"])
    assert result.success, failure(result)
    assert code not in reports.read(trained.lake, week)


def test_s4_erasing_again_does_nothing(trained: Platform) -> None:
    """The second time there is nothing left to do, and no version is made."""
    erase_customer(trained.lake, GONE, "run")
    versions = {table: trained.lake.version(table) for table in TABLES}
    receipt = erase_customer(trained.lake, GONE, "run")

    assert not any(receipt.rows.values())
    assert not any(receipt.deleted.values())
    assert receipt.models == []
    assert {table: trained.lake.version(table) for table in TABLES} == versions


def test_s4_a_code_that_is_none_erases_nothing(trained: Platform) -> None:
    """An empty code, or one with a line feed, is refused."""
    for code in ("", "CUST 1", "CUST\n", "C" * 65):
        with pytest.raises(LakeError, match="the customer code is none"):
            erase_customer(trained.lake, code, "run")


def test_s4_the_command_prints_a_receipt(trained: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nextbasket erase - --yes` reads the code, prints what went, and names the landing files that still hold it."""
    monkeypatch.setenv("NEXTBASKET_LANDING", str(trained.root / "landing"))
    monkeypatch.setenv("NEXTBASKET_LAKE", trained.lake.root)
    result = CliRunner().invoke(main, ["erase", "-", "--yes"], input=GONE + "\n")

    assert result.exit_code == 0, result.output
    assert GONE not in result.output
    assert "transactions_200607.csv.gz" in result.output
    assert '"models_forget": "by the next training' in result.output


@pytest.mark.slow
def test_s3_canaries_stay_out_of_what_runs_leave(
    trained: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A customer and a secret in data and environment: not in output, run storage, metadata, checks or tracebacks.

    The secret is in no table, report or export either, but in the rejected line that holds it.
    """
    canary = "CUST0000009999"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    lines = [text.replace("CUST0000000003", canary) for text in shop.lines(WEEKS[4])]
    trained.deliver(WEEKS[4], [*lines, lines[0].replace(",1.5,", f",{SECRET},"), f"{canary},{SECRET}"])
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
        trained.instance = instance
        refused = trained.run("score_week", WEEKS[4])
        allowed = trained.run("score_week", WEEKS[4], tags={"nextbasket/allow": "few_lines_are_rejected"})
        assert not refused.success
        assert allowed.success, failure(allowed)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())
    output = "".join(capfd.readouterr())

    assert len(stored) > 100_000
    assert b"lines rejected" in stored
    assert trained.lake.weeks("weekly_report")[-1] == trained.lake.weeks("score_exports")[-1] == WEEKS[4]
    assert SECRET.encode() in raw_bytes(trained)
    assert SECRET.encode() not in raw_bytes(trained, but="rejected_lines")
    for word in (canary, SECRET):
        assert word.encode() not in stored
        assert word not in output
        assert word.encode() in gzip.decompress(
            (trained.root / "landing" / f"transactions_{week_code(WEEKS[4])}.csv.gz").read_bytes()
        )
