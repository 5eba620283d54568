"""Changing the champion by hand: which lists it concerns, and that no damaged model serves."""

from datetime import date
from pathlib import Path

import pytest

from nextbasket_assets.columns import TABLES, WEEK
from nextbasket_assets.lake import artifacts, champions, freshness, registry
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.registry import PROMOTED, REFUSED, TRAINED, Decision
from nextbasket_assets.lake.staged_files import write_rows
from nextbasket_assets.lake.tables import Lake, LakeError

ONE, TWO, THREE = date(2006, 4, 10), date(2006, 4, 17), date(2006, 4, 24)
NOTHING = {"string": "", "integer": 0, "float": 0.0}


def decide(lake: Lake, week: date, version: str, decision: str) -> None:
    """A model of one file, and the decision about it."""
    digest = artifacts.write(lake, f"models/{version}", {"weights": version.encode()})
    named = {"week": week, "name": "rnn_model", "version": version, "decision": decision, "why": "so", "run_id": "run"}
    made = {"metrics": {}, "inputs": {}, "artifact": f"models/{version}", "digest": digest}
    registry.record(lake, Decision(**named, **made))  # type: ignore[arg-type]


def score(lake: Lake, week: date, *versions: str, table: str = "next_basket_scores") -> None:
    """Lists of a week, one by each of these versions; or outlooks, an export or a report without a row, of all that there is."""
    plain = {column.name: NOTHING.get(str(column.type), []) for column in TABLES[table] if column.name != WEEK}
    read = {source.table: lake.version(source.table) for source in freshness.sources(table)}
    with stage(lake, table, "run") as folder:
        write_rows(lake, table, folder, week, [plain | {"model_version": version} for version in versions])
        publish(lake, table, folder, [week], Provenance("run", "code", read))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two champions as of the first and the second week, and a refused challenger of the third."""
    lake = Lake(str(tmp_path))
    decide(lake, ONE, "one", PROMOTED)
    decide(lake, TWO, "two", PROMOTED)
    decide(lake, THREE, "worse", REFUSED)
    return lake


def test_weeks_that_another_model_scored_are_named(lake: Lake) -> None:
    """A week keeps the champion that it may know; after a rollback those of the later one are to be scored again."""
    score(lake, ONE, "one", "fallback")
    score(lake, TWO, "one", "two")
    score(lake, THREE, "two")
    assert champions.scored_by_another(lake) == [TWO]
    champions.roll_back(lake, "why not", "run")

    assert champions.scored_by_another(lake) == [TWO, THREE]


def test_lists_that_a_rollback_left_are_those_of_versions_that_are_out_of_service(lake: Lake) -> None:
    """A version that was promoted again is in service, also after it was trained once more."""
    score(lake, TWO, "two")
    assert champions.left_by_a_rollback(lake) == []
    champions.roll_back(lake, "why not", "run")
    assert champions.left_by_a_rollback(lake) == [TWO]
    champions.promote(lake, "two", "why not", "run")
    decide(lake, TWO, "two", TRAINED)

    assert champions.left_by_a_rollback(lake) == []
    assert champions.promoted(lake, "two") is not None
    assert champions.promoted(lake, "worse") is None


def test_nobody_goes_back_to_a_damaged_model(lake: Lake) -> None:
    """The champion stays in service when the one before it is not what was sealed."""
    Path(lake.path("models/one/weights")).write_bytes(b"x")

    with pytest.raises(LakeError, match="models/one: sha256 differs for weights"):
        champions.roll_back(lake, "why not", "run")
    assert [decision.version for decision in registry.decisions(lake, "rnn_model")] == ["one", "two", "worse"]


def test_no_damaged_model_is_promoted(lake: Lake) -> None:
    """A person's word does not stand for a model's digests."""
    Path(lake.path("models/worse/weights")).write_bytes(b"x")

    with pytest.raises(LakeError, match="models/worse: sha256 differs for weights"):
        champions.promote(lake, "worse", "why not", "run")
    assert registry.decisions(lake, "rnn_model")[-1].decision == REFUSED
