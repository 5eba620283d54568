"""Landing lines to typed transactions: dialects, line numbers, and every rule that rejects a line."""

import gzip
import random
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from nextbasket_assets.landing import FIELDS
from nextbasket_assets.transforms.rules import RULES
from nextbasket_tests.transforms.plans import SOUND, WEEK, broken, header, ingest, line, stage, uris

LINES = ("raw_transactions", "rejected_lines")
RECODED = ("CUST_PRICE_SENSITIVITY", "CUST_LIFESTAGE")
B_CODES = {"CUST_PRICE_SENSITIVITY": "BG", "CUST_LIFESTAGE": "BU"}


def test_a_line_becomes_typed_columns(spark: SparkSession, tmp_path: Path) -> None:
    """Every field arrives under its column with its type, and where it came from is kept."""
    (row,), rejected, report = ingest(spark, tmp_path, [line()])

    assert row == {
        "week": WEEK,
        "source_file": "transactions_200607.csv",
        "line_number": 2,
        "date": date(2006, 4, 15),
        "hour": 19,
        "quantity": 1,
        "spend": Decimal("0.93"),
        "item": "PRD0900001",
        "category_10": "CL00001",
        "category_20": "DEP00001",
        "category_30": "G00001",
        "category_40": "D00001",
        "customer": "CUST0000000001",
        "basket": "994100100000001",
        "price_sensitivity": "UM",
        "lifestage": "OT",
        "basket_size": "L",
        "basket_price_sensitivity": "MM",
        "basket_type": "Full Shop",
        "basket_dominant_mission": "Mixed",
        "store": "STORE00001",
        "store_format": "LS",
        "store_region": "E02",
    }
    assert rejected == []
    assert report["counts"] == {"2006-04-10": {"rows_in": 1, "removed": {}, "rows_out": 1}}
    assert report["tables"]["rejected_lines"]["2006-04-10"]["rows"] == 0
    assert broken(report) == []


@pytest.mark.parametrize("dialect", ["B", "C"])
def test_dialects_give_one_table(spark: SparkSession, tmp_path: Path, dialect: str) -> None:
    """The three dialects, any order of columns, an extra column, CRLF and gzip all give the same rows."""
    lines = [line(), line(CUST_CODE="", CUST_PRICE_SENSITIVITY="", CUST_LIFESTAGE="")]
    wanted, _, _ = ingest(spark, tmp_path / "A", lines)
    fields = list(FIELDS)
    order = random.Random(7).sample(range(len(fields)), len(fields))
    names = [header(dialect)[index] for index in order]
    known, anonymous = {**SOUND, **B_CODES}, {**SOUND, "CUST_CODE": '""', **dict.fromkeys(B_CODES, '""')}
    shuffled = [",".join(row[fields[index]] for index in order) + ",9" for row in (known, anonymous)]

    found, rejected, _ = ingest(spark, tmp_path / dialect, shuffled, names=[*names, "POINTS"], end="\r\n", packed=True)

    assert rejected == []
    assert [{**row, "source_file": "transactions_200607.csv"} for row in found] == wanted


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"SHOP_WEEK": "200608"}, "week"),
        ({"SHOP_DATE": "2006-04-15"}, "date"),
        ({"SHOP_DATE": "20060431"}, "date"),
        ({"SHOP_DATE": "20060417"}, "date_in_week"),
        ({"SHOP_DATE": "20060409"}, "date_in_week"),
        ({"SHOP_WEEKDAY": "1"}, "weekday"),
        ({"SHOP_WEEKDAY": ""}, "weekday"),
        ({"SHOP_HOUR": "24"}, "hour"),
        ({"SHOP_HOUR": "7.0"}, "hour"),
        ({"QUANTITY": "1.5"}, "quantity"),
        ({"QUANTITY": "one"}, "quantity"),
        ({"QUANTITY": "99999999999"}, "quantity"),
        ({"QUANTITY": ""}, "quantity"),
        ({"QUANTITY": " 1"}, "quantity"),
        ({"SPEND": "1e400"}, "spend"),
        ({"SPEND": "NaN"}, "spend"),
        ({"SPEND": "Infinity"}, "spend"),
        ({"SPEND": '"1,234.50"'}, "spend"),
        ({"SPEND": "0.931"}, "spend"),
        ({"SPEND": "12345678901"}, "spend"),
        ({"PROD_CODE": ""}, "item"),
        ({"PROD_CODE_10": "CL 1"}, "category_10"),
        ({"PROD_CODE_40": "D" * 65}, "category_40"),
        ({"BASKET_ID": '""'}, "basket"),
        ({"STORE_CODE": "STORE 1"}, "store"),
        ({"CUST_CODE": "CUST 1"}, "customer"),
        ({"CUST_PRICE_SENSITIVITY": "ZZ"}, "price_sensitivity"),
        ({"CUST_LIFESTAGE": "ZZ"}, "lifestage"),
        ({"BASKET_SIZE": "XL"}, "basket_size"),
        ({"BASKET_PRICE_SENSITIVITY": "BG"}, "basket_price_sensitivity"),
        ({"BASKET_TYPE": "Big"}, "basket_type"),
        ({"BASKET_DOMINANT_MISSION": "Fun"}, "basket_dominant_mission"),
        ({"STORE_FORMAT": "XXL"}, "store_format"),
    ],
)
def test_rules(fields: dict[str, str], rule: str) -> None:
    """Every case of `test_rejected_lines` names a rule that there is."""
    assert rule in RULES


CASES = [(mark[0], mark[1]) for mark in test_rules.pytestmark[0].args[1]]


def test_rejected_lines(spark: SparkSession, tmp_path: Path) -> None:
    """Each fault rejects its own line under its own rule; the sound lines around it are accepted, and the counts add up."""
    lines = [text for fields, _ in CASES for text in (line(**fields), line())]

    accepted, rejected, report = ingest(spark, tmp_path, lines)

    assert [(row["line_number"], row["rule"]) for row in rejected] == [
        (2 + 2 * index, rule) for index, (_, rule) in enumerate(CASES)
    ]
    assert [row["raw_text"] for row in rejected] == lines[::2]
    assert [row["line_number"] for row in accepted] == list(range(3, 3 + 2 * len(CASES), 2))
    counts = report["counts"]["2006-04-10"]
    assert counts["rows_in"] == 2 * len(CASES)
    assert counts["rows_out"] + sum(counts["removed"].values()) == counts["rows_in"]
    said = report["metrics"]["first_rejected"]["transactions_200607.csv"]
    first = {rule: f"line {2 + 2 * index}" for index, (_, rule) in reversed(list(enumerate(CASES)))}
    assert {rule: text.split(":")[0] for rule, text in said.items()} == first
    assert not any(
        value and value in row["detail"]
        for row, (fields, _) in zip(rejected, CASES, strict=True)
        for value in fields.values()
        if len(value) > 3
    )


def test_a_customer_without_a_class(spark: SparkSession, tmp_path: Path) -> None:
    """XX, not classified, is a code of the lifestage as of the price sensitivity: the line stays."""
    (row,), rejected, report = ingest(spark, tmp_path, [line(CUST_LIFESTAGE="XX", CUST_PRICE_SENSITIVITY="XX")])

    assert (row["lifestage"], row["price_sensitivity"], rejected) == ("XX", "XX", [])
    assert broken(report) == []


def test_short_long_and_quoted_lines(spark: SparkSession, tmp_path: Path) -> None:
    """Short, long and empty lines and stray quotes cost their own line, never a neighbour; a quoted comma is a comma."""
    lines = [
        "1,2,3",
        line() + ",extra",
        "",
        line(PROD_CODE='"PRD0900001'),
        line(PROD_CODE='PRD"0900001"'),
        line(BASKET_TYPE='"Full Shop"', PROD_CODE='"PRD,09""1"'),
        line(),
    ]

    accepted, rejected, _ = ingest(spark, tmp_path, lines)

    assert [(row["line_number"], row["rule"], row["detail"]) for row in rejected] == [
        (2, "field_count", "3 fields, expected 22"),
        (3, "field_count", "23 fields, expected 22"),
        (4, "field_count", "1 fields, expected 22"),
        (5, "quotes", "a quote is not closed or stands inside a field"),
        (6, "quotes", "a quote is not closed or stands inside a field"),
    ]
    assert [(row["line_number"], row["item"]) for row in accepted] == [(7, 'PRD,09"1'), (8, "PRD0900001")]


def test_what_is_odd_but_sound(spark: SparkSession, tmp_path: Path) -> None:
    """Codes like 00123 and NA, long and damaged ids come through letter by letter, and returns are facts of the till."""
    lines = [
        line(PROD_CODE="00123", CUST_CODE="NA", BASKET_ID="994100100000000020"),
        line(BASKET_ID="9.94E+14", PROD_CODE="|"),
        line(QUANTITY="-2", SPEND="-1.9"),
        line(QUANTITY="0", SPEND="0"),
    ]

    accepted, rejected, _ = ingest(spark, tmp_path, lines)

    assert rejected == []
    columns = ("item", "customer", "basket", "quantity", "spend")
    assert [tuple(row[name] for name in columns) for row in accepted] == [
        ("00123", "NA", "994100100000000020", 1, Decimal("0.93")),
        ("|", "CUST0000000001", "9.94E+14", 1, Decimal("0.93")),
        ("PRD0900001", "CUST0000000001", "994100100000001", -2, Decimal("-1.90")),
        ("PRD0900001", "CUST0000000001", "994100100000001", 0, Decimal("0.00")),
    ]


def test_the_ends_of_every_range_are_inside(spark: SparkSession, tmp_path: Path) -> None:
    """Monday at 0 and Sunday at 23, the longest numbers, code and line in characters; what may be empty is null then."""
    empty = ("CUST_CODE", *RECODED, *(f"PROD_CODE_{level}" for level in (10, 20, 30, 40)), "BASKET_SIZE", "BASKET_TYPE")
    empty += ("BASKET_PRICE_SENSITIVITY", "BASKET_DOMINANT_MISSION", "STORE_FORMAT", "STORE_REGION")
    monday = {"SHOP_DATE": "20060410", "SHOP_WEEKDAY": "2", "SHOP_HOUR": "0", "BASKET_DOMINANT_MISSION": "Non Food"}
    sunday = {"SHOP_DATE": "20060416", "SHOP_WEEKDAY": "1", "SHOP_HOUR": "23", **dict.fromkeys(empty, "")}
    longest = {"QUANTITY": "-9999999", "SPEND": "-999999999.9900", "PROD_CODE": "P" * 64}

    rest = len(line(**monday, **longest, STORE_REGION=""))
    full = line(**monday, **longest, STORE_REGION="É" * (4096 - rest))

    accepted, rejected, _ = ingest(spark, tmp_path, [full, line(**sunday)])

    assert rejected == []
    first, last = accepted
    assert (first["date"], first["hour"], first["basket_dominant_mission"]) == (date(2006, 4, 10), 0, "Nonfood")
    assert (first["quantity"], first["spend"], first["item"]) == (-9999999, Decimal("-999999999.99"), "P" * 64)
    assert (last["date"], last["hour"]) == (date(2006, 4, 16), 23)
    assert sum(value is None for value in last.values()) == len(empty)


@pytest.mark.slow
def test_line_numbers_of_a_file_read_in_blocks(spark: SparkSession, tmp_path: Path) -> None:
    """A plain file that many tasks read in blocks still gets every line's true number, a stray CR included."""
    lines = [line(QUANTITY=str(1 + index)) for index in range(400)]
    lines[10] = lines[10].replace("Full Shop", "Full\rShop")

    accepted, rejected, _ = ingest(spark, tmp_path, lines, split_bytes=4096)

    assert [(row["line_number"], row["rule"]) for row in rejected] == [(12, "basket_type")]
    assert {row["line_number"]: row["quantity"] for row in accepted} == {
        index + 2: index + 1 for index in range(400) if index != 10
    }
    assert len(uris(tmp_path, "raw_transactions")) > 1


def test_a_file_that_changed_since_its_inspection(spark: SparkSession, tmp_path: Path) -> None:
    """Lines in are what the inspection counted: a file that has another number by now is an error, not a short week."""
    path = tmp_path / "transactions_200607.csv.gz"
    path.write_bytes(gzip.compress("\n".join([",".join(header()), line(), line(), ""]).encode()))
    found = {"header": header(), "lines": 3, "bytes": path.stat().st_size}
    file = {"uri": str(path), "name": path.name, "week": WEEK.isoformat(), **found}

    with pytest.raises(RuntimeError, match=r"3 lines in, but 2 accepted.*changed while they were read"):
        stage(spark, tmp_path, "raw_transactions", {}, LINES, weeks=[WEEK.isoformat()], files=[file])
