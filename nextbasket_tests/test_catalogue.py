"""Names of items are optional, and wrong ones are said."""

from io import BytesIO

import pytest

from nextbasket_assets.catalogue import Catalogue, read_catalogue
from nextbasket_assets.landing import LandingError
from nextbasket_assets.landing_text import small_table


def test_a_code_without_a_name_stands_for_itself() -> None:
    """Names come from products.csv by column name; an item that is not there, or has none, shows its code."""
    catalogue = read_catalogue(BytesIO(b"OTHER,PROD_NAME,PROD_CODE\nx,oat milk 1l,PRD1\nx,,PRD3\n"))

    assert catalogue.name("PRD1") == "oat milk 1l"
    assert [catalogue.name(code) for code in ("PRD2", "PRD3")] == ["PRD2", "PRD3"]
    assert Catalogue().name("PRD1") == "PRD1"


def test_categories_have_names_too() -> None:
    """Each level's code and name columns, where both are there, name the categories."""
    text = b"PROD_CODE,PROD_NAME,PROD_CODE_20,PROD_NAME_20,PROD_CODE_30\nPRD1,oat milk 1l,DEP1,milk,G1\n"

    assert read_catalogue(BytesIO(text)).groups == {"DEP1": "milk"}


def test_a_short_row_of_a_small_table_has_empty_texts() -> None:
    """What a row leaves out is empty, and what it has beyond the header is left out."""
    found = small_table(BytesIO(b"a,b\n1\n1,2,3\n"), "x.csv")

    assert found == (["a", "b"], [{"a": "1", "b": ""}, {"a": "1", "b": "2"}])


def test_a_missing_column_is_named() -> None:
    """A products.csv of another shape is an error that names the column."""
    with pytest.raises(LandingError, match="no column PROD_NAME"):
        read_catalogue(BytesIO(b"PROD_CODE,NAME\nPRD1,oat milk\n"))
