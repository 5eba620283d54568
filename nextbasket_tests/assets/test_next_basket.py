"""The network's settings in the UI are the ones of the training, and a range of evaluations is one for each week."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import dagster as dg
import pytest

from nextbasket_assets.assets import next_basket
from nextbasket_assets.assets.next_basket import SequenceConfig, TrainingRunConfig, model_evaluation
from nextbasket_assets.lake import artifacts, registry
from nextbasket_assets.lake.registry import PROMOTED, REFUSED, TRAINED, Decision
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.recommender import evaluation
from nextbasket_assets.recommender.training import TrainingConfig
from nextbasket_assets.resources.lake import LakeResource
from nextbasket_tests.platforms import WEEKS, failure
from nextbasket_tests.report.test_week_numbers import published

FIRST, SECOND, THIRD = WEEKS[1:4]


def test_the_config_is_the_settings() -> None:
    """Every setting of a training run can be set in the launchpad, with the same default."""
    assert TrainingRunConfig().model_dump() == asdict(TrainingConfig())


def test_sequences_read_their_window_and_no_later_week() -> None:
    """Weeks 4 and 5 of 1 to 6, each looking back on two: 3 to 5; the history as of the model's week 4, the tags after it."""
    weeks = [FIRST + timedelta(weeks=number) for number in range(6)]
    spark = Mock()
    lake = Mock(weeks=Mock(return_value=weeks), files=Mock(side_effect=lambda _, held: held))
    model: Any = SimpleNamespace(week=weeks[3], version="v")

    next_basket._sequences(spark, lake, SequenceConfig(window_weeks=2), "folder", model, weeks[3:5])

    assert spark.run.call_args.args[1] == {
        "staged_baskets": weeks[2:5],
        "mission_history": [weeks[3]],
        "mission_tagged_baskets": [weeks[4]],
    }


def record(lake: Lake, week: date, version: str, decision: str) -> None:
    registry.record(
        lake, Decision(
            week=week, name="rnn_model", version=version, decision=decision, why="so", metrics={}, artifact=version,
            digest="d", inputs={}, run_id="r",
        ),
    )  # fmt: skip


@pytest.fixture
def met(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Who meets whom; a challenger wins unless it is called weak, and no artifact is looked at."""
    meetings: list[tuple[str, str | None]] = []

    def evaluate(_files: Any, _week: date, ours: str, theirs: str | None) -> Any:
        meetings.append((ours, theirs))
        decision = SimpleNamespace(promote="weak" not in ours, why="so")
        return SimpleNamespace(rows=[], reliability=None, decision=decision)

    @contextmanager
    def as_it_is(_lake: Lake, folder: str | None) -> Iterator[str | None]:
        yield folder

    monkeypatch.setattr(evaluation, "evaluate", evaluate)
    monkeypatch.setattr(next_basket, "local_folder", as_it_is)
    monkeypatch.setattr(artifacts, "verify", lambda *_: None)
    return meetings


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A champion, and three later weeks of sequences."""
    lake = published(tmp_path / "lake", "customer_sequences", {week: [] for week in (FIRST, SECOND, THIRD)})
    record(lake, WEEKS[0], "champion", PROMOTED)
    return lake


def evaluated(lake: Lake, first: date, last: date) -> dg.ExecuteInProcessResult:
    ends = {"start": first.isoformat(), "end": last.isoformat()}
    return dg.materialize(
        [model_evaluation],
        instance=dg.DagsterInstance.ephemeral(),
        resources={"lake": LakeResource(root=lake.root)},
        tags={f"dagster/asset_partition_range_{end}": week for end, week in ends.items()},
        raise_on_error=False,
    )


def decided(lake: Lake) -> list[tuple[str, str]]:
    found = registry.decisions(lake, "rnn_model")
    return [(one.version, one.decision) for one in found if one.decision != TRAINED]


@pytest.mark.parametrize(("first", "rival"), [("strong", "strong"), ("weak", "champion")])
def test_the_second_week_of_a_range_meets_whom_it_would_meet_alone(
    lake: Lake, met: list[tuple[str, str | None]], first: str, rival: str
) -> None:
    """The challenger of the second week has to beat the first week's if that one was promoted, and the champion if not."""
    record(lake, FIRST, first, TRAINED)
    record(lake, SECOND, "later", TRAINED)
    result = evaluated(lake, FIRST, SECOND)

    assert result.success, failure(result)
    assert met == [(first, "champion"), ("later", rival)]
    assert decided(lake)[1:] == [(first, PROMOTED if first == "strong" else REFUSED), ("later", PROMOTED)]


def test_a_range_with_a_week_without_a_challenger_decides_nothing(
    lake: Lake, met: list[tuple[str, str | None]]
) -> None:
    """It is refused before the first comparison: no week is decided whose numbers are not published."""
    record(lake, SECOND, "later", TRAINED)
    result = evaluated(lake, SECOND, THIRD)

    assert f"none was trained as of {THIRD}" in failure(result)
    assert (met, decided(lake)) == ([], [("champion", PROMOTED)])
