"""What arrived, counted on a few hand-made rows."""

from datetime import timedelta
from pathlib import Path

import pytest

from nextbasket_assets.report.weekly import arrived as arrived_module
from nextbasket_assets.report.weekly.arrived import arrived
from nextbasket_tests.report.weekly.weeks import WEEKS, basket, put, small_lake


def test_a_week_is_compared_with_the_newest_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two weeks they are the two just before, oldest first; later weeks are not looked at."""
    monkeypatch.setattr(arrived_module, "RECENT_WEEKS", 2)
    lake = small_lake(str(tmp_path / "lake"))

    assert [one.week for one in arrived(lake, WEEKS[3]).weeks] == WEEKS[1:]
    assert [one.week for one in arrived(lake, WEEKS[1]).weeks] == WEEKS[:2]


def test_customers_are_people_and_anonymous_baskets_are_baskets(tmp_path: Path) -> None:
    """One customer with two baskets, and three baskets of nobody known."""
    lake, week = small_lake(str(tmp_path / "lake"), WEEKS[:2]), WEEKS[1] + timedelta(weeks=1)
    put(lake, "landed_files", week, [])
    known = [basket(1, week, ["tea"], basket=f"b{number}") for number in range(2)]
    nobody = [basket(2, week, ["tea"], basket=f"n{number}", customer=None) for number in range(3)]
    put(lake, "staged_baskets", week, [*known, *nobody])
    found = arrived(lake, week)

    assert (found.customers, found.anonymous, found.now.baskets) == (1, 3, 5)


def test_the_commonest_rule_is_first(tmp_path: Path) -> None:
    """Rules by their lines, then by name."""
    lake = small_lake(str(tmp_path / "lake"), WEEKS[:2])
    row = {"source_file": "f", "detail": "d", "raw_text": "x"}
    rules = ["b_rule", "c_rule", "a_rule", "c_rule"]
    put(lake, "rejected_lines", WEEKS[1], [row | {"line_number": n, "rule": rule} for n, rule in enumerate(rules)])

    assert arrived(lake, WEEKS[1]).rules == [("c_rule", 2), ("a_rule", 1), ("b_rule", 1)]
