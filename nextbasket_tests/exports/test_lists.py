"""Lists are filtered, cut and renumbered as asked, and nobody is lost."""

from typing import Any

import pytest

from nextbasket_assets.exports.holdout import held_out
from nextbasket_assets.exports.lists import Lists, lists, wide
from nextbasket_assets.exports.settings import ExportError, ExportSettings
from nextbasket_tests.exports import small
from nextbasket_tests.exports.small import MONDAY, PLAIN, listed


def made(settings: ExportSettings = PLAIN) -> Lists:
    return lists(MONDAY, small.scores(), small.outlook(), settings, {"a": "apples"})


def by_customer(found: Lists) -> dict[str, str]:
    items: dict[str, str] = dict.fromkeys(found.customers["customer"].to_pylist(), "")
    for row in found.long.to_pylist():
        items[row["customer"]] += row["item"]
        assert row["rank"] == len(items[row["customer"]]), "ranks have no gaps"
    return items


def counted(found: Lists) -> list[tuple[int, int]]:
    return list(zip(*(found.customers[name].to_pylist() for name in ("items", "wanted_items")), strict=True))


def test_without_options_every_list_leaves_as_it_was_scored() -> None:
    """All items of all customers, in order of customer and rank, with names where there are some."""
    found = made()

    assert by_customer(found) == small.LISTS
    assert found.long["item_name"].to_pylist()[:2] == ["apples", ""]
    assert counted(found) == [(4, 4)] * 3


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"k": 2}, {"ANN": "ab", "BOB": "bc", "CAT": "ea"}),
        ({"length": "own", "shortest": 1}, {"ANN": "ab", "BOB": "bc", "CAT": "eabc"}),
        ({"length": "own", "shortest": 3}, {"ANN": "abc", "BOB": "bcd", "CAT": "eabc"}),
        ({"length": "own", "shortest": 3, "k": 2}, {"ANN": "ab", "BOB": "bc", "CAT": "ea"}),
        ({"exclude": listed("b e")}, {"ANN": "acd", "BOB": "cd", "CAT": "ac"}),
        ({"exclude": listed("b"), "k": 2}, {"ANN": "ac", "BOB": "cd", "CAT": "ea"}),
        ({"allow": listed("a d")}, {"ANN": "ad", "BOB": "d", "CAT": "a"}),
        ({"allow": listed("a b"), "exclude": listed("a")}, {"ANN": "b", "BOB": "b", "CAT": "b"}),
        ({"allow": listed("a")}, {"ANN": "a", "BOB": "", "CAT": "a"}),
    ],
)
def test_options_shorten_filter_and_renumber(options: dict[str, Any], wanted: dict[str, str]) -> None:
    """A list is first filtered and then cut: what is excluded makes room for what comes after it."""
    assert by_customer(made(ExportSettings(**options))) == wanted


def test_lists_have_places_for_what_was_scored_only() -> None:
    """Asked for more items than were scored, the wide form has no columns for the rest; that lists are short is told."""
    found = made(ExportSettings(k=1000))

    assert found.places == 4
    assert counted(found) == [(4, 1000)] * 3


def test_own_length_is_the_expected_basket_rounded_up_within_bounds() -> None:
    """1.2, 2.0 and 9.0 expected items of lists of four, two at least: 2, 2 and 4."""
    assert counted(made(ExportSettings(length="own", shortest=2))) == [(2, 2), (2, 2), (4, 4)]


def test_short_lists_say_how_long_they_were_to_be() -> None:
    """A customer keeps a row in the wide form when the lists leave nothing, and each list's row count is told."""
    found = made(ExportSettings(allow=listed("a"), k=2))

    assert counted(found) == [(1, 2), (0, 2), (1, 2)]
    assert found.removed == {"allow": 10, "exclude": 0}


def test_the_wide_form_has_three_columns_a_place() -> None:
    """One row per customer; places that a list does not reach are null."""
    found = made(ExportSettings(allow=listed("a d")))
    rows = {row["customer"]: row for row in wide(found.long, found.customers, found.places).to_pylist()}

    assert [rows["ANN"][f"item_{place}"] for place in (1, 2, 3, 4)] == ["a", "d", None, None]
    assert [rows["BOB"][f"item_{place}"] for place in (1, 2)] == ["d", None]
    assert rows["ANN"]["item_name_1"] == "apples"
    assert rows["BOB"]["probability_1"] == pytest.approx(0.5 / 3)
    assert "item_5" not in rows["ANN"]


def test_the_campaigns_own_group_is_left_alone() -> None:
    """The customers whom the draw of this campaign names, and another campaign's are others."""
    spring, autumn = (made(ExportSettings(campaign=name, holdout_share=0.5)) for name in ("spring", "autumn"))

    assert spring.customers["holdout"].to_pylist() == held_out(small.LISTS, "spring", 0.5).tolist()
    assert autumn.customers["holdout"].to_pylist() == held_out(small.LISTS, "autumn", 0.5).tolist()
    assert spring.customers["holdout"].to_pylist() != autumn.customers["holdout"].to_pylist()


def test_scores_without_outlooks_are_refused() -> None:
    """Scores and outlooks that were made for other customers do not leave together."""
    with pytest.raises(ExportError, match="lacks 2 of 3 scored customers"):
        lists(MONDAY, small.scores(), small.outlook().slice(0, 1), PLAIN, {})


def test_a_week_without_scores_is_refused() -> None:
    """No rows are no export."""
    with pytest.raises(ExportError, match="week 2006-04-10 has no scores"):
        lists(MONDAY, small.scores().slice(0, 0), small.outlook(), PLAIN, {})
