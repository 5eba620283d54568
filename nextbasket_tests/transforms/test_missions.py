"""Missions in Spark: the sample for the fit is the same however the input lies, and a basket's tag is its own affair."""

import json
import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from nextbasket_assets.missions.choosing import ChoiceSettings
from nextbasket_assets.missions.documents import Documents, from_table
from nextbasket_assets.missions.learning import Naming, Vocabulary, learn
from nextbasket_assets.missions.model import files
from nextbasket_assets.missions.topics import fold_in
from nextbasket_tests.transforms.plans import WEEK, broken, keep, rows, stage
from nextbasket_tests.transforms.test_sequences import basket

MISSIONS = [[f"{name}{number}" for number in range(5)] for name in ("bread", "fruit", "soap", "wine")]


def planted() -> list[dict[str, Any]]:
    """240 baskets of four items of one mission each, of sixty customers."""
    chance = random.Random(11)
    visits = [
        basket(0, f"C{number % 60}", WEEK + timedelta(days=number % 7), 9, *chance.sample(MISSIONS[number % 4], 4))
        for number in range(240)
    ]
    return [{**visit, "basket": f"{994100100000000 + number}"} for number, visit in enumerate(visits)]


def lines_of(baskets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """raw_transactions with one line of every item, its name without the number as its category."""
    items = sorted({item["item"] for visit in baskets for item in visit["items"]})
    labels = ("customer", "price_sensitivity", "lifestage", "basket_size", "basket_price_sensitivity", "basket_type")
    nothing = dict.fromkeys((*labels, "basket_dominant_mission", "store_format", "store_region", "category_10"))
    return [
        {
            **nothing,
            **{"week": WEEK, "source_file": "f", "line_number": number, "date": WEEK, "hour": 9, "quantity": 1},
            **{"spend": Decimal(1), "item": item, "category_20": item[:-1], "category_30": None, "category_40": None},
            **{"basket": "1", "store": "S1"},
        }
        for number, item in enumerate(items)
    ]


def sample(spark: SparkSession, folder: Path, baskets: list[dict[str, Any]], **settings: Any) -> dict[str, Any]:
    """Report of mission_documents, with the rows of both outputs."""
    inputs = {
        "staged_baskets": keep(spark, folder, "staged_baskets", baskets),
        "raw_transactions": keep(spark, folder, "raw_transactions", lines_of(baskets)),
    }
    outputs = ("documents", "vocabulary")
    report = stage(spark, folder, "mission_documents", inputs, outputs, weeks=["2006-04-10"], **settings)
    return {**report, **read_sample(folder)}


def read_sample(folder: Path) -> dict[str, Any]:
    """Rows of the sample's documents and vocabulary."""
    return {name: pq.read_table(folder / name, partitioning=None).to_pylist() for name in ("documents", "vocabulary")}


def write_model(folder: Path, sampled: dict[str, Any], k: int) -> None:
    """Learn a model from a sample and keep its files."""
    columns = ([row[name] for row in sampled["vocabulary"]] for name in ("item", "group", "baskets"))
    settings = ChoiceSettings(k=k, item_priors=(0.05,))
    learnt = learn("v", read_documents(folder.parent), Vocabulary(*columns), settings, Naming({}, {}, {}), None)
    folder.mkdir()
    for name, content in files(learnt.model, {}, {}, learnt.choice.why).items():
        (folder / name).write_bytes(content)


def read_documents(folder: Path) -> Documents:
    vocabulary = pq.read_table(folder / "vocabulary", partitioning=None).num_rows
    return from_table(pq.read_table(folder / "documents", partitioning=None), vocabulary)


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
    write_model(folder / "model", sample(spark, folder, planted(), min_item_baskets=5), k=4)
    return folder / "model"


def test_the_sample_is_what_the_settings_say(spark: SparkSession, tmp_path: Path) -> None:
    """Frequent items with their category; baskets of two and more of them, at most so many; a fifth of the customers held out."""
    one = {**basket(9, "C1", WEEK, 9, "bread0"), "basket": "1"}
    found = sample(spark, tmp_path, [*planted(), one], min_item_baskets=5, max_baskets=200)

    assert found["metrics"] == {"vocabulary": 20, "learnable_baskets": 240, "baskets": 200}
    assert [(row["index"], row["group"]) for row in found["vocabulary"]] == [
        (index, row["item"][:-1]) for index, row in enumerate(found["vocabulary"])
    ]
    assert len(found["documents"]) == 200
    assert all(len(set(row["items"])) == 4 for row in found["documents"])
    assert {row["half"] for row in found["documents"]} == {0, 1}
    assert 10 < sum(row["held_out"] for row in found["documents"]) < 80


def test_a_customer_is_held_out_in_every_basket_or_in_none(spark: SparkSession, tmp_path: Path) -> None:
    """Who is held out goes by customer and never by seed: otherwise a refit would be judged by what it learnt from."""
    visits = [
        {**basket(0, f"C{customer}", WEEK, 9, f"left{customer}", f"right{customer}"), "basket": f"{customer}-{visit}"}
        for customer in range(30)
        for visit in range(6)
    ]
    kinds: dict[tuple[int, ...], set[tuple[bool, int]]] = {}
    for seed in (1, 2):
        for row in sample(spark, tmp_path / str(seed), visits, min_item_baskets=5, seed=seed)["documents"]:
            kinds.setdefault(tuple(row["items"]), set()).add((row["held_out"], row["half"]))

    assert len(kinds) == 30
    assert all(len(kind) == 1 for kind in kinds.values())
    assert {held_out for kind in kinds.values() for held_out, _ in kind} == {True, False}


def test_an_anonymous_basket_is_held_out_by_itself(spark: SparkSession, tmp_path: Path) -> None:
    """Nobody's baskets are nobody's together: some are held out and some are not, and they are in both halves."""
    visits = [{**basket(0, None, WEEK, 9, "A0", "B0"), "basket": f"anonymous-{number}"} for number in range(40)]

    found = sample(spark, tmp_path, visits, min_item_baskets=5)["documents"]

    assert 0 < sum(row["held_out"] for row in found) < 20
    assert {row["half"] for row in found} == {0, 1}


def test_tags_follow_the_planted_mission(spark: SparkSession, tmp_path: Path, model: Path) -> None:
    """A basket's mission is the one it was made from; one alone, as history or as a week's tag, is tagged as in the crowd."""
    baskets = planted()

    crowd = tagged(spark, tmp_path / "crowd", baskets, model, "mission_tagged_baskets")
    alone = tagged(spark, tmp_path / "alone", baskets[17:18], model, "mission_history")

    found = {crowd[visit["basket"]]["mission"]: visit["items"][0]["item"][:-1] for visit in baskets}
    assert sorted(found.values()) == ["bread", "fruit", "soap", "wine"]
    assert all(found[crowd[visit["basket"]]["mission"]] == visit["items"][0]["item"][:-1] for visit in baskets)
    one = alone[baskets[17]["basket"]]
    assert one.pop("basket_week") == date(2006, 4, 10)
    assert one == crowd[baskets[17]["basket"]]
    assert one["confidence"] > 0.8
    assert (one["mission_model"], one["known_items"]) == ("v", 4)


def test_spark_tags_as_the_fit_would(spark: SparkSession, tmp_path: Path, model: Path) -> None:
    """Spark's inference and the fit's agree on every basket's mission, and small baskets are less sure than large ones."""
    baskets = [
        {**basket(0, "C1", WEEK, 9, *MISSIONS[number % 4][: 1 + number // 4]), "basket": str(number)}
        for number in range(20)
    ]
    table = pq.read_table(model / "topics.parquet").to_pydict()
    config = json.loads((model / "config.json").read_text())
    weights_KV = np.array(table["weights"]).T
    position = {item: index for index, item in enumerate(table["item"])}
    items = [[position[item["item"]] for item in visit["items"]] for visit in baskets]
    sizes = np.array([len(held) for held in items])
    known = Documents(
        np.array([item for held in items for item in held]), sizes, sizes > 99, np.zeros_like(sizes), len(position)
    )
    share_DK = fold_in(known, weights_KV / weights_KV.sum(axis=1, keepdims=True), np.array(config["mission_prior"]))

    found = tagged(spark, tmp_path, baskets, model, "mission_tagged_baskets")

    missions = [config["missions"][best] for best in share_DK.argmax(axis=1)]
    assert [found[visit["basket"]]["mission"] for visit in baskets] == missions
    sure = [found[str(number)]["confidence"] for number in (0, 4, 8, 12, 16)]
    assert sure == sorted(sure)


def test_one_mission_tags_everything(spark: SparkSession, tmp_path: Path, model: Path) -> None:
    """A model of one mission, which a shop without structure gets, tags every known basket with it."""
    sampled = sample(spark, tmp_path, planted(), min_item_baskets=5)
    write_model(tmp_path / "model", sampled, k=1)

    found = tagged(spark, tmp_path / "tags", planted()[:3], tmp_path / "model", "mission_tagged_baskets")

    assert {(row["mission"], tuple(row["mission_weights"])) for row in found.values()} == {("M01", (1.0,))}


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
    """A shop without a frequent item, or without a basket of two, is refused with what to do."""
    with pytest.raises(ValueError, match=r"no item is in 5 baskets or more.*lower min_item_baskets"):
        sample(spark, tmp_path / "rare", [basket(1, "C1", WEEK, 9, "A0", "B0")], min_item_baskets=5)
    with pytest.raises(ValueError, match=r"none of 1 baskets holds 2 known items or more.*lower min_item_baskets"):
        sample(spark, tmp_path / "single", [basket(1, "C1", WEEK, 9, "A0")], min_item_baskets=1)
