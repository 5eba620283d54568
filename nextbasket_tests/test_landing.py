"""Landing files: names, weeks, headers, and the faults that keep a file out."""

import gzip
import io
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbasket_assets.landing import (
    FIELDS,
    LandingError,
    extra_columns,
    field_positions,
    inspect,
    monday,
    week_code,
    week_of,
)

A = tuple(FIELDS)
B = tuple({"CUST_PRICE_SENSITIVITY": "seg_1", "CUST_LIFESTAGE": "seg_2"}.get(name, name) for name in A)
C = tuple({"SPEND": "SFNND", "BASKET_TYPE": "BASKET_TYFN"}.get(name, name) for name in B)
NAME = "transactions_200607.csv"
TEXT = (",".join(B) + "\n" + ",".join("x" for _ in B) + "\n").encode()


@pytest.mark.parametrize(
    ("code", "day"),
    [
        ("200601", date(2006, 2, 27)),
        ("200607", date(2006, 4, 10)),
        ("200652", date(2007, 2, 19)),
        ("200701", date(2007, 2, 26)),
        ("200801", date(2008, 2, 25)),
        ("200819", date(2008, 6, 30)),
    ],
)
def test_calendar(code: str, day: date) -> None:
    """A retail week is its Monday, every year has 52 of them, and the code comes back from the day."""
    assert monday(code) == day
    assert week_code(day) == code


@given(st.integers(min_value=-1000, max_value=5000))
def test_calendar_round_trip(weeks: int) -> None:
    """Every Monday has one code, and that code names that Monday."""
    day = date(2006, 2, 27) + timedelta(weeks=weeks)

    assert monday(week_code(day)) == day


@pytest.mark.parametrize("code", ["200600", "200653", "20067", "2006O7", "", "٢٠٠٦٠٧"])
def test_no_such_week(code: str) -> None:
    """A code that is no week of the calendar is refused."""
    with pytest.raises(ValueError, match="no retail week"):
        monday(code)


def test_only_mondays_have_codes() -> None:
    """A day inside a week is not mistaken for the week."""
    with pytest.raises(ValueError, match="not a Monday"):
        week_code(date(2006, 4, 11))


@pytest.mark.parametrize(
    "name",
    [
        "transactions_200607.csv.bak",
        "transactions_200607 (1).csv",
        ".~lock.transactions_200607.csv#",
        "../transactions_200607.csv",
        "/transactions_200607.csv",
        "transactions_200607.csv\n",
        "transactions_200607.csv\0",
        "transactions_٢٠٠٦٠٧.csv",
        "transactions_200660.csv",
        "transactions_" + "2" * 300 + ".csv",
        "time.csv",
    ],
)
def test_names_outside_the_grammar(name: str) -> None:
    """Only `transactions_YYYYWW.csv` and `.csv.gz` stand for a week."""
    assert week_of(name) is None
    with pytest.raises(LandingError, match="not a landing name"):
        inspect(io.BytesIO(TEXT), name)


@pytest.mark.parametrize("header", [A, B, C], ids="ABC")
def test_three_dialects(header: tuple[str, ...]) -> None:
    """Every dialect has every field, found by name at its place, in any order."""
    backwards = tuple(reversed(header))

    assert field_positions(header, NAME) == {field: index for index, field in enumerate(FIELDS)}
    assert field_positions(backwards, NAME) == {field: 21 - index for index, field in enumerate(FIELDS)}


def test_missing_column_names_the_nearest() -> None:
    """A renamed column is named together with what it may have become."""
    header = tuple("QUANTTY" if name == "QUANTITY" else name for name in B)

    with pytest.raises(LandingError, match=r"^transactions_200607.csv: column QUANTITY is missing; .*'QUANTTY'"):
        field_positions(header, NAME)


def test_a_first_line_of_data_is_not_shown() -> None:
    """A file without a header begins with a customer's line: the refusal asks for a header and quotes nothing."""
    with pytest.raises(LandingError, match="the first line has none of the column names") as refusal:
        field_positions(("200607", "CUST0001"), NAME)

    assert "CUST0001" not in str(refusal.value)


@pytest.mark.parametrize("header", [(*B, "SPEND"), (*B, "SFNND"), (*B, "NEW", "NEW")])
def test_column_twice(header: tuple[str, ...]) -> None:
    """Two columns of one meaning, or of one name, are refused: nobody could say which to read."""
    with pytest.raises(LandingError, match="is there"):
        field_positions(header, NAME)


def test_extra_columns_are_reported() -> None:
    """A column that no table takes is accepted by name, and reported."""
    assert extra_columns((*B, "LOYALTY_POINTS")) == ("LOYALTY_POINTS",)
    assert len(field_positions(("LOYALTY_POINTS", *B), NAME)) == 22


def test_sound_file() -> None:
    """A sound file tells its week, its size, its data lines and its header."""
    found = inspect(io.BytesIO(TEXT), NAME)
    wider = inspect(io.BytesIO(TEXT.replace(b"\n", b",LOYALTY_POINTS\n", 1)), NAME)

    assert (found.week, found.bytes, found.lines, found.header) == (date(2006, 4, 10), len(TEXT), 1, B)
    assert (found.extra_columns, wider.extra_columns) == ((), ("LOYALTY_POINTS",))


def test_compression_and_line_ends() -> None:
    """The digest is of the text, so a file and its gzip are one content; CRLF and a byte order mark are not in names."""
    packed = inspect(io.BytesIO(gzip.compress(TEXT)), NAME + ".gz")
    windows = inspect(io.BytesIO(b"\xef\xbb\xbf" + TEXT.replace(b"\n", b"\r\n")), NAME)

    assert packed.sha256 == inspect(io.BytesIO(TEXT), NAME).sha256
    assert windows.header == B


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"", NAME, "0 bytes"),
        (gzip.compress(b"", mtime=0), NAME + ".gz", "0 bytes"),
        (TEXT.split(b"\n")[0] + b"\n", NAME, "0 rows, only a header"),
        (TEXT[:-1], NAME, f"last line has no newline at byte {len(TEXT) - 1}"),
        (TEXT[:-20], NAME, f"last line has no newline at byte {len(TEXT) - 20}"),
        (gzip.compress(TEXT, mtime=0)[:-12], NAME + ".gz", "gzip ends early"),
        (TEXT, NAME + ".gz", "not a sound gzip file"),
        (TEXT + b"\xff\n", NAME, f"not UTF-8 near byte {len(TEXT)}"),
        (TEXT * 9000 + b"\xff\n", NAME, f"not UTF-8 near byte {9000 * len(TEXT)}"),  # beyond the first piece
        (TEXT + "é".encode()[:1], NAME, "last line has no newline"),
        (TEXT + b"\0\n", NAME, f"NUL at byte {len(TEXT)}"),
        (b"x" * 70_000 + b"\n", NAME, "hold no line end"),
        (TEXT.replace(b"QUANTITY", b"PIECES"), NAME, "column QUANTITY is missing"),
    ],
)
def test_faults_of_a_file(data: bytes, name: str, message: str) -> None:
    """A file that is empty, cut, no text, or lacks a column is refused as a whole, with its name and what is wrong."""
    with pytest.raises(LandingError, match=f"^{name}: .*{message}"):
        inspect(io.BytesIO(data), name)


def test_reads_in_pieces() -> None:
    """A file is read piece by piece, never whole, and a character on the border of two pieces is no fault."""

    class Pieces(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            self.largest = max(self.largest, size)
            return super().read(size)

    line = TEXT.split(b"\n")[1] + "é".encode() + b"\n"
    stream = Pieces(TEXT + line * 80_000)

    assert inspect(stream, NAME).lines == 80_001
    assert stream.largest == 1 << 20
