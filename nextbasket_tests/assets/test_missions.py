"""Tagging: what is asked of Spark."""

from datetime import date, timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from nextbasket_assets.assets import missions
from nextbasket_assets.lake.registry import PROMOTED, Decision
from nextbasket_assets.lake.tables import LakeError

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


def test_a_history_is_of_the_model_of_its_week(monkeypatch: pytest.MonkeyPatch) -> None:
    """An older model is in force in the week after; that week has no history of its own."""
    monkeypatch.setattr(missions.registry, "promoted", Mock(return_value=MODEL))

    assert missions.model_of_week(Mock(), WEEK) is MODEL
    with pytest.raises(LakeError, match=r"no model as of 2006-04-17 is promoted"):
        missions.model_of_week(Mock(), WEEK + timedelta(weeks=1))


def test_weeks_are_tagged_together_by_the_model_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weeks before the first model are one era, those from its week on another; the registry is read once for all of them."""
    decisions = Mock(return_value=[MODEL])
    monkeypatch.setattr(missions.registry, "decisions", decisions)
    lake = Mock(weeks=Mock(return_value=[WEEK]))
    weeks = [WEEK + timedelta(weeks=number) for number in range(-2, 2)]

    assert missions.eras(lake, weeks) == [(None, weeks[:2]), (MODEL, weeks[2:])]
    decisions.assert_called_once_with(lake, "mission_model")
