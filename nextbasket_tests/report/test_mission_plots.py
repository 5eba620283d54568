"""Pictures of missions take whatever a retailer calls its products."""

import pytest

from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.report.cards import cards
from nextbasket_assets.report.mission_plots import lift_bars_png, mission_card_png, shares_png
from nextbasket_tests.report.test_cards import attribute, profile, row


@pytest.mark.parametrize(("low", "high"), [(5.0, 15.0), (-15.0, -5.0)])
def test_a_change_beyond_chance_has_a_star(low: float, high: float) -> None:
    """More or less of a mission: the picture is another one than that of a change that chance explains."""
    share = row("trend", "share", "2006-04-10", value=0.2, low=0.15, high=0.25)
    certain, chance = (
        shares_png([share, row("trend", "change", value=(low + high) / 2, low=least, high=most)], {})
        for least, most in ((low, high), (-20.0, 20.0))
    )

    assert certain != chance


def test_dollar_signs_are_prices() -> None:
    """A product, a category and a mission with two dollar signs in their names are drawn as they are written."""
    price = "Phone card $10 25% bonus $12"
    catalogue = Catalogue({"PRD1": price}, groups={"G1": price})
    rows = [*profile(), attribute("category_20", "G1", 300, 200, 400)]
    drawn = cards(rows, {"M01": price}, catalogue)

    assert price in [bar.label for bar in drawn[0].strongest]
    for picture in (lift_bars_png(drawn), mission_card_png(drawn[0]), shares_png(rows, {"M01": price})):
        assert picture.startswith(b"\x89PNG")
