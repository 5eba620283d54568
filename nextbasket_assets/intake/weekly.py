"""Lines to weekly files: appended week by week in the order of the source, so that memory does not grow and bytes repeat."""

import csv
import gzip
import shutil
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from nextbasket_assets.landing import FIELDS, monday, week_code
from nextbasket_assets.retail_calendar import FILE_NAME, read_calendar

_PLAIN = pa.csv.WriteOptions(include_header=False, quoting_style="none")  # no field holds a comma or a quote


@dataclass
class Weekly:
    """The weekly files in the making, in a folder of their own.

    Attributes:
        folder: where they are.
        lines: by week code.
    """

    folder: Path
    lines: dict[str, int] = field(default_factory=dict)

    def append(self, table: pa.Table) -> None:
        """Add lines, the 22 fields as text, to the files of their weeks."""
        for week in pc.unique(table["SHOP_WEEK"]).to_pylist():
            part = table.filter(pc.equal(table["SHOP_WEEK"], week))
            with self._plain(week).open("ab") as stream:
                if week not in self.lines:
                    stream.write((",".join(FIELDS) + "\n").encode())
                pa.csv.write_csv(part, stream, _PLAIN)
            self.lines[week] = self.lines.get(week, 0) + part.num_rows

    def compress(self) -> None:
        """Make a `.csv.gz` of each file, with equal bytes for equal text."""
        for week in self.lines:
            plain = self._plain(week)
            with (
                plain.open("rb") as source,
                plain.with_name(f"{plain.name}.gz").open("wb") as raw,
                gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as packed,
            ):
                shutil.copyfileobj(source, packed)
            plain.unlink()

    def write_calendar(self, earlier: Path) -> None:
        """time.csv: what the week codes mean, from the first week to the last, those of an earlier one included."""
        weeks = {monday(week) for week in self.lines}
        if earlier.exists():
            with earlier.open("rb") as stream:
                weeks |= read_calendar(stream)
        with (self.folder / FILE_NAME).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(("shop_week", "date_from", "date_to"))
            week = min(weeks)
            while week <= max(weeks):
                writer.writerow((week_code(week), f"{week:%Y%m%d}", f"{week + timedelta(days=6):%Y%m%d}"))
                week += timedelta(weeks=1)

    def _plain(self, week: str) -> Path:
        return self.folder / f"transactions_{week}.csv"
