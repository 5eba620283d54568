"""docs/your-data.md tells what the code does: its mapping is the example's, its table has every column, its defaults hold."""

import re

import yaml

from nextbasket_assets.intake.lines import DEFAULTS, NOON
from nextbasket_assets.intake.mapping import Mapping
from nextbasket_assets.landing import FIELDS, LABELS
from nextbasket_tests.docs.commands import ROOT

PAGE = (ROOT / "docs" / "your-data.md").read_text()


def rows() -> dict[str, list[str]]:
    """By column of a landing file: the cells of its row in the page's table."""
    table = PAGE.split("## The 22 columns")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    return {name: cells[1:] for cells in lines for name in names(cells[0])}


def names(cell: str) -> list[str]:
    found = re.findall(r"`(\w+)`", cell)
    return [name if not name.startswith("_") else f"PROD_CODE{name}" for name in found]


def test_the_mapping_that_is_shown_is_the_example() -> None:
    """Who copies the page's mapping has the file that the example names."""
    shown = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    example = (ROOT / "docs" / "examples" / "corner_shop.yaml").read_text()

    assert shown
    assert Mapping.model_validate(yaml.safe_load(shown[1])) == Mapping.model_validate(yaml.safe_load(example))


def test_every_column_has_its_row() -> None:
    """The table says of each of the 22 columns whether it is needed, and what stands in for it."""
    assert set(rows()) == set(FIELDS)


def test_what_stands_in_for_a_column_is_what_the_code_writes() -> None:
    """The defaults and the codes of the labels are the code's."""
    for name, value in (*DEFAULTS.items(), ("SHOP_HOUR", NOON)):
        assert rows()[name][2].strip("`").split(".")[0] == value, name
    for name, codes in LABELS.items():
        shown = rows()[name][1].removeprefix("`codes` to ").split(", ")
        assert set(shown) <= set(codes), name
