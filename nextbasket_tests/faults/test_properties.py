"""Whatever comes in: bytes as a landing file, columns in any order, any name as a key, any bytes as an artifact.

A fuzz of bounded length here; longer by hand with HYPOTHESIS_EXAMPLES=100000.
"""

import contextlib
import gzip
import io
import os
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from nextbasket_assets.lake.staged_files import path_of
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import (
    FIELDS,
    LandingError,
    LandingFile,
    field_positions,
    inspect,
    monday,
    week_code,
    week_of,
)
from nextbasket_assets.recommender import artifact
from nextbasket_tests.faults.test_models import resealed, saved
from nextbasket_tests.transforms.plans import header, ingest, line

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "150"))
bounded = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
NAME = "transactions_200607.csv"
SOUND = (",".join(FIELDS) + "\n" + line() + "\n").encode()
ODD = [b"\r", b"\n", b"\0", b'"', b",,", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\x1a", b"\n\n"]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sound file with a few bytes cut out, put in, or changed."""
    data = bytearray(SOUND * draw(st.integers(1, 2)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 30))] = draw(st.one_of(st.binary(max_size=12), st.sampled_from(ODD)))
    return bytes(data)


def outcome(content: bytes, name: str) -> LandingFile | str:
    try:
        return inspect(io.BytesIO(content), name)
    except LandingError as error:
        return str(error)


@bounded
@given(st.one_of(st.binary(max_size=300), damaged()), st.booleans())
def test_any_bytes_are_a_landing_file_or_a_reason(data: bytes, packed: bool) -> None:
    """Any bytes are refused with file and reason, or described so that lines and digest are those of the text."""
    name = NAME + (".gz" if packed else "")
    content = gzip.compress(data) if packed else data
    found = outcome(content, name)
    if isinstance(found, str):
        assert found.startswith(name)
        assert len(found) < 700
        assert "CUST0000" not in found, "a message shows a line"
        return
    assert data.endswith(b"\n")
    assert found.lines == data.count(b"\n") - 1 > 0
    assert len(field_positions(found.header, name)) == len(FIELDS)
    assert found == outcome(content, name)


@bounded
@given(st.binary(max_size=200))
def test_any_bytes_are_a_gzip_or_a_reason(data: bytes) -> None:
    """Bytes that are no gzip, or half of one, are refused by their name and never more."""
    with pytest.raises(LandingError, match=re.escape(NAME)):
        inspect(io.BytesIO(data[:5] + data), NAME + ".gz")


@bounded
@given(st.permutations(list(FIELDS)))
def test_columns_are_found_in_any_order(order: list[str]) -> None:
    """The position of each field is where its name stands."""
    assert field_positions(tuple(order), NAME) == {name: order.index(name) for name in FIELDS}


@bounded
@given(st.text(max_size=80))
def test_any_name_is_a_week_or_none(name: str) -> None:
    """No name but the grammar's stands for a week, and such a name has no path in it."""
    week = week_of(name)

    assert week is None or (name.startswith(f"transactions_{week_code(week)}.csv") and "/" not in name)


@bounded
@given(st.dates(min_value=date(2006, 2, 27), max_value=date(2090, 1, 1)))
def test_weeks_and_codes_are_one_to_one(day: date) -> None:
    """Every Monday has one code, and the code has that Monday."""
    week = date.fromordinal(day.toordinal() - day.weekday())

    assert monday(week_code(week)) == week


@bounded
@given(table=st.text(max_size=40), version=st.integers(-5, 5))
def test_no_table_name_leaves_the_root(tmp_path: Path, table: str, version: int) -> None:
    """A name that is no table is an error, never a path."""
    lake = Lake(str(tmp_path / "lake"))
    with pytest.raises(Exception, match="no such table"):
        lake.snapshot(f"x{table}", version)
    assert path_of(lake, lake.uri("raw_transactions", "a")).startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@bounded
@given(name=st.sampled_from(artifact.FILES), data=st.binary(max_size=400), keep=st.integers(0, 400))
def test_any_bytes_in_an_artifact_load_or_are_one_error(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes, keep: int
) -> None:
    """A file of an artifact with other bytes and digests that fit: it loads, or it is an ArtifactError; nothing else."""
    folder = _artifact(tmp_path_factory)
    original = (folder / name).read_bytes()
    try:
        (folder / name).write_bytes(original[:keep] + data)
        resealed(folder)
        with contextlib.suppress(artifact.ArtifactError):
            artifact.load(str(folder))
    finally:
        (folder / name).write_bytes(original)
        resealed(folder)


_kept: list[Path] = []


def _artifact(factory: pytest.TempPathFactory) -> Path:
    """One artifact for all examples."""
    if not _kept:
        _kept.append(saved(factory.mktemp("artifact")))
    return _kept[0]


FIELD_TEXT = st.text(alphabet=st.characters(blacklist_characters="\n\r\0", blacklist_categories=("Cs",)), max_size=12)


@pytest.mark.slow
@settings(bounded, max_examples=max(1, EXAMPLES // 150))
@given(st.lists(st.lists(FIELD_TEXT, min_size=1, max_size=24), min_size=20, max_size=40))
def test_any_lines_are_accepted_or_rejected(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    """Any lines among sound ones: each is accepted or rejected under its own number, and the sound ones are accepted."""
    lines = [text for fields in rows for text in (",".join(fields), line())]
    accepted, rejected, report = ingest(spark, tmp_path_factory.mktemp("lines"), lines, names=header())
    numbers = sorted(row["line_number"] for row in [*accepted, *rejected])

    assert numbers == list(range(2, len(lines) + 2))
    assert {row["line_number"] for row in accepted} >= set(range(3, len(lines) + 2, 2))
    assert [row["raw_text"] for row in rejected] == [lines[row["line_number"] - 2] for row in rejected]
    counts = report["counts"]["2006-04-10"]
    assert counts["rows_in"] == counts["rows_out"] + sum(counts["removed"].values()) == len(lines)
