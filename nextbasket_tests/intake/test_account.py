"""The account of a landing: what is too much to be refused, and what the report says of it."""

from pathlib import Path

import pytest

from nextbasket_assets.intake.account import LandReport, SourceCount
from nextbasket_assets.intake.delivery import Delivered
from nextbasket_assets.landing import LandingError


def test_the_share_that_is_allowed_may_be_refused() -> None:
    """Of 100 rows one is 1 %, and no more; two are."""
    LandReport(sources={"a.csv": SourceCount(rows=100, refused=1)}).refuse_few_landed(0.01, Path("report"))

    with pytest.raises(LandingError, match=r"2 of 100 rows .* more than 1 %: .* give --allow-refused 0\.0[23]"):
        report = LandReport(sources={"a.csv": SourceCount(rows=100, refused=2)})
        report.reasons.update({"QUANTITY is empty": 2})
        report.refuse_few_landed(0.01, Path("report"))


def test_the_share_that_is_advised_is_enough() -> None:
    """Whoever gives --allow-refused as the message says is not asked again."""
    for refused in range(1, 150):
        report = LandReport(sources={"a.csv": SourceCount(rows=150, refused=refused)})
        with pytest.raises(LandingError) as told:
            report.refuse_few_landed(0.0, Path("report"))
        advised = float(str(told.value).split("--allow-refused ")[1].rstrip("."))

        report.refuse_few_landed(advised, Path("report"))
        assert advised <= 1


def test_files_without_a_row_land_nothing() -> None:
    """A header alone is no export of a week."""
    with pytest.raises(LandingError, match="no row could be landed: the files hold no row"):
        LandReport(sources={"a.csv": SourceCount()}).refuse_few_landed(1.0, Path("report"))


def test_the_report_counts_the_lines_of_each_week() -> None:
    """Files beside the weeks have none, and whether a file was new is left out: landing again reports the same."""
    files = [Delivered("transactions_202405.csv.gz", "new", 2), Delivered("products.csv", "replaced")]

    assert LandReport(files=files).as_json()["lines_of_weeks"] == {"transactions_202405.csv.gz": 2}
