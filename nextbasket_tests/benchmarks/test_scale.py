"""docs/scale.md says what the measured figures say."""

import json
from pathlib import Path

from benchmarks.render import FIGURES
from benchmarks.scale import SHOPS, USD_PER_NODE_HOUR, Shop, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"


def test_the_tables_of_the_page_are_the_scripts() -> None:
    """docs/scale.md holds what `python benchmarks/scale.py` prints for the committed figures, to the letter."""
    found = json.loads(FIGURES.read_text())
    history = PAGE.read_text().split("\n## The whole history, once\n\n")[1].split("\n\nThe figures behind")[0]

    assert history == "\n\n".join(table(shop, found) for shop in SHOPS)


def test_no_delivery_is_advised_that_is_refused() -> None:
    """The landing folder takes one file of a week: a large one is not to come in several."""
    assert "several files" not in " ".join(PAGE.read_text().split())


def test_a_line_is_what_one_reckons_by_hand() -> None:
    """72 CPU seconds for a million lines; a hundred million then take 2 core hours, .21 hours of 16 cores that are busy to .6."""
    figure = {"name": "Spark stages, staging", "cpu_seconds": 72.0, "more": {"lines": 1_000_000}}
    shop = Shop("a shop", customers=1e3, lines=100e6, baskets=1e6, nodes=4)

    assert USD_PER_NODE_HOUR == 0.22
    assert table(shop, {"1": {"figures": [figure]}}).splitlines() == [
        "a shop: 1,000 customers, 100,000,000 lines, 1,000,000 baskets; 4 nodes of 4 cores",
        "",
        "| stage | work | CPU microseconds each | core hours | hours | USD |",
        "|---|---|---|---|---|---|",
        "| files to baskets | 100,000,000 lines | 72 | 2.0 | 0.21 | 0.18 |",
    ]
