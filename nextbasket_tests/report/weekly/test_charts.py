"""Drawings of the weekly report, as the words in them."""

from nextbasket_assets.report.cards import Bar
from nextbasket_assets.report.weekly.charts import lift_bars


def test_a_bar_counts_its_baskets() -> None:
    """One basket is no "1 baskets"; thousands have their comma."""
    drawn = lift_bars("M01", [Bar("soup", 482, 300, 600, 1), Bar("fruit", 366, 330, 400, 1_234)])

    assert "soup, 1 basket<" in drawn
    assert "fruit, 1,234 baskets<" in drawn
