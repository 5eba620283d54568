"""Names and categories of the retailer's items: looked up for the lines, and written as the landing folder's products.csv."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from nextbasket_assets.catalogue import LEVELS
from nextbasket_assets.intake import values
from nextbasket_assets.intake.mapping import Mapping
from nextbasket_assets.intake.sources import batches
from nextbasket_assets.landing import LandingError
from nextbasket_assets.landing_text import small_table


class Items:
    """One row per item: its code, its name, and code and name of its categories.

    The first row of a code counts; what it leaves empty is taken of later ones.
    """

    def __init__(self, mapping: Mapping) -> None:
        products = mapping.products
        self._mapping = mapping
        self._columns: dict[str, list[str]] = products.columns if products else {}
        self._named = list(dict.fromkeys(name for columns in self._columns.values() for name in columns))
        self.in_lines = products is not None and products.file is None
        self.levels = [level for level in LEVELS if f"PROD_CODE_{level}" in self._columns]
        self.rows: dict[str, tuple[str, ...]] = {}
        self._kept: list[str] = []  # columns of an earlier products.csv that these products have not
        self._lookup: dict[str, pa.Array] | None = None

    def header(self) -> list[str]:
        """Columns of products.csv."""
        kinds = [f"PROD_{kind}_{level}" for level in self.levels for kind in ("CODE", "NAME")]
        return ["PROD_CODE", "PROD_NAME", *kinds, *self._kept]

    def read(self, path: Path) -> None:
        """Take the rows of a file.

        Raises:
            LandingError: the file cannot be read, or lacks a column.
        """
        for batch in batches(path, self._named, self._mapping.csv):
            self.take(batch.rows)

    def take(self, rows: pa.RecordBatch) -> None:
        """Take the items of these rows."""
        distinct = pa.table(rows.select(self._named)).group_by(self._named, use_threads=False).aggregate([])
        for row in distinct.to_pylist():
            found = {name: [row[column] or "" for column in columns] for name, columns in self._columns.items()}
            code = self._code("PROD_CODE", found)
            cells = (code, _name(found.get("PROD_NAME", [])), *self._categories(found))
            if code and (filled := self._filled(self.rows.get(code, cells), cells)) != self.rows.get(code):
                self.rows[code], self._lookup = filled, None

    def keep(self, path: Path) -> None:
        """Keep what an earlier products.csv has besides: items, for an export names what it sold, and columns.

        Raises:
            LandingError: it is no CSV file in UTF-8, or has other columns.
        """
        with path.open("rb") as stream:
            columns, rows = small_table(stream, path.name)
        if not {"PROD_CODE", "PROD_NAME"} <= set(columns):
            raise LandingError(
                f"{path}: no column PROD_CODE or PROD_NAME. Name the columns PROD_CODE and PROD_NAME, or move the file away."
            )
        known = self.header()
        kept = [name for name in dict.fromkeys(columns) if name and name not in known]
        earlier = {row["PROD_CODE"]: row for row in reversed(rows) if row["PROD_CODE"]}
        for code in [*self.rows, *(code for code in earlier if code not in self.rows)]:
            row = earlier.get(code, {})
            cells = tuple(row.get(name, "") for name in known)
            own = self._filled(self._named_before(self.rows[code], cells), cells) if code in self.rows else cells
            self.rows[code] = (*own, *(row.get(name, "") for name in kept))
        self._kept, self._lookup = [*self._kept, *kept], None

    def _categories(self, found: dict[str, list[str]]) -> list[str]:
        cells = []
        for level in self.levels:
            code = self._code(f"PROD_CODE_{level}", found)
            cells += [code, _name(found.get(f"PROD_NAME_{level}", found[f"PROD_CODE_{level}"]))]
        return cells

    def _named_before(self, row: tuple[str, ...], earlier: tuple[str, ...]) -> tuple[str, ...]:
        """The row with the names that its categories had, at levels for which the mapping has no name but the code."""
        cells = list(row)
        for at, level in zip(range(2, len(row), 2), self.levels, strict=True):
            if f"PROD_NAME_{level}" not in self._columns and earlier[at] == row[at]:
                cells[at + 1] = earlier[at + 1] or row[at + 1]
        return tuple(cells)

    def _code(self, field: str, found: dict[str, list[str]]) -> str:
        return values.joined([self._mapping.recoded(field, text) for text in found[field]])

    def _filled(self, row: tuple[str, ...], later: tuple[str, ...]) -> tuple[str, ...]:
        """The row with what it leaves empty; a category's name goes with its code."""
        cells = [row[0], row[1] or later[1]]
        for at in range(len(cells), len(row), 2):
            code, name = row[at : at + 2] if row[at] else later[at : at + 2]
            cells += [code, name or (later[at + 1] if code == later[at] else "")]
        return tuple(cells)

    def categories(self, field: str, codes: pa.Array) -> pa.Array:
        """The category of these items at a level (PROD_CODE_10 and the like); empty for unknown items and levels."""
        if field not in self.header():
            return pa.repeat(pa.scalar(""), len(codes))
        cells = self._by_column()
        return pc.fill_null(cells[field].take(pc.index_in(codes, value_set=cells["PROD_CODE"])), "")

    def unknown(self, codes: pa.ChunkedArray) -> int:
        """How many of these codes the products file has no row of; none where products are in the lines, or nowhere."""
        if not self._columns or self.in_lines:
            return 0
        return len(codes) - int(pc.sum(pc.is_in(codes, value_set=self._by_column()["PROD_CODE"])).as_py() or 0)

    def _by_column(self) -> dict[str, pa.Array]:
        if self._lookup is None:
            columns = list(zip(*self.rows.values(), strict=True)) or [()] * len(self.header())
            self._lookup = {
                name: pa.array(column, pa.string()) for name, column in zip(self.header(), columns, strict=True)
            }
        return self._lookup

    def write(self, path: Path) -> None:
        """products.csv, sorted by code."""
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(self.header())
            writer.writerows(self._with_names(self.rows[code]) for code in sorted(self.rows))

    def _with_names(self, row: tuple[str, ...]) -> list[str]:
        """The row with codes for the names that are empty."""
        own = 2 + 2 * len(self.levels)
        pairs = zip(row[:own:2], row[1:own:2], strict=True)
        return [*(cell for code, name in pairs for cell in (code, name or code)), *row[own:]]


def _name(parts: list[str]) -> str:
    return " ".join(" ".join(parts).split())
