"""Rows to lines, one batch at a time: what a field is when the retailer has it not, has it twice, or has it empty."""

from typing import Any

import pyarrow as pa

from nextbasket_assets.intake.items import Items
from nextbasket_assets.intake.lines import Lines
from nextbasket_assets.intake.mapping import Mapping
from nextbasket_assets.intake.values import LAST_DAY

ROW = {"day": "2024-03-04", "sku": "4001", "card": "ann", "pieces": "1", "till": "1", "receipt": "7"}


def lines(*rows: dict[str, str], columns: dict[str, Any] | None = None, **mapping: Any) -> Lines:
    """The lines of these rows, each of which differs from ROW in what is given."""
    fields = {"PROD_CODE": "sku", "CUST_CODE": "card", **(columns or {})}
    read = Mapping.model_validate({"when": {"date": "day"}, "columns": fields, **mapping})
    return Lines(pa.RecordBatch.from_pylist([ROW | row for row in rows]), read, Items(read), ".", LAST_DAY)


def test_what_no_column_has_is_one_unit_for_nothing_in_one_store() -> None:
    """Quantity, amount and store have a value without a column; a label has none."""
    (line,) = lines({}).sound().to_pylist()

    assert (line["QUANTITY"], line["SPEND"], line["STORE_CODE"], line["STORE_FORMAT"]) == ("1", "0.00", "S1", "")


def test_a_store_that_is_mapped_is_not_empty() -> None:
    """Where stores have a column, a row without one is refused: it is nobody's basket."""
    found = lines({}, {"till": " "}, columns={"STORE_CODE": "till", "BASKET_ID": "receipt"})

    assert found.reason.to_pylist() == [None, "STORE_CODE is empty"]


def test_a_joined_code_needs_all_its_parts() -> None:
    """A receipt without its till could be one of several."""
    found = lines({}, {"till": ""}, {"receipt": ""}, columns={"BASKET_ID": ["till", "receipt"]})

    assert found.fields["BASKET_ID"].to_pylist() == ["1~7", "", ""]
    assert found.reason.to_pylist() == [None, "BASKET_ID is empty", "BASKET_ID is empty"]


def test_rounded_quantities_are_those_of_lines_that_land() -> None:
    """1.05 is rounded, 2.00 and 10 are not, and a row that is refused for its item counts as refused alone."""
    pieces = [{"pieces": text} for text in ("1.05", "2.00", "10")]
    found = lines(*pieces, {"pieces": "0.5", "sku": ""}, columns={"QUANTITY": "pieces"})

    assert found.fields["QUANTITY"].to_pylist() == ["2", "2", "10", "1"]
    assert found.rounded() == 1


def test_of_a_date_the_day_counts() -> None:
    """Without an hour it is noon, though a database writes midnight behind each date."""
    assert lines({"day": "2024-03-04 00:00:00"}).fields["SHOP_HOUR"].to_pylist() == ["12"]


def test_codes_are_found_with_blanks_around_them() -> None:
    """A padded column has the value that the mapping lists."""
    assert lines({"card": " guest "}, codes={"CUST_CODE": {"guest": ""}}).fields["CUST_CODE"].to_pylist() == [""]


def test_the_first_fault_is_the_reason() -> None:
    """A row with several is refused once, for its time before its item."""
    assert lines({"day": "never", "sku": ""}).reason.to_pylist() == ["day is no ISO 8601 time"]
