"""The dozen: what is shown of their past, and how long their next basket is waited for."""

from datetime import timedelta
from pathlib import Path

import pytest

from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.report.weekly import people as people_module
from nextbasket_assets.report.weekly.people import aftermath, people
from nextbasket_tests.report.weekly.weeks import BREAD, WEEKS, code, put, small_lake


def test_the_newest_baskets_are_shown_first(tmp_path: Path) -> None:
    """Four of six, by day."""
    lake, days = small_lake(str(tmp_path / "lake"), WEEKS[:2]), [WEEKS[0] + timedelta(days=day) for day in range(6)]
    past = [{"date": day, "hour": 9, "items": [BREAD], "mission_weights": []} for day in days]
    sequence = {"customer": code(1), "baskets_seen": 6, "mission_model": "m1", "baskets": past}
    put(lake, "customer_sequences", WEEKS[1], [sequence])
    (person,) = people(lake, WEEKS[1], Catalogue(), {})

    assert [day for day, _ in person.history] == days[:1:-1]


def test_a_next_basket_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With patience of a week the report of a week that has two after it looks at the next one alone."""
    monkeypatch.setattr(people_module, "_LOOK_AHEAD_WEEKS", 1)

    assert aftermath(small_lake(str(tmp_path / "lake")), WEEKS[1], [], Catalogue()).until == WEEKS[2]
