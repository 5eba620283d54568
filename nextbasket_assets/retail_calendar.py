"""The retailer's calendar: `time.csv` beside the weekly files, where there is one. It says which weeks exist.

Standard library only.
"""

from datetime import date
from typing import BinaryIO

from nextbasket_assets.landing import LandingError, monday
from nextbasket_assets.landing_text import small_table

FILE_NAME = "time.csv"
_COLUMNS = ("shop_week", "date_from")


def read_calendar(stream: BinaryIO) -> frozenset[date]:
    """Mondays of the weeks that a time.csv lists.

    Raises:
        LandingError: a column is missing, or a week does not begin on the day that its number means.
    """
    columns, rows = small_table(stream, FILE_NAME)
    missing = sorted(set(_COLUMNS) - set(columns))
    if missing:
        raise LandingError(
            f"{FILE_NAME}: no column {', '.join(missing)}. Name them {', '.join(_COLUMNS)}, or remove it."
        )
    weeks = set()
    for number, row in enumerate(rows, start=2):
        try:
            week = monday(row["shop_week"])
        except ValueError as error:
            raise LandingError(f"{FILE_NAME}: line {number}: {error}. Correct the line, or remove the file.") from error
        if row["date_from"] != f"{week:%Y%m%d}":
            raise LandingError(
                f"{FILE_NAME}: line {number}: week {row['shop_week']} begins on {week:%Y%m%d}, not on the day given. "
                "Correct the line, or remove the file."
            )
        weeks.add(week)
    return frozenset(weeks)
