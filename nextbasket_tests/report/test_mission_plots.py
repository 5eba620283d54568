"""Pictures of missions take whatever a retailer calls its products."""

from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.report.cards import cards
from nextbasket_assets.report.mission_plots import lift_bars_png, mission_card_png, shares_png
from nextbasket_tests.report.test_cards import attribute, profile


def test_dollar_signs_are_prices() -> None:
    """A product, a category and a mission with two dollar signs in their names are drawn as they are written."""
    price = "Phone card $10 25% bonus $12"
    catalogue = Catalogue({"PRD1": price}, groups={"G1": price})
    rows = [*profile(), attribute("category_20", "G1", 300, 200, 400)]
    drawn = cards(rows, {"M01": price}, catalogue)

    assert price in [bar.label for bar in drawn[0].strongest]
    for picture in (lift_bars_png(drawn), mission_card_png(drawn[0]), shares_png(rows, {"M01": price})):
        assert picture.startswith(b"\x89PNG")
