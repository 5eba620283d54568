"""time.csv: which weeks a retailer has, and what is wrong with a file that cannot say it."""

from datetime import date
from io import BytesIO

import pytest

from nextbasket_assets.landing import LandingError
from nextbasket_assets.retail_calendar import read_calendar


def test_weeks_are_known_by_their_mondays() -> None:
    """By number and first day, whatever else the file says of them."""
    text = b"date_to,shop_week,date_from\nx,200607,20060410\nx,200609,20060424\n"

    assert read_calendar(BytesIO(text)) == {date(2006, 4, 10), date(2006, 4, 24)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"shop_week,from\n200607,20060410\n", r"time\.csv: no column date_from\."),
        (b"shop_week,date_from\n200607,20060410\n200653,20060417\n", "line 3: '200653' is no retail week"),
        (b"shop_week,date_from\n200607,20060411\n", "line 2: week 200607 begins on 20060410, not on the day given"),
        (b"shop_week,date_from\n200607\n", "line 2: week 200607 begins on 20060410"),
    ],
)
def test_a_calendar_of_other_weeks_is_refused(text: bytes, message: str) -> None:
    """A retailer whose weeks begin on another day would have every basket in the wrong one."""
    with pytest.raises(LandingError, match=message):
        read_calendar(BytesIO(text))
