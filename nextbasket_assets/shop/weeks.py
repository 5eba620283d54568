"""The retailer's weeks: Monday to Sunday, 52 in every year, the first file in week 200607."""

from dataclasses import dataclass
from datetime import date, timedelta

_FIRST_MONDAY = date(2006, 4, 10)
_FIRST_OFFSET = 6  # 200607 is the seventh week of its year
_WEEKS_PER_YEAR = 52
_CHRISTMAS = {44: 0.70, 45: 0.87}


@dataclass(frozen=True)
class Week:
    """A retail week: its position from 1, its YYYYWW code and its Monday."""

    index: int
    code: str
    monday: date

    @property
    def of_year(self) -> int:
        """The number of the week in its retail year, 1 to 52."""
        return int(self.code[4:])

    @property
    def intensity(self) -> float:
        """Trade against an ordinary week: the two weeks around Christmas are quiet."""
        return _CHRISTMAS.get(self.of_year, 1.0)

    def day(self, offset: int) -> str:
        """The date `offset` days after Monday, as yyyymmdd."""
        return f"{self.monday + timedelta(days=offset):%Y%m%d}"


def retail_week(index: int) -> Week:
    """The week at a position; 1 is 200607."""
    offset = _FIRST_OFFSET + index - 1
    code = f"{2006 + offset // _WEEKS_PER_YEAR}{offset % _WEEKS_PER_YEAR + 1:02d}"
    return Week(index, code, _FIRST_MONDAY + timedelta(weeks=index - 1))


def time_table(weeks: int) -> str:
    """The content of `time.csv` for this many weeks."""
    rows = ["shop_week,date_from,date_to"]
    for index in range(1, weeks + 1):
        week = retail_week(index)
        rows.append(f"{week.code},{week.day(0)},{week.day(6)}")
    return "\n".join(rows) + "\n"
