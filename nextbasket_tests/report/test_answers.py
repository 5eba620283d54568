"""What answers take from the lake."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.report.answers import missions_answer
from nextbasket_tests.report.test_week_numbers import published

WEEK = date(2006, 4, 10)


def test_shares_are_counted_without_reading_whole_histories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of three baskets are on M01; of a history, which has every basket there was, only the missions are read."""
    identity = {"mission_model": "v1", "mission": "M01", "name": "Pets", "status": "new"}
    published(tmp_path, "mission_identities", {WEEK: [identity]})
    lake = published(tmp_path, "mission_history", {WEEK: [{"mission": name} for name in ("M01", "M01", "unassigned")]})
    asked: dict[str, Any] = {}
    read = Lake.read

    def spied(lake: Lake, table: str, weeks: Any, columns: Any = None) -> Any:
        asked[table] = columns
        return read(lake, table, weeks, columns)

    monkeypatch.setattr(Lake, "read", spied)
    (mission,) = missions_answer(lake, WEEK, Catalogue())["missions"]

    assert mission["share_of_baskets"] == pytest.approx(2 / 3)
    assert asked["mission_history"] == ["mission"]
