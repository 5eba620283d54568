"""The mapping file: what is wrong with it is said at once, with the name of the place."""

from pathlib import Path

import pytest

from nextbasket_assets.intake.mapping import When, read_mapping
from nextbasket_assets.landing import LandingError
from nextbasket_tests.intake.grocer import MAPPING

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("timestamp: sold_at", "timestamp: [sold_at", "the mapping is not YAML"),
        ("timestamp: sold_at", "timestamp: []", "when.timestamp: List should have at least 1 item"),
        ("  SPEND: amount", "  STORE_REGION: []", "columns.STORE_REGION: List should have at least 1 item"),
        ("constants:", "csv: {delimiter: é}\nconstants:", "csv.delimiter: .*delimiter 'é' cannot part values"),
        ("constants:", "csv: {delimiter: '\"'}\nconstants:", "csv.delimiter: .*cannot part values"),
        ("timestamp: sold_at", "hour: sold_at", "when: .*give timestamp, or date with or without hour"),
        (
            "timestamp: sold_at",
            "{timestamp: sold_at, hour: kind}",
            "when: .*give timestamp, or date with or without hour",
        ),
        ("constants:", "csv: {decimal: ;}\nconstants:", "csv.decimal: String should match pattern"),
        ("timestamp: sold_at", "{timestamp: sold_at, timezone: Mars}", "timezone 'Mars' is none"),
        ("timestamp: sold_at", "{timestamp: sold_at, timezone: Europe}", "timezone 'Europe' is none"),
        (
            "timestamp: sold_at",
            '{timestamp: sold_at, format: "%d/%m/%Y %d"}',
            "'%d/%m/%Y %d' reads no time .*redefinition",
        ),
        ("timestamp: sold_at", '{timestamp: sold_at, format: "%d/%m/%Y %T"}', "format '%d/%m/%Y %T' reads no time"),
        ("timestamp: sold_at", '{timestamp: sold_at, format: "%Q"}', "'%Q' reads no time .*like %d/%m/%Y %H:%M:%S"),
        ("constants:", "csv: {encoding: utf-9}\nconstants:", "csv.encoding: .*encoding 'utf-9' is none"),
        ("constants:", "csv: {encoding: hex}\nconstants:", "csv.encoding: .*encoding 'hex' is none"),
        ("  PROD_CODE: ean\n  QUANTITY", "  QUANTITY", "columns lacks PROD_CODE"),
        ("  SPEND: amount", "  PRICE: amount", "columns has PRICE, which is not a field: "),
        ("  STORE_CODE: CORNER", "  QUANTITY: 1", "QUANTITY is in columns and in constants"),
        ("  SPEND: amount", "  SPEND: [amount, pieces]", "SPEND is of several columns, which make a code: name one"),
        ("  STORE_FORMAT: kind", "  STORE_FORMAT: [kind, till]", "STORE_FORMAT is of several columns"),
        ("constants:", "constant:", "constant: Extra inputs are not permitted"),
        ("    PROD_NAME", "    NAME", "products.*products.columns has NAME"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Misspelt, missing and contradicting parts of a mapping are told by name."""
    path = tmp_path / "m.yaml"
    path.write_text(MAPPING.replace(old, new))

    with pytest.raises(LandingError, match=message):
        read_mapping(path)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_mappings(path: Path) -> None:
    """Every mapping that the documentation shows can be read."""
    assert read_mapping(path).columns["PROD_CODE"]


@pytest.mark.parametrize("form", ["%d/%m/%Y %H:%M", "%Y%m%d", "%d %b %Y %I:%M %p", "%Y-%m-%dT%H:%M:%S%z", "%y%j %%"])
def test_forms_of_strptime_are_taken(form: str) -> None:
    """Names of months, halves of the day, offsets and days of the year are forms, too."""
    assert When(timestamp=["sold_at"], format=form).format == form
