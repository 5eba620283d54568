"""docs/scale.md says what the measured figures say."""

import json
from pathlib import Path

from benchmarks.render import FIGURES
from benchmarks.scale import SHOPS, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"


def test_the_tables_of_the_page_are_the_scripts() -> None:
    """docs/scale.md holds what `python benchmarks/scale.py` prints for the committed figures, to the letter."""
    found = json.loads(FIGURES.read_text())
    history = PAGE.read_text().split("\n## The whole history, once\n\n")[1].split("\n\nThe figures behind")[0]

    assert history == "\n\n".join(table(shop, found) for shop in SHOPS)
