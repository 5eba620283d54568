import dataclasses
import datetime

import numpy as np
import pyarrow.parquet as pq
import pytest

from nextbasket_assets import columns
from nextbasket_assets.recommender import scorer, scoring
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

ODD = {"no baskets": [], "one basket": [["P001"]], "only unknown": [["never sold"]]}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of the planted shop, whose customers come on every Monday."""
    return small.trained(tmp_path_factory.mktemp("planted"), shops.planted(customers=60))


def outlook(files, model_dir, out, week=small.AS_OF):
    report = scoring.foretell(files, week, model_dir, str(out))
    return report, {row["customer"]: row for row in pq.read_table(out).to_pylist()}


def test_everybody_has_one_row_and_those_without_a_basket_the_shops_habit(tmp_path, model):
    """With a basket, known or not, the model speaks; without one, the shop's counts do."""
    report, rows = outlook([shops.write_sequences(tmp_path / "odd.parquet", ODD)], model[1], tmp_path / "out")

    assert {c: row["source"] for c, row in rows.items()} == {
        "no baskets": "fallback",
        "one basket": "model",
        "only unknown": "model",
    }
    assert (report.customers, report.fallback_customers) == (3, 1)
    for row in rows.values():
        assert 0 < row["visit_within_7_days"] <= 1
        assert 1 <= row["expected_days"] <= 365
        assert row["expected_items"] > 0
        assert (row["mission"], row["mission_probabilities"]) == (None, [])


def test_columns_are_those_of_the_table_without_the_week(tmp_path, model):
    """The file has next_trip_outlook's columns in their order."""
    outlook([model[0]], model[1], tmp_path / "out")
    names = pq.read_schema(tmp_path / "out" / scoring.PART).names

    assert ("week", *names) == columns.names("next_trip_outlook")


def test_customers_who_come_every_monday_are_expected_on_monday(tmp_path, model):
    """As of a Sunday, everybody of the planted shop comes within 7 days, with the two items that a basket holds."""
    _, rows = outlook([model[0]], model[1], tmp_path / "out")

    assert np.mean([row["visit_within_7_days"] for row in rows.values()]) > 0.9
    assert np.mean([row["expected_days"] for row in rows.values()]) < 4
    assert np.mean([row["expected_items"] for row in rows.values()]) == pytest.approx(2, abs=0.1)


def test_without_a_model_trips_are_counted(tmp_path):
    """Two Mondays in two weeks, one trip after the first in 14 days, and one more of the shop's: 2 trips in 28 days."""
    file = shops.write_sequences(tmp_path / "s.parquet", {"anna": [["bread", "tea"], ["bread"]]})
    report, rows = outlook([file], None, tmp_path / "out", shops.week(1))

    assert report.model_version == "top-frequency"
    assert rows["anna"]["visit_within_7_days"] == pytest.approx(1 - np.exp(-7 * 2 / 28), abs=1e-6)
    assert rows["anna"]["expected_items"] == pytest.approx(1.5)


@pytest.mark.parametrize("weeks_away", [0, 10])
@pytest.mark.parametrize("with_model", [True, False], ids=["the model", "counting"])
def test_outlook_and_scores_mean_the_same_visit(tmp_path, model, weeks_away, with_model):
    """Nobody buys who does not come: no item's chance within 7 days is above P(trip), after ten weeks of absence and for
    customers with no basket or with unknown items only neither. By counting, trips come at random and hold the item at random.
    """
    artifact, week = model[1] if with_model else None, small.AS_OF + datetime.timedelta(weeks=weeks_away)
    files = [model[0], shops.write_sequences(tmp_path / "odd.parquet", ODD)]
    _, rows = outlook(files, artifact, tmp_path / "out", week)
    scoring.score(files, week, artifact, str(tmp_path / "scores"), 5)
    scores = pq.read_table(tmp_path / "scores").to_pylist()

    assert len(scores) == 5 * len(rows)
    for score in scores:
        visit = rows[score["customer"]]["visit_within_7_days"]
        assert 0 < score["probability_7_days"] <= visit
        if score["source"] == "fallback":  # nearer to a sure visit a short float has lost the rest
            least = 1 - (1 - min(visit, 0.99)) ** score["probability"]
            assert score["probability_7_days"] == pytest.approx(least, rel=1e-4) or visit > 0.99
            assert score["probability_7_days"] > least * 0.999


def test_the_size_of_the_batch_changes_no_outlook(tmp_path, monkeypatch):
    """With missions, seen one, seven or all customers at a time: the same rows, bit for bit."""
    random = np.random.default_rng(0)
    shop = {name: baskets[: 1 + number % 12] for number, (name, baskets) in enumerate(shops.planted(60).items())}
    weights = {name: random.dirichlet([0.2, 0.2], len(baskets)).tolist() for name, baskets in shop.items()}
    file = shops.write_sequences(tmp_path / "s.parquet", shop, missions=weights, mission_model="m")
    small.train_quietly([file], tmp_path / "model", dataclasses.replace(small.SETTINGS, epochs=1))
    found = []
    for customers in (1024, 7, 1):
        monkeypatch.setattr(scorer, "CUSTOMERS", customers)
        scoring.foretell([file], small.AS_OF, str(tmp_path / "model"), str(tmp_path / str(customers)), ["a", "b"])
        found.append(pq.read_table(tmp_path / str(customers)).to_pylist())

    assert found[1] == found[0]
    assert found[2] == found[0]
