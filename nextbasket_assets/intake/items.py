"""Names and categories of the retailer's items: looked up for the lines, and written as the landing folder's products.csv."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from nextbasket_assets.catalogue import LEVELS
from nextbasket_assets.intake import values
from nextbasket_assets.intake.mapping import Csv, Products
from nextbasket_assets.intake.sources import batches
from nextbasket_assets.landing import LandingError


class Items:
    """One row per item: its code, its name, and code and name of its categories. The first row of a code counts."""

    def __init__(self, products: Products | None) -> None:
        self._columns: dict[str, list[str]] = products.columns if products else {}
        self.in_lines = products is not None and products.file is None
        self.levels = [level for level in LEVELS if f"PROD_CODE_{level}" in self._columns]
        self.rows: dict[str, tuple[str, ...]] = {}
        self._lookup: tuple[pa.Array, dict[str, pa.Array]] | None = None

    def header(self) -> list[str]:
        """Columns of products.csv."""
        kinds = [f"PROD_{kind}_{level}" for level in self.levels for kind in ("CODE", "NAME")]
        return ["PROD_CODE", "PROD_NAME", *kinds]

    def read(self, path: Path, text: Csv) -> None:
        """Take the rows of a file.

        Raises:
            LandingError: the file cannot be read, or lacks a column.
        """
        if not path.is_file():
            raise LandingError(
                f"{path}: no such products file. Put it beside the transactions, or correct products.file."
            )
        named = list(dict.fromkeys(name for columns in self._columns.values() for name in columns))
        for batch in batches(path, named, text):
            self.take(batch.rows)

    def take(self, rows: pa.RecordBatch) -> None:
        """Take the items of these rows."""
        named = list(dict.fromkeys(name for columns in self._columns.values() for name in columns))
        distinct = pa.table(rows.select(named)).group_by(named, use_threads=False).aggregate([])
        for row in distinct.to_pylist():
            found = {name: [row[column] or "" for column in columns] for name, columns in self._columns.items()}
            code = values.joined(found["PROD_CODE"])
            if code and code not in self.rows:
                self.rows[code] = (code, _name(found.get("PROD_NAME", []), code), *self._categories(found))
                self._lookup = None

    def keep(self, path: Path) -> None:
        """Keep the items of an earlier products.csv that are not known now: an export names what it sold."""
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                self.rows.setdefault(row["PROD_CODE"], tuple(row.get(name) or "" for name in self.header()))

    def _categories(self, found: dict[str, list[str]]) -> list[str]:
        cells = []
        for level in self.levels:
            code = values.joined(found[f"PROD_CODE_{level}"])
            cells += [code, _name(found.get(f"PROD_NAME_{level}", found[f"PROD_CODE_{level}"]), code)]
        return cells

    def categories(self, field: str, codes: pa.Array) -> pa.Array:
        """The category of these items at a level (PROD_CODE_10 and the like); empty for unknown items and levels."""
        if field not in self.header():
            return pa.repeat(pa.scalar(""), len(codes))
        if self._lookup is None:
            columns = list(zip(*self.rows.values(), strict=True)) or [()] * len(self.header())
            arrays = {name: pa.array(column, pa.string()) for name, column in zip(self.header(), columns, strict=True)}
            self._lookup = (arrays["PROD_CODE"], arrays)
        known, arrays = self._lookup
        return pc.fill_null(arrays[field].take(pc.index_in(codes, value_set=known)), "")

    def write(self, path: Path) -> None:
        """products.csv, sorted by code."""
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(self.header())
            writer.writerows(self.rows[code] for code in sorted(self.rows))


def _name(parts: list[str], code: str) -> str:
    return " ".join(" ".join(parts).split()) or code
