"""What a mission's card chooses to say, and pictures that are pictures."""

import struct
from typing import Any

from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.report.cards import LEAST_BASKETS, cards, counted, label, shortened, strongest
from nextbasket_assets.report.mission_plots import (
    candidates_png,
    lift_bars_png,
    mission_card_png,
    shares_png,
)

NAMES = {"M01": "Fruit & salad"}


def row(section: str, name: str, level: str = "", mission: str = "M01", **numbers: Any) -> dict[str, Any]:
    sound = {"baskets": 100, "value": 0.2, "index": None, "low": None, "high": None}
    return {"mission": mission, "section": section, "name": name, "level": level, **sound, **numbers}


def attribute(name: str, level: str, index: float, low: float, high: float, baskets: int = 100) -> dict[str, Any]:
    return row("attribute", name, level, index=index, low=low, high=high, baskets=baskets)


def profile(baskets: int = 100) -> list[dict[str, Any]]:
    """A week with one mission, more of it than before."""
    return [
        row("overall", "share_of_baskets", baskets=baskets),
        row("overall", "share_of_baskets", mission="all", baskets=500, value=1.0),
        row("overall", "mean_spend", value=7.5, index=150.0, low=120.0, high=180.0),
        row("item", "item", "PRD1", index=300.0, low=200.0, high=400.0),
        row("item", "item", "PRD2", index=500.0, low=200.0, high=700.0),
        attribute("store_format", "XLS", 300, 200, 400),
        attribute("store_format", "SS", 40, 20, 60),
        row("trend", "share", "2006-04-03", value=0.1, low=0.05, high=0.15),
        row("trend", "share", "2006-04-10", value=0.2, low=0.15, high=0.25),
        row("trend", "change", value=10.0, low=5.0, high=15.0),
    ]


def test_the_surest_attributes_come_before_the_largest() -> None:
    """The near end of the interval decides; what may be average is left out, and so is an index on nine baskets."""
    rows = [
        attribute("store_format", "XLS", 900, 101, 3000),
        attribute("weekday", "6 Sat", 200, 180, 220),
        attribute("weekday", "7 Sun", 150, 90, 210),
        attribute("lifestage", "YA", 999, 900, 1100, baskets=9),
        attribute("basket_size", "L", 30, 20, 40),
    ]

    assert [bar.label for bar in strongest(rows, Catalogue(), 1)] == ["Sat", "basket size L"]
    rows.append(attribute("basket_size", "S", 80, 50, 110))
    for bars in (2, 4):
        assert [bar.label for bar in strongest(rows, Catalogue(), bars)] == ["store format XLS", "Sat", "basket size L"]


def test_no_attribute_takes_the_whole_card() -> None:
    """Two levels of an attribute at most, and the four category levels count as one."""
    rows = [attribute(f"category_{level}0", f"C{level}", 200 + level, 150 + level, 300) for level in (1, 2, 3, 4)]

    assert [bar.label for bar in strongest(rows, Catalogue(groups={"C4": "fruit"}), 4)] == ["fruit", "C3"]


def test_a_card_in_words() -> None:
    """Size, items by lift with their names, change and attributes; 'all' is no mission."""
    (card,) = cards(profile(), NAMES, Catalogue({"PRD2": "oat milk"}))

    assert (card.title, card.baskets, card.share, card.change) == ("M01 Fruit & salad", 100, 0.2, 10.0)
    assert [(item.label, item.index) for item in card.items] == [("oat milk", 500.0), ("PRD1", 300.0)]
    assert [bar.index for bar in card.strongest] == [300, 40]
    assert card.measures["mean_spend"] == (7.5, 150.0)


def test_a_handful_of_baskets_sets_nothing_apart() -> None:
    """Below thirty baskets of a mission its card has no indices."""
    assert cards(profile(LEAST_BASKETS - 1), NAMES, Catalogue())[0].strongest == []
    assert cards(profile(LEAST_BASKETS), NAMES, Catalogue())[0].strongest != []


def test_labels_are_words() -> None:
    """Column names and sortable levels become what a person reads."""
    assert label("hour_band", "16-18", Catalogue()) == "16-18 o'clock"
    assert label("customer", "anonymous", Catalogue()) == "customer anonymous"
    assert shortened("a long name indeed", 7) == "a long."
    assert [counted(days, "day") for days in (0.4, 1.4, 1.6)] == ["0 days", "1 day", "2 days"]


def test_pictures_are_small_and_repeat() -> None:
    """Every picture is a PNG below 60 kB with the same bytes each time, also of a week without anything to draw."""
    tried = [
        {
            "k": k,
            "gain": 0.1 * k,
            "gain_error": 0.01,
            "stability_seeds": None,
            "stability_halves": 0.9,
            "chosen": k == 2,
        }
        for k in (1, 2, 3)
    ]
    drawn, nothing = cards(profile(), NAMES, Catalogue()), cards(profile(3), NAMES, Catalogue())
    pictures = [
        *(lambda: lift_bars_png(drawn), lambda: lift_bars_png(nothing), lambda: mission_card_png(drawn[0])),
        *(lambda: candidates_png(tried), lambda: shares_png(profile(), NAMES)),
    ]

    for picture in pictures:
        content = picture()
        width, height = struct.unpack(">II", content[16:24])
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        assert len(content) < 60_000
        assert width > 400
        assert height > 100
    assert lift_bars_png(drawn) == lift_bars_png(drawn)
    assert lift_bars_png(drawn) != lift_bars_png(nothing)
