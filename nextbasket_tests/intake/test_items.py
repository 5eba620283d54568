"""Names and categories of items: what counts when rows of an item differ."""

from pathlib import Path

import pyarrow as pa

from nextbasket_assets.intake.items import Items
from nextbasket_assets.intake.mapping import Mapping

GROUPED = {"PROD_CODE": "sku", "PROD_NAME": "title", "PROD_CODE_20": "group", "PROD_NAME_20": "group_title"}


def taken(rows: list[tuple[str, ...]], columns: dict[str, str] = GROUPED, **mapping: object) -> Items:
    """The items of these rows, whose cells are those of the columns in this order."""
    fields = {"PROD_CODE": "sku", "PROD_CODE_20": "group", "CUST_CODE": "card"}
    items = Items(
        Mapping.model_validate(
            {"when": {"date": "day"}, "columns": fields, "products": {"columns": columns}, **mapping}
        )
    )
    items.take(pa.RecordBatch.from_pylist([dict(zip(columns.values(), row, strict=True)) for row in rows]))
    return items


def test_a_categorys_name_goes_with_its_code() -> None:
    """A later row gives a name to the category that the item has, and not that of another one."""
    other, own = ("1", "Milk", "B", "Bread"), ("1", "Milk", "D", "Dairy")

    assert taken([("1", "Milk", "D", ""), other]).rows["1"] == ("1", "Milk", "D", "")
    assert taken([("1", "Milk", "D", ""), own]).rows["1"] == ("1", "Milk", "D", "Dairy")


def test_codes_of_categories_are_those_of_the_lines() -> None:
    """What `codes` makes of a category in the lines is what it is called by in products.csv."""
    items = taken([("1", "Milk", "7", "Dairy")], codes={"PROD_CODE_20": {"7": "D"}})

    assert items.rows["1"] == ("1", "Milk", "D", "Dairy")


def test_a_category_keeps_the_name_it_had_where_the_mapping_has_its_code_alone(tmp_path: Path) -> None:
    """The code stands for the name only of a category that had none, and of another one than before."""
    earlier = tmp_path / "products.csv"
    earlier.write_text("PROD_CODE,PROD_NAME,PROD_CODE_20,PROD_NAME_20\n1,Milk,D,Dairy\n2,Rye bread,B,\n3,Tea,T,Hot\n")
    coded = {name: column for name, column in GROUPED.items() if name != "PROD_NAME_20"}
    items = taken([("1", "Milk", "D"), ("2", "Rye bread", "B"), ("3", "Tea", "X")], coded)
    items.keep(earlier)

    assert [row[2:] for row in items.rows.values()] == [("D", "Dairy"), ("B", "B"), ("X", "X")]


def test_of_an_earlier_file_too_the_first_row_of_an_item_counts(tmp_path: Path) -> None:
    """As it does in the retailer's own file."""
    earlier = tmp_path / "products.csv"
    earlier.write_text("PROD_CODE,PROD_NAME\n2,Rye bread\n2,Other\n")
    items = taken([("1", "Milk", "D", "Dairy")])
    items.keep(earlier)

    assert [row[:2] for row in items.rows.values()] == [("1", "Milk"), ("2", "Rye bread")]
