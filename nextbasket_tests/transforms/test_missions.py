"""Missions: planted ones are found, their shuffled twin's are not, and a basket's tag is its own affair."""

import json
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import SparkSession

from nextbasket_assets.transforms.missions import mission_ids, mission_order, topic_rows
from nextbasket_tests.transforms.plans import WEEK, broken, keep, rows, stage
from nextbasket_tests.transforms.test_sequences import basket

MISSIONS = [[f"{name}{number}" for number in range(5)] for name in ("bread", "fruit", "soap", "wine")]
SETTINGS = {"k": 4, "min_item_baskets": 5, "batch_share": 0.25, "passes": 10, "learning_offset": 10.0}


def planted(shuffled: bool = False) -> list[dict[str, Any]]:
    """240 baskets of four items of one mission each; in the shuffled twin the same items fall into any basket."""
    chance = random.Random(11)
    contents = [chance.sample(MISSIONS[number % 4], 4) for number in range(240)]
    if shuffled:
        everything = [item for content in contents for item in content]
        chance.shuffle(everything)
        contents = [everything[start : start + 4] for start in range(0, len(everything), 4)]
    visits = [
        basket(0, f"C{number}", WEEK + timedelta(days=number % 7), 9, *sorted(set(content)))
        for number, content in enumerate(contents)
    ]
    return [{**visit, "basket": f"{994100100000000 + number}"} for number, visit in enumerate(visits)]


def learn(spark: SparkSession, folder: Path, baskets: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Fit a model into `folder/model`; the five most probable items of each mission."""
    files = keep(spark, folder, "staged_baskets", baskets)
    outputs = ("mission_topics", "model")
    report = stage(
        spark,
        folder,
        "mission_model",
        {"staged_baskets": files},
        outputs,
        weeks=["2006-04-10"],
        version="v",
        **SETTINGS,
    )
    assert broken(report) == []
    topics = rows(spark, folder, "mission_topics")
    return {
        mission: sorted(row["item"] for row in topics if row["mission"] == mission and row["rank"] <= 5)
        for mission in ("M01", "M02", "M03", "M04")
    }


def tagged(
    spark: SparkSession, folder: Path, baskets: list[dict[str, Any]], model: Path | None, output: str
) -> dict[str, dict[str, Any]]:
    """Tags by basket."""
    inputs = {"staged_baskets": keep(spark, folder, "staged_baskets", baskets)}
    where = str(model) if model else None
    report = stage(spark, folder, "tag_baskets", inputs, (output,), weeks=["2006-04-10"], model=where)
    assert broken(report) == []
    return {row["basket"]: row for row in rows(spark, folder, output)}


@pytest.fixture(scope="module")
def model(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a model of the planted baskets."""
    folder = tmp_path_factory.mktemp("planted")
    found = learn(spark, folder, planted())
    (folder / "found.json").write_text(json.dumps(found))
    return folder / "model"


def test_planted_missions_are_found(model: Path) -> None:
    """Each mission's five most probable items are one planted mission's five."""
    found = json.loads((model.parent / "found.json").read_text())

    assert sorted(found.values()) == MISSIONS


def test_shuffled_missions_are_not(spark: SparkSession, tmp_path: Path) -> None:
    """The same items without the missions give no planted mission back."""
    found = learn(spark, tmp_path, planted(shuffled=True))

    assert not any(items in MISSIONS for items in found.values())


def test_tags_follow_the_planted_mission(spark: SparkSession, tmp_path: Path, model: Path) -> None:
    """A basket's mission is the one it was made from; one alone, as history or as a week's tag, is tagged as in the crowd."""
    baskets = planted()
    found = json.loads((model.parent / "found.json").read_text())

    crowd = tagged(spark, tmp_path / "crowd", baskets, model, "mission_tagged_baskets")
    alone = tagged(spark, tmp_path / "alone", baskets[17:18], model, "mission_history")

    for visit in baskets:
        assert {item["item"] for item in visit["items"]} <= set(found[crowd[visit["basket"]]["mission"]])
    one = alone[baskets[17]["basket"]]
    assert one.pop("basket_week") == date(2006, 4, 10)
    assert one == crowd[baskets[17]["basket"]]
    assert one["confidence"] > 0.8
    assert (one["mission_model"], one["known_items"]) == ("v", 4)


def test_baskets_that_the_model_does_not_know(spark: SparkSession, tmp_path: Path, model: Path) -> None:
    """No known item, no item, or no model: unassigned, with no weights, and never the first mission."""
    baskets = [basket(1, "C1", WEEK, 9, "unheard"), basket(2, "C1", WEEK, 9), basket(3, None, WEEK, 9, "o'neill\\s")]
    known = [basket(4, "C1", WEEK, 9, "wine0")]

    without = tagged(spark, tmp_path / "none", known, None, "mission_tagged_baskets")
    unknown = tagged(spark, tmp_path / "some", baskets, model, "mission_tagged_baskets")

    for row in [*without.values(), *unknown.values()]:
        assert (row["mission"], row["confidence"], row["mission_weights"], row["known_items"]) == (
            "unassigned",
            0,
            [],
            0,
        )
    assert {row["mission_model"] for row in without.values()} == {None}


def test_too_few_items_to_learn_from(spark: SparkSession, tmp_path: Path) -> None:
    """A shop with fewer frequent items than missions is refused with what to do."""
    with pytest.raises(ValueError, match="0 items are in 5 baskets or more: too few for 4 missions"):
        learn(spark, tmp_path, [basket(1, "C1", WEEK, 9, "A", "B")])


def test_missions_are_ordered_by_share() -> None:
    """M01 is the topic with most of the items bought; probabilities and lifts are fractions worked by hand."""
    topics = np.array([[1.0, 6.0], [3.0, 2.0]])  # two items in two topics

    assert mission_order(topics) == [1, 0]
    assert mission_ids(2) == ["M01", "M02"]
    assert topic_rows(topics, ["a", "b"], np.array([0.5, 0.5]), limit=1) == [
        ("M01", "a", 0.75, 1.5, 1),
        ("M02", "b", 0.75, 1.5, 1),
    ]
