"""Drawings of the weekly report, as the words in them."""

import re

from nextbasket_assets.report.cards import Bar
from nextbasket_assets.report.weekly.charts import lift_bars


def test_a_bar_counts_its_baskets() -> None:
    """One basket is no "1 baskets"; thousands have their comma."""
    drawn = lift_bars("M01", [Bar("soup", 482, 300, 600, 1), Bar("fruit", 366, 330, 400, 1_234)])

    assert "soup, 1 basket<" in drawn
    assert "fruit, 1,234 baskets<" in drawn


def test_no_bar_and_no_number_is_cut_off() -> None:
    """The scale reaches the furthest end on either side, also of bars that lie far below 100."""
    drawn = lift_bars("M01", [Bar("soup", 180, 160, 200, 100), Bar("fruit", 30, 25, 36, 40), Bar("tea", 8, 2, 40, 5)])
    places = [float(place) for place in re.findall(r'<(?:text|rect) x="(-?[0-9.]+)"', drawn)]

    assert min(places) >= 0
    assert all(float(place) >= 20 for place in re.findall(r'<text x="(-?[0-9.]+)" y="[0-9.]+" class="value"', drawn))
