"""Single values: different texts stay different, and what cannot be read says why."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbasket_assets.intake import values
from nextbasket_assets.landing import DAMAGED_ID, monday, week_code

texts = st.text(min_size=1).filter(lambda text: text.strip() == text)


@given(first=st.lists(texts, min_size=1, max_size=3), second=st.lists(texts, min_size=1, max_size=3))
def test_codes_never_collide(first: list[str], second: list[str]) -> None:
    """Two ids, of one column or of several, have one code only when they are the same."""
    assert (values.joined(first) == values.joined(second)) == (first == second)


@given(texts)
def test_a_code_fits_a_line(text: str) -> None:
    """Any text becomes visible ASCII of at most 64 characters without comma or quote."""
    code = values.code(text)

    assert 0 < len(code) <= 64
    assert code.isascii()
    assert code.isprintable()
    assert not set(' ,"') & set(code)


@pytest.mark.parametrize("text", ["0012", "CUST0000000001", "9941001000000012", "a-b_c/d|e"])
def test_a_plain_id_stays_as_it_is(text: str) -> None:
    """Zeros in front, cases and signs of an id are kept, so that it can be found again."""
    assert values.code(text) == text


@pytest.mark.parametrize("text", ["12E5", "4006381333000", "A1.5E7", "1.5", "1.5E"])
def test_a_code_with_an_e_stays(text: str) -> None:
    """Only a number with a point and an exponent is what a spreadsheet makes of a long one."""
    assert values.intact(text) == text


@pytest.mark.parametrize(
    ("text", "zone", "told"),
    [
        ("2017-06-01T22:30:00Z", "Europe/London", "2017-06-01 23:30"),
        ("2017-06-01T23:30:00Z", "Europe/London", "2017-06-02 00:30"),
        ("2017-06-01T22:30:00-05:00", None, "2017-06-01 22:30"),
        ("2017-06-01T22:30:00", "Asia/Tokyo", "2017-06-01 22:30"),
    ],
)
def test_only_times_with_an_offset_are_moved(text: str, zone: str | None, told: str) -> None:
    """An offset and a zone move the clock, over midnight, too; where one of them is missing the clock stands as written."""
    found = values.moment(text, None, ZoneInfo(zone) if zone else None)

    assert (f"{found:%Y-%m-%d %H:%M}", found.tzinfo) == (told, None)


@pytest.mark.parametrize(
    ("rule", "text", "why"),
    [
        (values.quantity, "", "is no number"),
        (values.quantity, "1e400", "is no number"),
        (values.quantity, "10000000", "has more than 7 digits"),
        (values.spend, "nan", "is no number"),
        (values.spend, "1000000000", "has more than 9 digits"),
        (values.hour, "24", "is no hour from 0 to 23"),
        (values.hour, "9.5", "is no hour from 0 to 23"),
        (values.moment, "1989-12-31", "is before the year 1990"),
        (values.moment, "9972-01-01", "is in the future"),
        (values.moment, "9999-12-31T23:59:59-05:00", "is in the future"),
        (values.moment, "yesterday", "is no ISO 8601 time"),
        (values.intact, "4.00638E+12", "a spreadsheet shortened: export it as text"),
        (values.intact, "4,00638e+12", "a spreadsheet shortened"),
        (values.intact, "9.0071992547409920e15", "a spreadsheet shortened"),
    ],
)
def test_what_cannot_be_read_says_why(rule, text: str, why: str) -> None:  # type: ignore[no-untyped-def]
    """A value outside its rule is an error in words, never a wrong value."""
    with pytest.raises(ValueError, match=why):
        rule(text)


def test_the_smallest_and_the_largest_values_are_written_alike() -> None:
    """Hours have two digits, midnight too; next to nothing is no minus nothing; seven digits of units are taken."""
    assert [values.hour(text) for text in ("0", "9", "23.0")] == ["00", "09", "23"]
    assert [values.spend(text) for text in ("-0.001", "-0.01")] == ["0.00", "-0.01"]
    assert values.quantity("9999999") == "9999999"


def test_a_code_of_several_columns_needs_them_all() -> None:
    """An empty part could stand for any."""
    assert [values.joined(parts) for parts in (["1", "7"], ["", "7"], ["1", " "])] == ["1~7", "", ""]


def test_every_year_that_is_taken_has_week_codes() -> None:
    """The last day that a row may have lies in a week whose code names it."""
    last = values.moment("9971-12-31").date()
    week = last - timedelta(days=last.weekday())

    assert monday(week_code(week)) == week


@pytest.mark.parametrize(
    ("text", "form", "hour"),
    [
        ("2024-01-08", None, 12),
        ("20240108", None, 12),
        ("08/01/2024", "%d/%m/%Y", 12),
        ("2024-01-08 00:00", None, 0),
        ("20240108T00", None, 0),
        ("08/01/2024 12 AM", "%d/%m/%Y %I %p", 0),
    ],
)
def test_a_day_without_a_time_is_noon(text: str, form: str | None, hour: int) -> None:
    """An hour that is not given is 12, and midnight that is given stays 0."""
    assert values.moment(text, form).hour == hour


@pytest.mark.parametrize(
    ("text", "form", "short"),
    [
        ("01012024", "%d%m%Y", "1012024"),
        ("2024-01-05 0115", "%Y-%m-%d %H%M", "2024-01-05 115"),
        ("20240105 011530.25", "%Y%m%d %H%M%S.%f", "20240105 11530.25"),
        ("2024-1-5 11:5", "%Y-%m-%d %H:%M", None),
        ("05.01.2024 at  0115 pm", "%d.%m.%Y AT %I%M %p", "05.01.2024 at 115 pm"),
        ("05012024 0830", "%d%m%Y  %H%M", "5012024 0830"),
    ],
)
def test_a_number_that_lost_its_zero_is_no_other_day(text: str, form: str, short: str | None) -> None:
    """Of numbers side by side nobody can say where one ends when a digit is missing; numbers with signs between may be short."""
    assert values.moment(text, form).day in (1, 5)
    if short:
        with pytest.raises(ValueError, match="has lost a leading zero: export it as text"):
            values.moment(short, form)


@pytest.mark.parametrize("text", ["9.94E+14", "9,94E+14", "9,94e+14"])
def test_a_damaged_receipt_is_seen_in_the_code_that_lands(text: str) -> None:
    """Whatever the decimal sign, alone or beside the shop; a retailer's own code with an E is none."""
    landed = [values.code(text), values.joined(["346", text]), values.joined([text, "346"])]

    assert pc.match_substring_regex(pa.array(landed), DAMAGED_ID).to_pylist() == [True, True, True]
    assert not any(pc.match_substring_regex(pa.array(["12E5", "346~12E5", "9%2C94"]), DAMAGED_ID).to_pylist())


def test_thousands_are_not_taken_for_decimals() -> None:
    """With decimal commas a point is refused: 1.234 could be either."""
    assert values.spend("1234,5", ",") == "1234.50"
    with pytest.raises(ValueError, match="is no number"):
        values.spend("1.234", ",")


@pytest.mark.parametrize("code", ["190001", "200552", "201646", "203801"])
def test_week_codes_hold_in_any_year(code: str) -> None:
    """A week of another decade has one code and one Monday: years of 52 weeks are counted on from 2006."""
    assert week_code(monday(code)) == code
