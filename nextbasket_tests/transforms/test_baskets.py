"""Lines to baskets: what each filter removes, how ids are rebuilt, and that every line is accounted for."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from nextbasket_assets.columns import names
from nextbasket_assets.transforms.baskets import counted_baskets
from nextbasket_assets.transforms.tables import schema
from nextbasket_tests.transforms.plans import WEEK, broken, keep, rows, stage

BAG = "PRD0903678"
RAW = "raw_transactions"


def raw(number: int, **fields: Any) -> dict[str, Any]:
    """A row of raw_transactions: one unit of A for 1.50 by C1 in basket ...001."""
    return {
        "week": WEEK,
        "source_file": "transactions_200607.csv",
        "line_number": number,
        "date": date(2006, 4, 10),
        "hour": 9,
        "quantity": 1,
        "spend": Decimal("1.50"),
        "item": "A",
        **dict.fromkeys(("category_10", "category_20", "category_30", "category_40")),
        "customer": "C1",
        "basket": "994100100000001",
        "price_sensitivity": "LA",
        "lifestage": None,
        "basket_size": "S",
        "basket_price_sensitivity": "LA",
        "basket_type": "Top Up",
        "basket_dominant_mission": "Fresh",
        "store": "S1",
        "store_format": "LS",
        "store_region": "E01",
        **fields,
    }


def staged(
    spark: SparkSession, folder: Path, lines: list[dict[str, Any]], **parameters: Any
) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    """Baskets, counts of the week, and the report."""
    files = keep(spark, folder, "raw_transactions", lines)
    report = stage(
        spark,
        folder,
        "staged_baskets",
        {"raw_transactions": files},
        ("staged_baskets",),
        weeks=[WEEK.isoformat()],
        non_merchandise=[BAG],
        **parameters,
    )
    return rows(spark, folder, "staged_baskets"), report["counts"][WEEK.isoformat()], report


def test_lines_become_baskets_and_every_line_is_counted(spark: SparkSession, tmp_path: Path) -> None:
    """Duplicates, returns and bags go under their names; a basket of bags stays, so that its customer stays known."""
    lines = [
        raw(2, item="B", quantity=3, spend=Decimal("4.00")),
        raw(3),
        raw(4),  # the same line again
        raw(5, quantity=2),  # A again, another line
        raw(6, item="C", quantity=-1, spend=Decimal("-1.00")),
        raw(7, item="D", quantity=0),
        raw(8, item=BAG),
        raw(9, basket="994100100000002", item=BAG, customer="C2"),
        raw(10, basket="994100100000003", customer=None),
    ]

    baskets, counts, report = staged(spark, tmp_path, lines)

    assert [(row["basket"], row["customer"], row["units"], row["spend"]) for row in baskets] == [
        ("994100100000001", "C1", 6, Decimal("7.00")),
        ("994100100000002", "C2", 0, Decimal("0.00")),
        ("994100100000003", None, 1, Decimal("1.50")),
    ]
    assert baskets[0]["items"] == [
        {"item": "A", "quantity": 3, "spend": Decimal("3.00")},
        {"item": "B", "quantity": 3, "spend": Decimal("4.00")},
    ]
    assert baskets[1]["items"] == []
    removed = {"duplicate": 1, "damaged_anonymous": 0, "conflicting_basket": 0, "return": 2, "non_merchandise": 2}
    assert counts == {
        "rows_in": 9,
        "removed": removed,
        "rows_out": 4,
        "baskets": 3,
        "anonymous_baskets": 1,
        "baskets_without_merchandise": 1,
        "rebuilt_baskets": 0,
        "conflicting_baskets": 0,
    }
    assert broken(report) == []


def test_conflicting_baskets_are_removed_whole(spark: SparkSession, tmp_path: Path) -> None:
    """One id with two customers, dates, hours or stores is no basket: all its lines go, under one name."""
    others: list[dict[str, Any]] = [{"customer": "C2"}, {"customer": None}, {"hour": 10}, {"store": "S2"}]
    others.append({"date": date(2006, 4, 11)})
    lines = [raw(2, basket="994100100000000")]
    for index, other in enumerate(others, start=1):
        basket = f"99410010000000{index}"
        lines += [raw(10 * index, basket=basket), raw(10 * index + 1, basket=basket, item=BAG, **other)]

    baskets, counts, _ = staged(spark, tmp_path, lines)

    assert [row["basket"] for row in baskets] == ["994100100000000"]
    assert counts["removed"]["conflicting_basket"] == 10
    assert (counts["conflicting_baskets"], counts["baskets"], counts["baskets_without_merchandise"]) == (5, 1, 0)
    assert counts["rows_in"] == counts["rows_out"] + sum(counts["removed"].values())


def counted(spark: SparkSession, lines: list[dict[str, Any]]) -> DataFrame:
    """What counted_baskets makes of the lines."""
    rows_ = [tuple(line[name] for name in names(RAW)) for line in lines]
    return counted_baskets(spark.createDataFrame(rows_, schema(RAW)), [BAG], files_per_week=1, partitions=1)


def test_a_line_is_removed_by_the_first_filter_that_applies(spark: SparkSession) -> None:
    """A bag that comes back is a return, a bag scanned twice a duplicate and a bag; what is free is kept, a refund is not."""
    lines = [
        raw(1),
        raw(2, item=BAG, quantity=-1, spend=Decimal("-0.05")),
        raw(3, item=BAG),
        raw(4, item=BAG),
        raw(5, item="free", spend=Decimal("0.00")),
        raw(6, item="refund", spend=Decimal("-0.50")),
        raw(7),
    ]

    (found,) = counted(spark, lines).collect()

    assert {name: found[name] for name in ("lines", "lines_kept", "duplicate", "return", "non_merchandise")} == {
        "lines": 7,
        "lines_kept": 2,
        "duplicate": 2,
        "return": 2,
        "non_merchandise": 1,
    }


def test_a_long_basket_is_merged(spark: SparkSession, tmp_path: Path) -> None:
    """Of 3,000 lines of one basket, two of each item become one; 3,000 under the one id of a till are one conflict."""
    codes = [f"I{number:04d}" for number in range(1500)]
    long = [raw(2 * n + k, item=code, quantity=k + 1) for n, code in enumerate(codes) for k in (0, 1)]
    till = [raw(n, item=code, quantity=k + 1, basket="0", hour=k) for n, code in enumerate(codes) for k in (0, 1)]

    (found,), counts, report = staged(spark, tmp_path, [*long, *till])

    assert found["items"] == [{"item": code, "quantity": 3, "spend": Decimal("3.00")} for code in codes]
    assert (counts["removed"]["conflicting_basket"], counts["conflicting_baskets"]) == (3000, 1)
    assert broken(report) == []


def test_no_basket_is_searched_once_per_item(spark: SparkSession) -> None:
    """Lines are merged by their place beside each other: no plan picks an item's lines out of all lines of the basket."""
    plan = counted(spark, [raw(1)])._jdf.queryExecution().optimizedPlan().toString()

    assert "aggregate(sequence(" in plan
    assert "aggregate(filter(" not in plan


def test_a_conflict_is_not_merged(spark: SparkSession) -> None:
    """A basket that is about to be removed as a conflict has no items, so that no time goes into them."""
    (found,) = counted(spark, [raw(1), raw(2), raw(3, quantity=2), raw(4, customer="C2")]).collect()

    assert (found["conflict"], found["conflicting_basket"], found["items"]) == (1, 3, [])


def test_damaged_ids_are_rebuilt(spark: SparkSession, tmp_path: Path) -> None:
    """Lines whose ids a spreadsheet damaged meet again by customer, date, hour and store; labels that differ are dropped.

    Whose customer is unknown too are no basket, and no conflict.
    """
    lines = [
        raw(2, basket="9.94E+14"),
        raw(3, basket="9.941e+14", item="B", basket_size="L"),
        raw(4, basket="99410010.0", item="A", basket_size="M"),
        raw(5, basket="9.94E+14", item="B", hour=10),
        raw(6, basket="9.94E+14", item="B", customer=None),
        raw(7, basket="9.94E+14", item="B", customer=None, hour=10),
        raw(8, basket="346~9.94E+14", item="B", store="S2"),
        *(raw(number, item=f"I{number}") for number in range(9, 14)),
    ]

    baskets, counts, report = staged(spark, tmp_path, lines, files_per_week=4)

    rebuilt = [row for row in baskets if row["basket"].startswith("R-")]
    assert sorted(
        (row["store"], row["hour"], tuple(item["item"] for item in row["items"]), row["basket_size"]) for row in rebuilt
    ) == [
        ("S1", 9, ("A", "B"), None),
        ("S1", 10, ("B",), "S"),
        ("S2", 9, ("B",), "S"),
    ]
    assert {row["units"] for row in rebuilt} == {3, 1}
    assert counts["removed"]["damaged_anonymous"] == 2
    assert (counts["rebuilt_baskets"], counts["conflicting_baskets"], counts["anonymous_baskets"]) == (3, 0, 0)
    assert broken(report) == []


def test_too_many_unknown_baskets_refuse_the_week(spark: SparkSession, tmp_path: Path) -> None:
    """When most damaged baskets are anonymous they cannot be rebuilt, and the week is refused with what to do."""
    lines = [raw(2, basket="9.94E+14", customer=None), raw(3)]

    with pytest.raises(ValueError, match=r"^week 200607: 50.0% of the lines .* Deliver the file as it was exported"):
        staged(spark, tmp_path, lines)


def test_a_week_without_lines_is_reported(spark: SparkSession, tmp_path: Path) -> None:
    """A week that was asked for and has no lines has no files, and is in the report with no rows."""
    _, _, report = staged(spark, tmp_path, [raw(2)])
    empty = stage(
        spark, tmp_path / "none", "staged_baskets", {"raw_transactions": []}, ("staged_baskets",),
        weeks=["2006-04-17"], non_merchandise=[],
    )  # fmt: skip

    assert report["tables"]["staged_baskets"]["2006-04-10"]["rows"] == 1
    assert empty["tables"]["staged_baskets"]["2006-04-17"]["rows"] == 0
