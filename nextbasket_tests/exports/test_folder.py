"""An export's folder: both shapes twice, a dictionary of every column, and a manifest that is right about all of it."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
import polars
import pyarrow.parquet as pq
import pytest

from nextbasket_assets.exports.folder import read_lists
from nextbasket_assets.exports.settings import ExportSettings
from nextbasket_assets.exports.week import export_week
from nextbasket_tests.exports import small
from nextbasket_tests.exports.small import PLAIN, listed


def exported(folder: Path, settings: ExportSettings = PLAIN, names: dict[str, str] | None = None) -> dict[str, Any]:
    folder.mkdir()
    return export_week(folder, small.made(names), settings)


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_manifest_says_what_is_there(tmp_path: Path) -> None:
    """Sizes, digests and rows of every file; week, models, versions, settings and counts; nothing else lies there.

    Nobody has heard of zzz: a is on lists, f is known to the model, n has a name.
    """
    settings = ExportSettings(exclude=listed("a f n zzz"), campaign="spring", holdout_share=0.5, k=4)
    manifest = exported(tmp_path / "x", settings, {"n": "nuts"})
    files = {file["file"]: file for file in manifest["files"]}

    assert {path.name for path in (tmp_path / "x").iterdir()} == {*files, "manifest.json"}
    assert json.loads((tmp_path / "x/manifest.json").read_text()) == manifest
    for name, file in files.items():
        content = (tmp_path / "x" / name).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert {name: file["rows"] for name, file in files.items() if name.startswith("scores")} == {
        "scores_long.parquet": 10,
        "scores_long.csv": 10,
        "scores_wide.parquet": 3,
        "scores_wide.csv": 3,
    }
    assert manifest["retail_week"] == "200607"
    assert manifest["customers_by_model"] == {"2006-04-03-abc": 3}
    assert manifest["tables"] == {"next_basket_scores": 3, "next_trip_outlook": 2}
    assert manifest["settings"]["exclude"] == {"file": "items.txt", "sha256": "0" * 64, "items": 4}
    assert manifest["unknown_items"] == {"exclude": {"count": 1, "first": ["zzz"]}}
    assert manifest["counts"] == {
        "customers": 3,
        "customers_held_out": sum(row["holdout"] == "true" for row in cells(tmp_path / "x/scores_wide.csv")),
        "customers_by_fallback": 1,
        "rows": 10,
        "lists_shorter_than_wanted": 2,
        "lists_empty": 0,
        "rows_removed_by_allow": 0,
        "rows_removed_by_exclude": 2,
    }


def test_the_same_lists_are_the_same_bytes(tmp_path: Path) -> None:
    """Two exports of one week have one set of digests."""
    assert exported(tmp_path / "x") == exported(tmp_path / "y")


@pytest.mark.parametrize("form", ["scores_long", "scores_wide"])
def test_csv_and_parquet_say_the_same(tmp_path: Path, form: str) -> None:
    """DuckDB and Polars read both files of a shape as one table; codes like 00123 and NA stay text."""
    exported(tmp_path / "x", names={"a": 'pears, "green"', "b": "00123", "c": "NA"})
    parquet = pq.read_table(tmp_path / "x" / f"{form}.parquet")
    path = tmp_path / "x" / f"{form}.csv"
    frame = polars.read_csv(path, schema=polars.from_arrow(parquet).schema)  # type: ignore[union-attr]  # a table is a frame
    text = duckdb.sql(f"select * from read_csv('{path}', all_varchar=true, nullstr='')").fetchall()
    names = {cell for row in text for cell in row}

    assert frame.equals(polars.from_arrow(parquet))
    assert len(text) == parquet.num_rows
    assert {'pears, "green"', "00123", "NA"} <= names


def test_every_column_is_in_the_dictionary(tmp_path: Path) -> None:
    """The dictionary has each column of each shape once, in order, with a meaning."""
    exported(tmp_path / "x")
    rows = cells(tmp_path / "x/data_dictionary.csv")

    for form in ("scores_long", "scores_wide"):
        schema = pq.read_schema(tmp_path / "x" / f"{form}.parquet")
        assert [row["column"] for row in rows if row["file"] == form] == schema.names
    assert all(row["meaning"] for row in rows)


def test_an_export_can_be_read_back(tmp_path: Path) -> None:
    """What an erasure starts from: the lists of a folder are the ones that were written."""
    settings = ExportSettings(allow=listed("a"), k=2)
    manifest = exported(tmp_path / "x", settings)
    found = read_lists(tmp_path / "x", manifest)

    assert (found.long.num_rows, found.customers.num_rows, found.places) == (2, 3, 2)
    assert found.removed == {"allow": 10, "exclude": 0}
    assert (manifest["counts"]["lists_empty"], manifest["counts"]["lists_shorter_than_wanted"]) == (1, 3)
