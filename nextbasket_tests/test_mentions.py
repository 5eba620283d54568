import csv
import json
from io import BytesIO, StringIO

import pytest

from nextbasket_assets.mentions import mentions


@pytest.mark.parametrize(
    "text", ["BOB,x", "x,BOB", "BOB", '"BOB"\n', "x" * (1 << 20) + "\nBOB\n", "x" * ((1 << 20) - 2) + ",BOB"]
)
def test_a_code_that_is_a_field_is_found(text: str) -> None:
    """At the start, at the end without a line end, and across two blocks; not as the start or the end of another code."""
    assert mentions(BytesIO(text.encode()), "BOB")
    assert not mentions(BytesIO(text.replace("BOB", "BOB1").encode()), "BOB")
    assert not mentions(BytesIO(text.replace("BOB", "_BOB").encode()), "BOB")


@pytest.mark.parametrize("text", ["x;1;y", "x\t1\ty", "x| 1 |y", "'1',x", 'a.csv,7,no day,"x,""1"",y"\n'])
def test_a_field_is_found_however_a_retailer_parts_them(text: str) -> None:
    """Semicolons, tabs, bars, spaces and quotes around it, and a refused row that stands in one field."""
    assert mentions(BytesIO(text.encode()), "1")


@pytest.mark.parametrize("row", [{"member": "AB 12", "sku": ""}, {"sku": "", "member": "AB 12"}])
def test_a_field_of_a_refused_row_is_found(row: dict[str, str]) -> None:
    """A mapping keeps a refused row as a JSON object in a field, with the code as the retailer wrote it."""
    text = StringIO()
    csv.writer(text).writerow(("a.csv", 3, "PROD_CODE is empty", json.dumps(row)))

    assert mentions(BytesIO(text.getvalue().encode()), "AB 12")
    assert not mentions(BytesIO(text.getvalue().encode()), "AB 1")


@pytest.mark.parametrize("text", ["2006-04-10,1.50", "9:1:2006", "-1", "in 1 of 2006 rows", '{"rows": 2006}'])
def test_a_number_in_something_else_is_no_code(text: str) -> None:
    """Integer codes are not found in days, prices, hours, negative numbers and sentences."""
    assert not any(mentions(BytesIO(text.encode()), code) for code in ("1", "2006"))


def test_a_code_with_a_quote_is_found_as_csv_writes_it() -> None:
    """A quote in a code is two in a CSV file."""
    assert mentions(BytesIO(b'x,"B""B",y\n'), 'B"B')


def test_what_is_no_text_is_not_called_clean() -> None:
    """In bytes with a NUL, a packed file or text of two bytes a character, nobody can tell."""
    with pytest.raises(ValueError):  # noqa: PT011  # it says nothing more
        mentions(BytesIO("x,BOB\n".encode("utf-16")), "BOB")
