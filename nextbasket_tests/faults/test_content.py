"""Content: what is in the lines, and what becomes of what does not belong."""

from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from nextbasket_assets.assets.audit import raw_warnings
from nextbasket_assets.landing import LandingFile
from nextbasket_tests.transforms.plans import WEEK, ingest, line, rows, stage, uris


def landed(*extra: str) -> LandingFile:
    return LandingFile("transactions_200607.csv", WEEK, "sha", 1, 1, (), extra)


def test_c2_an_extra_column_is_a_warning() -> None:
    """The check names the column and the file, warns and stops nothing; without one it passes."""
    warned, calendar = raw_warnings([landed("NEWCOL")], None)
    passed, _ = raw_warnings([landed()], None)

    assert not warned.passed
    assert warned.severity.value == "WARN"
    assert warned.metadata["found"].value == "transactions_200607.csv: ignored NEWCOL"
    assert passed.passed
    assert calendar.passed


def test_f13_a_week_outside_the_calendar_is_a_warning() -> None:
    """The check lists the weeks that time.csv lacks."""
    _, known = raw_warnings([landed()], {WEEK})
    _, unknown = raw_warnings([landed()], {date(2006, 4, 17)})

    assert known.passed
    assert not unknown.passed
    assert unknown.metadata["found"].value == "200607"


def test_c9_c10_c11_what_is_no_sequence_is_counted(spark: SparkSession, tmp_path: Path) -> None:
    """Duplicates, a basket of two customers, returns and anonymous trade: each is counted, and lines in = kept + removed."""
    lines = [
        line(),
        line(),  # a duplicate
        line(PROD_CODE="PRD0900002", QUANTITY="-1", SPEND="-0.93"),  # a return
        line(BASKET_ID="994100100000002", CUST_CODE="CUST0000000002"),
        line(BASKET_ID="994100100000002", CUST_CODE="CUST0000000003"),  # one basket, two customers
        line(BASKET_ID="994100100000004", CUST_CODE="", CUST_PRICE_SENSITIVITY="", CUST_LIFESTAGE=""),
    ]
    ingest(spark, tmp_path, lines)
    files = {"raw_transactions": uris(tmp_path, "raw_transactions")}
    report = stage(
        spark, tmp_path, "staged_baskets", files, ("staged_baskets",), weeks=[WEEK.isoformat()], non_merchandise=[]
    )
    counts = report["counts"][WEEK.isoformat()]
    removed = {name: count for name, count in counts["removed"].items() if count}

    assert removed == {"duplicate": 1, "return": 1, "conflicting_basket": 2}
    assert counts["rows_in"] == 6 == counts["rows_out"] + sum(removed.values())
    assert counts["anonymous_baskets"] == 1
    kept = {row["basket"]: row["customer"] for row in rows(spark, tmp_path, "staged_baskets")}
    assert kept == {"994100100000001": "CUST0000000001", "994100100000004": None}


@pytest.mark.slow
def test_a_line_of_nothing_but_quotes_is_one_rejected_line(spark: SparkSession, tmp_path: Path) -> None:
    """Quotes and commas without end take no stack and no time: each line is rejected under its rule, the others are accepted."""
    long = ['"a",' * 1000, '"' * 4000, '""' * 2000, ',"' * 2000, '"a",' * 20_000, "x" * 4097]
    accepted, rejected, _ = ingest(spark, tmp_path, [text for odd in long for text in (line(), odd)])

    assert len(accepted) == len(long)
    assert {row["rule"] for row in rejected[:4]} <= {"field_count", "quotes"}
    assert [row["rule"] for row in rejected[4:]] == ["length", "length"]
    assert [row["raw_text"] for row in rejected] == long
