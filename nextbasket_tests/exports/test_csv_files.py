"""What a spreadsheet would run is disarmed, and nothing else is touched."""

from pathlib import Path

import pyarrow as pa
import pytest

from nextbasket_assets.exports.csv_files import guarded, write_csv

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x","y")']
HARMLESS = ["oat milk", "a=b", "3-in-1", "", "'=1", None, "00123", "naïve"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    """Every start that OWASP names; in every text column."""
    table = guarded(pa.table({"a": [text], "b": ["x"], "c": pa.array([text], pa.string())}))

    assert table.to_pylist() == [{"a": f"'{text}", "b": "x", "c": f"'{text}"}]


def test_everything_else_stays_as_it_is() -> None:
    """Dangerous signs inside a text, empty cells, nulls and numbers below 0 are left alone."""
    table = pa.table({"text": HARMLESS, "number": [-1.5] * len(HARMLESS)})

    assert guarded(table).equals(table)


def test_the_guard_can_be_turned_off(tmp_path: Path) -> None:
    """Without it the file has the value as it is; quotes keep separators and line ends inside a cell."""
    table = pa.table({"text": ['=1,"2"\n']})
    write_csv(table, tmp_path / "on.csv", guard=True)
    write_csv(table, tmp_path / "off.csv", guard=False)

    assert (tmp_path / "on.csv").read_text() == '"text"\n"\'=1,""2""\n"\n'
    assert (tmp_path / "off.csv").read_text() == '"text"\n"=1,""2""\n"\n'
