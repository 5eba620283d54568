"""docs/settings.md has every setting that settings.yaml takes, with its default and its meaning."""

from typing import Any

from nextbasket_assets.assets.shop_settings import SECTIONS
from nextbasket_tests.docs.commands import ROOT


def shown(default: Any) -> str:
    if isinstance(default, list):
        return ", ".join(map(str, default))
    return {None: ""}.get(default, f"{default:g}" if isinstance(default, float) else str(default))


def test_the_page_has_every_setting() -> None:
    """The rows of the table are the fields of the assets' configs, in their order."""
    rows = [
        row.strip("|").split(" | ") for row in (ROOT / "docs" / "settings.md").read_text().splitlines() if "| `" in row
    ]
    fields = [(asset, *field) for asset, config in SECTIONS.items() for field in config.model_fields.items()]

    assert [tuple(cell.strip(" `") for cell in row[1:]) for row in rows] == [
        (name, shown(field.default), field.description) for _, name, field in fields
    ]
    named = [cell for row in rows if (cell := row[0].strip(" `"))]
    assert named == list(SECTIONS)
