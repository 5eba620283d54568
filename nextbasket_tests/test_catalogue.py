"""Names of items are optional, and wrong ones are said."""

from io import BytesIO

import pytest

from nextbasket_assets.catalogue import Catalogue, read_catalogue
from nextbasket_assets.landing import LandingError


def test_a_code_without_a_name_stands_for_itself() -> None:
    """Names come from products.csv by column name; an item that is not there shows its code."""
    catalogue = read_catalogue(BytesIO(b"OTHER,PROD_NAME,PROD_CODE\nx,oat milk 1l,PRD1\n"))

    assert catalogue.name("PRD1") == "oat milk 1l"
    assert catalogue.name("PRD2") == "PRD2"
    assert Catalogue().name("PRD1") == "PRD1"


def test_a_missing_column_is_named() -> None:
    """A products.csv of another shape is an error that names the column."""
    with pytest.raises(LandingError, match="no column PROD_NAME"):
        read_catalogue(BytesIO(b"PROD_CODE,NAME\nPRD1,oat milk\n"))
