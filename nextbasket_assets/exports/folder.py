"""An export as a folder: both shapes as parquet and CSV, the data dictionary, and the manifest, which is written last.

The same lists give the same bytes, whenever and wherever they are written.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nextbasket_assets.exports.csv_files import write_csv
from nextbasket_assets.exports.dictionary import LONG, PER_CUSTOMER, dictionary, schema, wide_columns
from nextbasket_assets.exports.lists import Lists, wide

MANIFEST, DICTIONARY = "manifest.json", "data_dictionary.csv"
LONG_FORM, WIDE_FORM = "scores_long", "scores_wide"
FORMAT = 1  # of the manifest


@dataclass(frozen=True)
class ExportedFile:
    """One file of an export: its name, its rows (a CSV's header is none), its bytes, and their sha256."""

    file: str
    rows: int
    bytes: int
    sha256: str


def write_export(folder: Path, lists: Lists, about: Mapping[str, Any]) -> dict[str, Any]:
    """Write the files of an export into a folder that exists, and its manifest after all of them; the manifest.

    Args:
        folder: where to write.
        lists: what is exported.
        about: what the manifest says besides models, counts and files: week, tables, settings, unknown items.
    """
    guard = about["settings"]["csv_guard"]
    forms = {LONG_FORM: lists.long, WIDE_FORM: wide(lists.long, lists.customers, lists.places)}
    rows: dict[str, int] = {}
    for name, table in forms.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
        write_csv(table, folder / f"{name}.csv", guard=guard)
        rows |= {f"{name}.parquet": table.num_rows, f"{name}.csv": table.num_rows}
    described = dictionary({LONG_FORM: LONG, WIDE_FORM: wide_columns(lists.places)})
    write_csv(described, folder / DICTIONARY, guard=guard)
    rows[DICTIONARY] = described.num_rows
    files = [asdict(_exported(folder / name, count)) for name, count in rows.items()]
    told = {"customers_by_model": _by_model(lists.customers), "counts": counts(lists), "files": files}
    manifest = {"format": FORMAT, **about, **told}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def read_lists(folder: Path, manifest: Mapping[str, Any]) -> Lists:
    """The lists that an export holds, from its parquet files."""
    table = pq.read_table(folder / f"{WIDE_FORM}.parquet")
    places = sum(name.startswith("item_name_") for name in table.schema.names)
    customers = table.select(schema(PER_CUSTOMER).names)
    removed = {name: manifest["counts"][f"rows_removed_by_{name}"] for name in ("allow", "exclude")}
    return Lists(pq.read_table(folder / f"{LONG_FORM}.parquet"), customers, places, removed)


def counts(lists: Lists) -> dict[str, int]:
    """What the manifest counts."""
    customers = lists.customers
    short = pc.less(customers["items"], customers["wanted_items"])
    return {
        "customers": customers.num_rows,
        "customers_held_out": _true(customers["holdout"]),
        "customers_by_fallback": _true(pc.equal(customers["source"], "fallback")),
        "rows": lists.long.num_rows,
        "lists_shorter_than_wanted": _true(short),
        "lists_empty": _true(pc.equal(customers["items"], 0)),
        **{f"rows_removed_by_{name}": number for name, number in lists.removed.items()},
    }


def _by_model(customers: pa.Table) -> dict[str, int]:
    """Customers by the version that scored them."""
    counted = customers.group_by("model_version").aggregate([("customer", "count")]).sort_by("model_version")
    return {row["model_version"]: row["customer_count"] for row in counted.to_pylist()}


def _true(column: pa.ChunkedArray) -> int:
    return int(pc.sum(column).as_py() or 0)


def _exported(path: Path, rows: int) -> ExportedFile:
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return ExportedFile(path.name, rows, path.stat().st_size, sha256)
