"""Tagging: what is asked of Spark."""

from datetime import date, timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from nextbasket_assets.assets import missions
from nextbasket_assets.lake.registry import PROMOTED, Decision

WEEK = date(2006, 4, 10)
BEFORE = WEEK - timedelta(weeks=1)
MODEL = Decision(
    week=WEEK, name="mission_model", version="v1", decision=PROMOTED, why="so", metrics={}, artifact="a", digest="d",
    inputs={}, run_id="r",
)  # fmt: skip


@pytest.mark.parametrize(("baskets", "files"), [(0, 1), (10, 1), (11, 2), (35, 4)])
def test_a_long_history_is_written_by_several_tasks(monkeypatch: pytest.MonkeyPatch, baskets: int, files: int) -> None:
    """A file and a Spark task for every ten baskets here; one week's tags are spread as its baskets are."""
    monkeypatch.setattr(missions, "_BASKETS_PER_FILE", 10)
    monkeypatch.setattr(missions.artifacts, "verify", Mock())
    lake, spark = Mock(rows=Mock(return_value={BEFORE: baskets, WEEK: 0})), Mock()

    def asked(table: str) -> dict[str, Any]:
        missions.tag(spark, lake, table, "folder", MODEL, [BEFORE, WEEK])
        return {name: value for name, value in spark.run.call_args.kwargs.items() if name != "model"}

    assert asked("mission_history") == {"weeks": ["2006-04-10"], "files_per_week": files}
    assert asked("mission_tagged_baskets") == {"weeks": ["2006-04-03", "2006-04-10"]}
