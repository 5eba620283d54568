"""What answers take from the lake."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.registry import TRAINED, Decision
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.report.answers import customer_answer, evaluation_answer, missions_answer
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


def test_missions_in_service_are_shown_with_items_that_are_not_rare(tmp_path: Path) -> None:
    """A retired mission is none; of the ten times as many most probable items as are asked for, those of the highest lift."""
    identities = [
        {"mission_model": "v1", "mission": m, "name": m, "status": s} for m, s in (("M1", "kept"), ("M2", "retired"))
    ]
    topics = [{"mission": "M1", "item": f"i{rank}", "rank": rank, "lift": float(rank)} for rank in (1, 10, 11)]
    for table, rows in (("mission_identities", identities), ("mission_topics", topics), ("mission_history", [])):
        lake = published(tmp_path, table, {WEEK: rows})
    (mission,) = missions_answer(lake, WEEK, Catalogue({"i10": "tea"}), items=1)["missions"]

    assert mission["mission"] == "M1"
    assert mission["items"] == [{"item": "i10", "name": "tea", "lift": 10.0}]


def test_a_basket_is_of_its_heaviest_mission(tmp_path: Path) -> None:
    """Weights stand in the order of the model's ids, retired ones left out; the trip's missions are the likeliest first."""
    identities = [
        {"mission_model": "v1", "mission": f"M{number}", "name": name, "status": status}
        for number, name, status in ((1, "Pets", "new"), (2, "Old", "retired"), (3, "Garden", "new"))
    ]
    basket = {"date": WEEK, "hour": 9, "items": ["a"], "mission_weights": [0.2, 0.8]}
    sequence = {"customer": "ann", "mission_model": "v1", "baskets": [basket]}
    outlook = {"customer": "ann", "mission_probabilities": [0.3, 0.7], "mission": "M3"}
    for table, row in (
        ("mission_identities", identities),
        ("customer_sequences", [sequence]),
        ("next_trip_outlook", [outlook]),
    ):
        lake = published(tmp_path, table, {WEEK: row})
    decide(lake, "mission_model", "v1")
    answer = customer_answer(lake, WEEK, "ann", [], Catalogue(), 5)

    assert [(one["mission"], one["mission_name"]) for one in answer["history"]] == [("M3", "Garden")]
    assert [(one["mission"], round(one["probability"], 6)) for one in answer["next_trip"]["missions"]] == [
        ("M3", 0.7),
        ("M1", 0.3),
    ]


def decide(lake: Lake, name: str, version: str) -> None:
    none: dict[str, Any] = {"metrics": {}, "inputs": {}, "artifact": "a", "digest": "d", "run_id": "r"}
    registry.record(lake, Decision(week=WEEK, name=name, version=version, decision=TRAINED, why="best", **none))


def test_methods_are_ranked_by_recall_and_deciles_are_no_metrics(tmp_path: Path) -> None:
    """The best of ten places first; what a tenth of the probabilities came to is left to the table."""
    lake = Lake(str(tmp_path))
    row = {"metric": "recall", "k": 10, "customers": 9, "decile": None}
    rows = [row | {"method": name, "value": value} for name, value in (("plain", 0.3), ("challenger", 0.5))]
    answer = evaluation_answer(lake, WEEK, [*rows, row | {"method": "plain", "decile": 1, "value": 0.99}], [])

    assert [(one["method"], one["recall@10"]) for one in answer["held_out"]] == [("challenger", 0.5), ("plain", 0.3)]
