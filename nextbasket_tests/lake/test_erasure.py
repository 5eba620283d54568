"""Erasure reaches what killed runs left, and beside a run no published file is lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest

from nextbasket_assets.columns import TABLES, WEEK
from nextbasket_assets.lake import erasure, freshness, registry
from nextbasket_assets.lake import publish as publishing
from nextbasket_assets.lake.claims import settle
from nextbasket_assets.lake.erasure import erase_customer, holding
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.staged_files import write_staged
from nextbasket_assets.lake.tables import Lake, LakeError, arrow_schema
from nextbasket_tests.report.weekly.weeks import WEEKS, basket, code, decide, put, small_lake


def test_a_file_that_was_never_renamed_is_erased(tmp_path: Path) -> None:
    """Killed between writing a file and its rename: the rows lie under the unfinished name, and go; another's stay."""
    lake = small_lake(str(tmp_path / "lake"), WEEKS[:2])
    whole = Path(lake.files("next_basket_scores", [WEEKS[1]])[0])
    left = whole.with_name(f".{whole.name}.partial")
    left.write_bytes(whole.read_bytes())
    receipt = erase_customer(lake, code(1), "run")

    assert not left.exists()
    assert receipt.remaining == []
    assert receipt.rows["next_basket_scores"] == 2
    assert code(2) in lake.read("next_basket_scores", [WEEKS[1]])["customer"].to_pylist()


TABLE, ONE, TWO = "rejected_lines", WEEKS[0], WEEKS[1]


def rejected(*texts: str) -> pa.Table:
    """Rejected lines with these texts."""
    schema = arrow_schema(tuple(column for column in TABLES[TABLE] if column.name != WEEK))
    plain = {field.name: 1 if pa.types.is_integer(field.type) else "x" for field in schema}
    return pa.Table.from_pylist([plain | {"raw_text": text} for text in texts], schema=schema)


@contextmanager
def staged(lake: Lake, week: date, run_id: str, other: str = "other") -> Iterator[Callable[[], int]]:
    """A run that has staged a week with the customer and another one, and what publishes it."""
    with stage(lake, TABLE, run_id) as folder:
        write_staged(lake, TABLE, folder, week, rejected(f"{code(1)},1", other))
        yield lambda: publish(lake, TABLE, folder, [week], Provenance(run_id, "code", {}), {week: 2})


def once(monkeypatch: pytest.MonkeyPatch, module: ModuleType, point: str, act: Callable[[], object]) -> None:
    """Do something beside the code of a module, the first time that it reaches a point."""
    left = [act]
    monkeypatch.setattr(module, "reach", lambda name: left.pop()() if left and name == point else None)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A week that holds the customer is published."""
    lake = Lake(str(tmp_path / "lake"))
    with staged(lake, ONE, "first") as published:
        published()
    return lake


def test_what_an_erasure_deletes_no_run_publishes(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that wants to publish its staged week while an erasure deletes it fails, and says to run it again."""
    refused = pytest.raises(LakeError, match=r"was removed before it was published.*Run it again")
    with refused, staged(lake, TWO, "weekly") as published:
        errors: list[LakeError] = []

        def run() -> None:
            try:
                published()
            except LakeError as error:
                errors.append(error)

        once(monkeypatch, erasure, "purge", run)
        receipt = erase_customer(lake, code(1), "erasing")
        raise errors[0]

    assert receipt.remaining == []
    assert lake.weeks(TABLE) == [ONE]
    assert lake.read(TABLE, [ONE])["raw_text"].to_pylist() == ["other"]


def test_a_run_that_looked_before_an_erasure_does_not_commit(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """An erasure between a run's last look at its files and its commit makes the commit fail; no version lacks a file."""
    refused = pytest.raises(LakeError, match="was removed before it was published")
    with refused, staged(lake, TWO, "weekly") as published:
        once(monkeypatch, publishing, "commit", lambda: erase_customer(lake, code(1), "erasing"))
        published()

    assert lake.read(TABLE, lake.weeks(TABLE))["raw_text"].to_pylist() == ["other"]


def test_what_a_run_published_during_an_erasure_stays(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A week that is published while the erasure looks for files is not deleted; the receipt names its file."""
    with staged(lake, TWO, "weekly") as published:

        def late(*arguments: Any) -> Any:
            if arguments[1] == TABLE:
                published()
            return settle(*arguments)

        monkeypatch.setattr(erasure, "settle", late)
        receipt = erase_customer(lake, code(1), "erasing")

    assert lake.read(TABLE, [TWO]).num_rows == 2
    assert [path.split("/")[0] for path in receipt.remaining] == [TABLE]


def test_a_week_that_is_published_while_it_is_written_without_the_customer_stays(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An erasure that read a week before a run replaced it fails, instead of putting the former rows back."""

    def late(*arguments: Any, **named: Any) -> int:
        monkeypatch.setattr(erasure, "publish", publish)
        published()
        return publish(*arguments, **named)

    with staged(lake, ONE, "corrected", "new") as published:
        monkeypatch.setattr(erasure, "publish", late)
        with pytest.raises(LakeError, match="another run published 2006-04-10"):
            erase_customer(lake, code(1), "erasing")

    assert lake.read(TABLE, [ONE])["raw_text"].to_pylist() == [f"{code(1)},1", "new"]


def test_an_erased_staged_folder_costs_no_second_commit(lake: Lake) -> None:
    """What a killed run staged is deleted, and an erasure that finds nothing more commits nothing."""
    write_staged(lake, TABLE, lake.uri(TABLE, "killed-1"), TWO, rejected(code(1)))
    receipt = erase_customer(lake, code(1), "erasing")
    version = lake.version(TABLE)
    erase_customer(lake, code(1), "again")

    assert len(receipt.deleted[TABLE]) == 2
    assert receipt.remaining == []
    assert lake.version(TABLE) == version


def test_a_number_in_a_rejected_line_is_no_customer(tmp_path: Path) -> None:
    """Of rejected lines those go of which the code is a field, in quotes or not; not those with a price or a day of it."""
    lake = Lake(str(tmp_path / "lake"))
    kept = ["20060410,1.50,x", "2006-04-10,-1,x"]
    with stage(lake, TABLE, "first") as folder:
        write_staged(lake, TABLE, folder, ONE, rejected("x,1,y", 'x;"1"', *kept))
        publish(lake, TABLE, folder, [ONE], Provenance("first", "code", {}))

    assert erase_customer(lake, "2006", "none").rows[TABLE] == 0
    assert erase_customer(lake, "1", "erasing").rows[TABLE] == 2
    assert lake.read(TABLE, [ONE])["raw_text"].to_pylist() == kept


def test_a_stump_of_a_killed_run_may_hold_anybody(lake: Lake) -> None:
    """Half a file, which nobody can read, is deleted, and the receipt names it."""
    stump = Path(lake.uri(TABLE, "killed-1", f"week={TWO}", "part-00000.parquet"))
    stump.parent.mkdir(parents=True)
    stump.write_bytes(b"PAR1")
    receipt = erase_customer(lake, code(1), "erasing")

    assert f"killed-1/week={TWO}/part-00000.parquet" in receipt.deleted[TABLE]
    assert not stump.exists()


def test_a_file_that_goes_meanwhile_holds_nobody(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A staged file whose run failed between the listing and the look at it is no error."""
    listed = erasure._parquet
    monkeypatch.setattr(erasure, "_parquet", lambda lake, table: [*listed(lake, table), lake.path(table, "x.parquet")])

    assert holding(lake, code(2)) == []


def test_a_published_file_that_is_gone_stops_an_erasure(lake: Lake) -> None:
    """What the newest version lacks is said, and not taken for a file without the customer."""
    [file] = lake.files(TABLE, [ONE])
    Path(file).unlink()

    with pytest.raises(LakeError, match=r"are not what was published: .* is missing"):
        erase_customer(lake, code(1), "erasing")


def test_an_erasure_that_would_lose_a_row_commits_nothing(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows that stay are counted before they are written: fewer are refused."""
    monkeypatch.setattr(erasure, "_without", lambda *_: rejected())

    with pytest.raises(LakeError, match="has 0 staged rows and had 1 when it was audited"):
        erase_customer(lake, code(1), "erasing")
    assert lake.read(TABLE, [ONE]).num_rows == 2


def test_an_erasure_is_no_news_for_later_tables(lake: Lake) -> None:
    """Rows without a person are not rows that were made: the version that made the week is the one before."""
    receipt = erase_customer(lake, code(1), "erasing")

    assert receipt.rows[TABLE] == 1
    assert (freshness.last_made(lake, TABLE, ONE), lake.version(TABLE)) == (0, 1)


def test_models_that_learned_from_the_customer_are_named(tmp_path: Path) -> None:
    """From the customer's first week on, that one included; a model as of an earlier week never saw them."""
    lake = Lake(str(tmp_path / "lake"))
    put(lake, "staged_baskets", WEEKS[1], [basket(1, WEEKS[1], ["bread"], customer=code(1))])
    decide(lake)
    [decided] = registry.decisions(lake, "rnn_model")
    for week in (WEEKS[0], WEEKS[2]):
        registry.record(lake, replace(decided, week=week, version=f"{week}-abc"))

    assert erase_customer(lake, code(1), "erasing").models == [f"rnn_model {week}-abc" for week in WEEKS[1:3]]


def test_models_are_named_by_an_erasure_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever table the first try ended at, the receipt of the next one has the models that learned from the customer."""
    lake = Lake(str(tmp_path / "lake"))
    put(lake, "staged_baskets", WEEKS[1], [basket(1, WEEKS[1], ["bread"], customer=code(1))])
    decide(lake)
    [decided] = registry.decisions(lake, "rnn_model")
    purge = erasure._purge
    for failing in ("mission_tagged_baskets", "staged_baskets"):

        def lost(lake: Lake, table: str, person: Any, at: str = failing) -> list[str]:
            if table == at:
                raise LakeError("lost")
            return purge(lake, table, person)

        with monkeypatch.context() as patched, pytest.raises(LakeError, match="lost"):
            patched.setattr(erasure, "_purge", lost)
            erase_customer(lake, code(1), f"at-{failing}")

    assert erase_customer(lake, code(1), "at-last").models == [f"rnn_model {decided.version}"]
