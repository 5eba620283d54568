"""Land a retailer's files: by a mapping, or as they are when they are landing files already.

Rows in are lines landed plus rows refused plus rows that an earlier source has, too. What was refused, and why, is in
`land-report/` of the landing folder.
"""

import csv
import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TextIO

import pyarrow.compute as pc

from nextbasket_assets.arrivals import COMPANIONS
from nextbasket_assets.catalogue import FILE_NAME as PRODUCTS
from nextbasket_assets.intake.account import REFUSED, REFUSED_HEADER, LandReport, SourceCount
from nextbasket_assets.intake.batch import Batch
from nextbasket_assets.intake.delivery import deliver, look
from nextbasket_assets.intake.items import Items
from nextbasket_assets.intake.lines import Lines
from nextbasket_assets.intake.mapping import Mapping
from nextbasket_assets.intake.sources import (
    batches,
    find_beside,
    find_sources,
    not_read,
    refuse_changed,
    refuse_one_name,
    stamps,
)
from nextbasket_assets.intake.values import LAST_DAY
from nextbasket_assets.intake.weekly import Weekly
from nextbasket_assets.intake.workplace import workplace
from nextbasket_assets.landing import REPORT_FOLDER, LandingError, week_of
from nextbasket_assets.limits import MOST_REJECTED
from nextbasket_assets.retail_calendar import FILE_NAME as CALENDAR

Progress = Callable[[int], None]  # told how many more bytes of the sources were read


def land(
    places: list[Path],
    mapping: Mapping,
    out: Path,
    *,
    replace: bool = False,
    latest: date = LAST_DAY,
    most_refused: float = MOST_REJECTED,
    progress: Progress,
) -> LandReport:
    """Make weekly landing files of a retailer's transaction files; rows of a later day than `latest` are refused.

    Raises:
        LandingError: a file cannot be read or is still being written, more than the share `most_refused` of the rows does not
            fit, or a week would lose lines; nothing is delivered then, and what was refused is in the report.
    """
    _refuse_one_place(places, out)
    products = mapping.products.file if mapping.products else None
    sources = find_sources(places, besides=products)
    catalogues = find_beside(sources, products) if products else []
    before = stamps([*sources, *catalogues])
    items, report = Items(mapping), LandReport(not_read=not_read(places, [*before, out]))
    for catalogue in catalogues:
        items.read(catalogue)
    with workplace(out) as folder:
        weekly, rejects = Weekly(folder), folder / REFUSED
        with rejects.open("w", encoding="utf-8", newline="") as refused:
            csv.writer(refused, lineterminator="\n").writerow(REFUSED_HEADER)
            for source in sources:
                _read(source, mapping, items, latest, weekly, report, refused, progress)
        refuse_changed(before)
        try:
            report.refuse_few_landed(most_refused, out / REPORT_FOLDER)
        except LandingError:
            report.write(rejects, out / REPORT_FOLDER)
            raise
        _finish(weekly, items, report, out)
        prepared = [path for path in folder.iterdir() if path != rejects]
        report.files, report.products = deliver(prepared, out, replace=replace), len(items.rows)
        report.write(rejects, out / REPORT_FOLDER)
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
        weekly.append(sound, source.name)
        faults = _faults(batch, lines)
        csv.writer(refused, lineterminator="\n").writerows((source.name, *fault) for fault in faults)
        count.rows += batch.rows.num_rows + len(batch.malformed)
        count.landed += sound.num_rows
        count.refused += len(faults)
        report.reasons.update(reason for _, reason, _ in faults)
        report.quantities_rounded += lines.rounded()
        report.lines_without_a_product += items.unknown(sound["PROD_CODE"])
        report.without_last_line_end += [] if batch.ended else [source.name]
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


def _finish(weekly: Weekly, items: Items, report: LandReport, out: Path) -> None:
    for source, lines in weekly.take_out_repeats().items():
        report.sources[source].landed -= lines
        report.sources[source].repeated += lines
    weekly.compress()
    weekly.write_calendar(out / CALENDAR)
    if items.rows:
        if (out / PRODUCTS).exists():
            items.keep(out / PRODUCTS)
        items.write(weekly.folder / PRODUCTS)


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
    report, before = LandReport(not_read=not_read(places, [*sources, out])), stamps(sources)
    with workplace(out) as folder:
        for path in sources:
            shutil.copyfile(path, folder / path.name)
            progress(path.stat().st_size)
        refuse_changed(before)
        report.files = deliver(sorted(folder.iterdir()), out, replace=replace)
    report.sources = _counts([path for path in sources if week_of(path.name)])
    return report


def _counts(sources: list[Path]) -> dict[str, SourceCount]:
    """The lines of weekly files; those of a week's second file are the first one's."""
    counts: dict[str, SourceCount] = {}
    weeks: set[date] = set()
    for path in sources:
        file = look(path)
        repeated = file.lines if file.week in weeks else 0
        counts[path.name] = SourceCount(file.lines, file.lines - repeated, repeated=repeated)
        weeks.add(file.week)
    return counts


def _landing_files(place: Path) -> list[Path]:
    if not place.is_dir():
        raise LandingError(f"{place}: no such file or folder. Name the weekly files, or their folder.")
    found = [path for path in sorted(place.iterdir()) if week_of(path.name) or path.name in COMPANIONS]
    if not any(week_of(path.name) for path in found):
        raise LandingError(
            f"{place}: no transactions_YYYYWW.csv[.gz] there. Name the weekly files, or give a --mapping of other files."
        )
    return found
