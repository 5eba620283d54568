"""Lines to weekly files: appended week by week in the order of the source, so that memory does not grow and bytes repeat.

What exports have in common is found week by week at the end, by a hash of each line.
"""

import csv
import gzip
import shutil
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
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
        lines: by week code and source, in the order they were added.
    """

    folder: Path
    lines: dict[str, Counter[str]] = field(default_factory=dict)

    def append(self, table: pa.Table, source: str) -> None:
        """Add lines of a source, the 22 fields as text, to the files of their weeks; one source after the other."""
        for week in pc.unique(table["SHOP_WEEK"]).to_pylist():
            part = table.filter(pc.equal(table["SHOP_WEEK"], week))
            with self._plain(week).open("ab") as stream:
                if week not in self.lines:
                    stream.write((",".join(FIELDS) + "\n").encode())
                pa.csv.write_csv(part, stream, _PLAIN)
            self.lines.setdefault(week, Counter())[source] += part.num_rows

    def take_out_repeats(self) -> Counter[str]:
        """Keep a line that several sources have as often as the one that has it most often. How many went, by source.

        Exports of the last ten days overlap; a line that one source has twice may be two scans.
        """
        gone: Counter[str] = Counter()
        for week, lines in self.lines.items():
            if len(lines) > 1:
                gone += self._merged(self._plain(week), lines)
        return gone

    def _merged(self, plain: Path, lines: Counter[str]) -> Counter[str]:
        gone: Counter[str] = Counter()
        there: Counter[int] = Counter()  # of the sources before
        everything = plain.rename(plain.with_suffix(".all"))
        with everything.open("rb") as old, plain.open("wb") as new:
            new.write(next(old))
            for source, count in lines.items():
                here: Counter[int] = Counter()
                for line in islice(old, count):
                    here[hash(line)] += 1
                    repeated = here[hash(line)] <= there[hash(line)]
                    gone[source] += repeated
                    new.write(b"" if repeated else line)
                there |= here
        everything.unlink()
        return gone

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
