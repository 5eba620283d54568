from io import BytesIO

import pytest

from nextbasket_assets.mentions import mentions


@pytest.mark.parametrize(
    "text", ["BOB,x", "x,BOB", "BOB", '"BOB"\n', "x" * (1 << 20) + "\nBOB\n", "x" * ((1 << 20) - 2) + ",BOB"]
)
def test_a_code_that_stands_by_itself_is_found(text: str) -> None:
    """At the start, at the end without a line end, and across two blocks; not as the start or the end of another code."""
    assert mentions(BytesIO(text.encode()), "BOB")
    assert not mentions(BytesIO(text.replace("BOB", "BOB1").encode()), "BOB")
    assert not mentions(BytesIO(text.replace("BOB", "_BOB").encode()), "BOB")


def test_a_code_with_a_quote_is_found_as_csv_writes_it() -> None:
    """A quote in a code is two in a CSV file."""
    assert mentions(BytesIO(b'x,"B""B",y\n'), 'B"B')
