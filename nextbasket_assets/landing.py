"""The landing file: its name, its header, and what a sound one is.

A landing file is `transactions_YYYYWW.csv` or `.csv.gz`: a header, then one line per basket and item, of one retail
week. Columns are found by name, in any order, in the three dialects that are in circulation. What to do about
the files of a folder is in `arrivals`. Standard library only.
"""

import difflib
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import BinaryIO

from nextbasket_assets.landing_text import Counted, Text, chunks
from nextbasket_assets.landing_text import LandingError as LandingError

REPORT_FOLDER = "land-report"  # of the last landing, a folder, so that no reader takes its files for a week
UNFINISHED = ".land-"  # how the folder of a landing that is at work, or was killed, begins
NAME = re.compile(r"transactions_([0-9]{6})\.csv(\.gz)?")

# Field of the transaction -> the header names that mean it, the documented one first.
FIELDS: dict[str, tuple[str, ...]] = {
    "SHOP_WEEK": ("SHOP_WEEK",),
    "SHOP_DATE": ("SHOP_DATE",),
    "SHOP_WEEKDAY": ("SHOP_WEEKDAY",),
    "SHOP_HOUR": ("SHOP_HOUR",),
    "QUANTITY": ("QUANTITY",),
    "SPEND": ("SPEND", "SFNND"),
    "PROD_CODE": ("PROD_CODE",),
    "PROD_CODE_10": ("PROD_CODE_10",),
    "PROD_CODE_20": ("PROD_CODE_20",),
    "PROD_CODE_30": ("PROD_CODE_30",),
    "PROD_CODE_40": ("PROD_CODE_40",),
    "CUST_CODE": ("CUST_CODE",),
    "CUST_PRICE_SENSITIVITY": ("CUST_PRICE_SENSITIVITY", "seg_1"),
    "CUST_LIFESTAGE": ("CUST_LIFESTAGE", "seg_2"),
    "BASKET_ID": ("BASKET_ID",),
    "BASKET_SIZE": ("BASKET_SIZE",),
    "BASKET_PRICE_SENSITIVITY": ("BASKET_PRICE_SENSITIVITY",),
    "BASKET_TYPE": ("BASKET_TYPE", "BASKET_TYFN"),
    "BASKET_DOMINANT_MISSION": ("BASKET_DOMINANT_MISSION",),
    "STORE_CODE": ("STORE_CODE",),
    "STORE_FORMAT": ("STORE_FORMAT",),
    "STORE_REGION": ("STORE_REGION",),
}

# Fields that hold one of these codes, or nothing; letters first, then what the current release writes for them.
PRICE_CODES = {"AZ": "LA", "CT": "MM", "BG": "UM", "DY": "XX"}
LIFESTAGE_CODES = {"BU": "OT", "DI": "YF", "AT": "YA", "CZ": "OA", "FN": "PE", "EQ": "OF"}
LABELS: dict[str, tuple[str, ...]] = {
    "CUST_PRICE_SENSITIVITY": (*PRICE_CODES.values(), *PRICE_CODES),
    "CUST_LIFESTAGE": (*LIFESTAGE_CODES.values(), "XX", *LIFESTAGE_CODES),  # no letters stand for XX
    "BASKET_SIZE": ("S", "M", "L"),
    "BASKET_PRICE_SENSITIVITY": ("LA", "MM", "UM", "XX"),
    "BASKET_TYPE": ("Small Shop", "Top Up", "Full Shop", "XX"),
    "BASKET_DOMINANT_MISSION": ("Fresh", "Grocery", "Mixed", "Nonfood", "XX", "Non Food"),
    "STORE_FORMAT": ("SS", "MS", "LS", "XLS"),
}

EMPTY_WEEK = "an_empty_week"

JOINT = "~"  # between the parts of a code that `land` makes of several columns
CUT_CODE = rf"{JOINT}{{2}}[0-9a-f]{{16}}\z"  # the end of a code that `land` has cut, for it had more than 64 characters

# What a spreadsheet or a float makes of a long basket id, or of a part of one: 9.94E+14; 99410010.0. `land` writes a
# comma as in a URL. Every other id is the retailer's own. Java and Arrow's RE2 read it.
DAMAGED_ID = rf"(?:^|{JOINT})\d+((?:[.,]|%2C)\d+)?[eE]\+\d+(?:{JOINT}|\z)|^\d+\.0\z"

_FIRST_MONDAY = date(2006, 2, 27)  # of retail week 200601; every retail year has 52 weeks
_WEEKS_PER_YEAR = 52


class EmptyWeekError(LandingError):
    """A file without rows, which nobody allowed to empty its week."""


@dataclass(frozen=True)
class LandingFile:
    """What a sound file holds, found by reading it once."""

    name: str
    week: date  # Monday
    sha256: str  # of the uncompressed text, so that compressing a file again does not make it a correction
    bytes: int  # as delivered
    lines: int  # data lines; the header is not counted
    header: tuple[str, ...]
    extra_columns: tuple[str, ...]  # header names that no table takes


def monday(code: str) -> date:
    """First day of retail week `YYYYWW`.

    Raises:
        ValueError: not six digits, or the week is not 01 to 52.
    """
    if not re.fullmatch(r"[0-9]{6}", code) or not 1 <= int(code[4:]) <= _WEEKS_PER_YEAR:
        raise ValueError(f"{code[:20]!r} is no retail week: expected YYYYWW with WW from 01 to {_WEEKS_PER_YEAR}")
    weeks = _WEEKS_PER_YEAR * (int(code[:4]) - _FIRST_MONDAY.year) + int(code[4:]) - 1
    return _FIRST_MONDAY + timedelta(weeks=weeks)


def week_code(week: date) -> str:
    """The retailer's `YYYYWW` of the week that starts on this Monday.

    Raises:
        ValueError: the date is not a Monday.
    """
    weeks, days = divmod((week - _FIRST_MONDAY).days, 7)
    if days:
        raise ValueError(f"{week} is not a Monday: a retail week is named by its first day")
    years, weeks = divmod(weeks, _WEEKS_PER_YEAR)
    return f"{_FIRST_MONDAY.year + years:04d}{weeks + 1:02d}"


def span_code(first: date, last: date) -> str:
    """A range of weeks in one word, for tags: `200607-200613`, or `200607` for a single one."""
    return "-".join(dict.fromkeys((week_code(first), week_code(last))))


def week_of(name: str) -> date | None:
    """The week that a landing name stands for; None when the name is outside the grammar or the week does not exist."""
    match = NAME.fullmatch(name)
    try:
        return monday(match[1]) if match else None
    except ValueError:
        return None


def extra_columns(header: tuple[str, ...]) -> tuple[str, ...]:
    """Header names that mean no field: accepted, and not read."""
    known = {column for accepted in FIELDS.values() for column in accepted}
    return tuple(column for column in header if column not in known)


def field_positions(header: tuple[str, ...], name: str) -> dict[str, int]:
    """Index in the header of every field of FIELDS.

    Raises:
        LandingError: a field is missing or is there twice; the message names the column and the nearest one found.
    """
    known = {column.casefold() for accepted in FIELDS.values() for column in accepted}
    if not known & {column.casefold() for column in header}:  # then it may be data, which no message may show
        raise LandingError(
            f"{name}: the first line has none of the column names. Put a header with the names {', '.join(FIELDS)} "
            "above the lines, separated by commas, and deliver the file again."
        )
    repeated = sorted({column for column in header if header.count(column) > 1})
    if repeated:
        raise LandingError(f"{name}: column {repeated[0][:40]!r} is there more than once. Keep one of them.")
    positions, unknown = {}, extra_columns(header)
    for field, accepted in FIELDS.items():
        found = [index for index, column in enumerate(header) if column in accepted]
        if len(found) > 1:
            raise LandingError(f"{name}: column {field} is there {len(found)} times. Keep one of them.")
        if not found:
            folded = {column.casefold(): column for column in unknown}
            near = difflib.get_close_matches(field.casefold(), folded, n=1, cutoff=0.5)
            nearest = f"the nearest name found is {folded[near[0]][:40]!r}" if near else "nothing like it was found"
            raise LandingError(
                f"{name}: column {field} is missing; {nearest}. Expected the name {' or '.join(accepted)}: "
                "correct the header and deliver the file again."
            )
        positions[field] = found[0]
    return positions


def inspect(stream: BinaryIO, name: str, *, allow_empty: bool = False) -> LandingFile:
    """Read a landing file once, in constant memory, and say what it holds.

    Args:
        stream: the file as delivered.
        name: its name.
        allow_empty: whether a header without rows is a sound file, which empties its week.

    Raises:
        LandingError: the file is empty, cut, no text, too long, or lacks a column.
        EmptyWeekError: it holds no row, and may not.
    """
    week = week_of(name)
    if week is None:
        raise LandingError(f"{name[:80]!r}: not a landing name. Expected transactions_YYYYWW.csv or .csv.gz.")
    counted = Counted(stream)
    text = Text(name)
    for chunk in chunks(counted, name):
        text.take(chunk)
    header = text.finish()
    field_positions(header, name)
    lines = text.newlines - 1
    found = LandingFile(name, week, text.sha256(), counted.bytes, lines, header, extra_columns(header))
    if not allow_empty:
        require_rows(found)
    return found


def require_rows(file: LandingFile) -> None:
    """Check that a file holds a row: one that empties its week is taken by a run that is told so.

    Raises:
        EmptyWeekError: it does not.
    """
    if not file.lines:
        raise EmptyWeekError(
            f"{file.name}: 0 rows, only a header, expected > 0. Deliver the week's transactions; if the week is to be "
            f"empty, run it with the tag nextbasket/allow={EMPTY_WEEK}."
        )
