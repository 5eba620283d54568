"""CSV that a spreadsheet opens without running anything in it.

A cell that starts with = + - @, a tab, a carriage return or a line feed is a formula to some programs (OWASP, "CSV Injection");
such a cell gets a leading apostrophe. That changes the value, so it can be turned off, and parquet never has it.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

_STARTS = r"^[=+\-@\t\r\n]"


def write_csv(table: pa.Table, path: Path, *, guard: bool) -> None:
    """Write a table as UTF-8 CSV: text in quotes, nothing for null, dates as YYYY-MM-DD, one header line."""
    pa.csv.write_csv(guarded(table) if guard else table, path)


def guarded(table: pa.Table) -> pa.Table:
    """The table with an apostrophe before every text that a spreadsheet would run."""
    for index, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            column = table.column(index)
            harmless = pc.binary_join_element_wise("'", column, "")
            table = table.set_column(
                index, field, pc.if_else(pc.match_substring_regex(column, _STARTS), harmless, column)
            )
    return table
