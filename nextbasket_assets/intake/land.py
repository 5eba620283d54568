"""Land a retailer's files: by a mapping, or as they are when they are landing files already.

Rows in are lines landed plus rows refused; what was refused, and why, is in `land-report/` of the landing folder.
"""

import csv
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TextIO

import pyarrow.compute as pc

from nextbasket_assets.arrivals import COMPANIONS
from nextbasket_assets.catalogue import FILE_NAME as PRODUCTS
from nextbasket_assets.intake.delivery import Delivered, deliver, look
from nextbasket_assets.intake.items import Items
from nextbasket_assets.intake.lines import Lines
from nextbasket_assets.intake.mapping import Mapping
from nextbasket_assets.intake.sources import Batch, batches, find_sources, not_read, refuse_one_name
from nextbasket_assets.intake.values import LAST_DAY
from nextbasket_assets.intake.weekly import Weekly
from nextbasket_assets.landing import LandingError, week_of
from nextbasket_assets.retail_calendar import FILE_NAME as CALENDAR

REPORT_FOLDER = "land-report"  # a folder, so that no reader of the landing folder takes its files for a week
REFUSED_HEADER = ("source", "line", "reason", "content")

Progress = Callable[[int], None]  # told how many more bytes of the sources were read


@dataclass
class SourceCount:
    """A source: its rows, and what became of them."""

    rows: int = 0
    landed: int = 0
    refused: int = 0


@dataclass
class LandReport:
    """What a landing did."""

    sources: dict[str, SourceCount] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    quantities_rounded: int = 0
    products: int = 0
    files: list[Delivered] = field(default_factory=list)
    not_read: list[str] = field(default_factory=list)  # what else is in the folders that were named

    def as_json(self) -> dict[str, Any]:
        """The report as plain values; what was new is left out, so that landing again gives the same bytes."""
        weeks = {file.name: file.lines for file in self.files if file.lines is not None}
        kept = ("quantities_rounded", "products")
        return {
            "sources": {name: asdict(count) for name, count in self.sources.items()},
            "refused": dict(sorted(self.reasons.items())),
            **{name: getattr(self, name) for name in kept},
            "lines_of_weeks": weeks,
            "not_read": self.not_read,
        }


def land(
    places: list[Path],
    mapping: Mapping,
    out: Path,
    *,
    replace: bool = False,
    latest: date = LAST_DAY,
    progress: Progress,
) -> LandReport:
    """Make weekly landing files of a retailer's transaction files; rows of a later day than `latest` are refused.

    Raises:
        LandingError: a file cannot be read, no row fits, or a week would lose lines; the landing folder is as it was then.
    """
    _refuse_one_place(places, out)
    products = mapping.products.file if mapping.products else None
    sources = find_sources(places, besides=products)
    items, report = Items(mapping.products), LandReport(not_read=not_read(places, [*sources, out], besides=products))
    if products:
        items.read(sources[0].parent / products, mapping.csv)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".land-", dir=out) as name:
        weekly = Weekly(Path(name))
        with (weekly.folder / "refused_lines.csv").open("w", encoding="utf-8", newline="") as refused:
            csv.writer(refused, lineterminator="\n").writerow(REFUSED_HEADER)
            for source in sources:
                _read(source, mapping, items, latest, weekly, report, refused, progress)
        _refuse_nothing_landed(report)
        _finish(weekly, items, out)
        prepared = [path for path in weekly.folder.iterdir() if path.name != "refused_lines.csv"]
        report.files, report.products = deliver(prepared, out, replace=replace), len(items.rows)
        _write_report(report, weekly.folder / "refused_lines.csv", out / REPORT_FOLDER)
    return report


def _read(
    source: Path,
    mapping: Mapping,
    items: Items,
    latest: date,
    weekly: Weekly,
    report: LandReport,
    refused: TextIO,
    progress: Progress,
) -> None:
    count = report.sources[source.name] = SourceCount()
    read = 0
    for batch in batches(source, mapping.names(), mapping.csv):
        if items.in_lines:
            items.take(batch.rows)
        lines = Lines(batch.rows, mapping, items, batch.decimal, latest)
        sound = lines.sound()
        weekly.append(sound)
        faults = _faults(batch, lines)
        csv.writer(refused, lineterminator="\n").writerows((source.name, *fault) for fault in faults)
        count.rows += batch.rows.num_rows + len(batch.malformed)
        count.landed += sound.num_rows
        count.refused += len(faults)
        report.reasons.update(reason for _, reason, _ in faults)
        report.quantities_rounded += lines.rounded()
        progress(batch.read - read)
        read = batch.read


def _faults(batch: Batch, lines: Lines) -> list[tuple[int, str, str]]:
    """(line, reason, content) of the refused rows of a batch, in the order of the file."""
    broken = pc.is_valid(lines.reason)
    numbers = batch.numbers[broken.to_numpy(zero_copy_only=False)]
    reasons = lines.reason.filter(broken).to_pylist()
    contents = [json.dumps(row, ensure_ascii=False) for row in batch.rows.filter(broken).to_pylist()]
    read = [(int(number), why, text) for number, why, text in zip(numbers, reasons, contents, strict=True)]
    return sorted([*read, *((number, why, text) for number, (why, text) in batch.malformed.items())])


def _refuse_one_place(places: list[Path], out: Path) -> None:
    if any(place.resolve() == out.resolve() for place in places):
        raise LandingError(
            f"{out}: the source and --out must differ, or what is landed would be read as an export. "
            "Name another folder as --out."
        )


def _refuse_nothing_landed(report: LandReport) -> None:
    if not any(count.landed for count in report.sources.values()):
        why = report.reasons.most_common(1)
        said = f"most often {why[0][0]!r}, {why[0][1]} times" if why else "the files hold no row"
        raise LandingError(f"no row could be landed: {said}. Correct the mapping; see docs/your-data.md.")


def _finish(weekly: Weekly, items: Items, out: Path) -> None:
    weekly.compress()
    weekly.write_calendar(out / CALENDAR)
    if items.rows:
        if (out / PRODUCTS).exists():
            items.keep(out / PRODUCTS)
        items.write(weekly.folder / PRODUCTS)


def _write_report(report: LandReport, refused: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    refused.replace(folder / refused.name)
    (folder / "report.json").write_text(json.dumps(report.as_json(), indent=1) + "\n", encoding="utf-8")


def land_as_is(places: list[Path], out: Path, *, replace: bool = False, progress: Progress) -> LandReport:
    """Copy landing files, and what belongs beside them, into the landing folder under a temporary name, then rename them.

    Raises:
        LandingError: a file is no landing file or is not sound, two have one name or are of one week, or a week would lose
            lines; nothing was delivered then.
    """
    _refuse_one_place(places, out)
    sources = [path for place in places for path in ([place] if place.is_file() else _landing_files(place))]
    for path in sources:
        if week_of(path.name) is None and path.name not in COMPANIONS:
            raise LandingError(
                f"{path.name}: not a landing file. Name it transactions_YYYYWW.csv[.gz], or give a --mapping of its columns."
            )
    refuse_one_name(sources)
    report = LandReport(not_read=not_read(places, [*sources, out]))
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".land-", dir=out) as name:
        for path in sources:
            shutil.copyfile(path, Path(name) / path.name)
            progress(path.stat().st_size)
        report.files = deliver(sorted(Path(name).iterdir()), out, replace=replace)
    for path in sources:
        if week_of(path.name):
            lines = look(path).lines
            report.sources[path.name] = SourceCount(lines, lines)
    return report


def _landing_files(place: Path) -> list[Path]:
    if not place.is_dir():
        raise LandingError(f"{place}: no such file or folder. Name the weekly files, or their folder.")
    found = [path for path in sorted(place.iterdir()) if week_of(path.name) or path.name in COMPANIONS]
    if not any(week_of(path.name) for path in found):
        raise LandingError(
            f"{place}: no transactions_YYYYWW.csv[.gz] there. Name the weekly files, or give a --mapping of other files."
        )
    return found
