import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest

from nextbasket_assets.recommender import artifact, conditioning, histories, scoring
from nextbasket_assets.recommender.conditioning import mission_lifts
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

BRIEF = dataclasses.replace(small.SETTINGS, epochs=6)
ITEMS = 10  # of each mission


def shop_of_missions(customers=150, baskets=12, seed=0, dealt=False):
    """Each trip is of one of two missions at random, and its basket holds three of the mission's ten items.

    With `dealt`, the missions are dealt anew among all baskets: the same weights, and no item goes with any.
    """
    random = np.random.default_rng(seed)
    missions = random.integers(0, 2, (customers, baskets))
    shop = {
        f"C{c:04d}": [[f"P{m}{i:02d}" for i in sorted(random.choice(ITEMS, 3, replace=False))] for m in missions[c]]
        for c in range(customers)
    }
    told = random.permutation(missions.ravel()).reshape(missions.shape) if dealt else missions
    return shop, {c: [[1.0 - m, float(m)] for m in told[n]] for n, c in enumerate(shop)}, missions


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """The shop, its sequences and a model of it."""
    folder = tmp_path_factory.mktemp("missions")
    shop, weights, missions = shop_of_missions()
    file = shops.write_sequences(folder / "s.parquet", shop, missions=weights, mission_model="one")
    small.train_quietly([file], folder / "model", BRIEF)
    return file, str(folder / "model"), missions


def conditioned(file, model, customer, mission, k=ITEMS):
    return scoring.list_for_mission([file], small.AS_OF, model, customer, mission, k).to_pylist()


def test_lifts_are_the_shares_worked_by_hand(tmp_path):
    """Bread in all 20 baskets of mission 1 and in 10 of mission 2's 20: 3/4 of all; with 4 usual baskets on both sides.

    What was bought after the 40 baskets that may be learned from does not count.
    """
    shop = {"anna": [["bread"]] * 20 + [["bread"], ["tea"]] * 10 + [["tea"]] * 2}
    weights = {"anna": [[1.0, 0.0]] * 20 + [[0.0, 1.0]] * 20 + [[1.0, 0.0]] * 2}
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "s.parquet", shop, missions=weights))
    lifts = mission_lifts(prefixes.histories, np.array([40]), words.size)

    assert lifts[:, 2] == pytest.approx(np.log([(20 + 4) / (15 + 4), (10 + 4) / (15 + 4)]), abs=1e-6)
    assert lifts[:, 3] == pytest.approx(np.log([(0 + 4) / (5 + 4), (10 + 4) / (5 + 4)]), abs=1e-6)


def test_a_basket_without_a_mission_is_of_none():
    """The scale is chosen by main missions, one for each basket; an unassigned one is lifted by nothing."""
    assert conditioning._main(np.array([[0.4, 0.6], [0.0, 0.0]])).tolist() == [[0, 1], [0, 0]]


def test_a_list_for_a_mission_holds_the_missions_items_and_says_so(planted):
    """Where a trip's items are its mission's ten, the list for each mission is these ten, because they go with it."""
    file, model, _ = planted
    for place in (0, 1):
        rows = [row for c in range(20) for row in conditioned(file, model, f"C{c:04d}", place)]
        own = [row for row in rows if row["item"].startswith(f"P{place}")]

        assert len(own) > 0.95 * len(rows)
        assert {row["reason"] for row in own} == {"goes with this mission"}
        assert "probability_7_days" not in rows[0], "the next trip need not be of this mission"


def test_the_score_of_what_goes_with_a_mission_falls_on_a_trip_of_another(planted):
    """Take the named evidence away, the mission, and the item's probability falls to a third at most."""
    file, model, _ = planted
    for c in range(20):
        first = conditioned(file, model, f"C{c:04d}", 0)[0]
        others = {row["item"]: row["probability"] for row in conditioned(file, model, f"C{c:04d}", 1, 2 * ITEMS)}

        assert first["reason"] == "goes with this mission"
        assert others[first["item"]] < first["probability"] / 3


def test_missions_that_were_dealt_anew_change_nothing(tmp_path):
    """The shuffled twin: when no item goes with a mission, the model does not believe the counts."""
    shop, weights, _ = shop_of_missions(dealt=True)
    file = shops.write_sequences(tmp_path / "s.parquet", shop, missions=weights, mission_model="one")
    small.train_quietly([file], tmp_path / "model", BRIEF)
    network = artifact.load(str(tmp_path / "model")).model.network
    most = float((network.mission_scale * network.mission_lifts).abs().max())

    assert most < np.log(1.5)
    assert all("mission" not in row["reason"] for row in conditioned(file, str(tmp_path / "model"), "C0000", 0))


def test_missions_of_another_model_are_left_out_and_it_says_so(planted, tmp_path):
    """Weights of a mission model of as many missions but other meanings leave no trace: the scores are those without any.

    Regression: the same number of missions was all that was asked for.
    """
    _, model, _ = planted
    shop, weights, _ = shop_of_missions()
    swapped = {c: [w[::-1] for w in given] for c, given in weights.items()}
    tables = {}
    for name, given, version in (("other", swapped, "two"), ("none", None, "two"), ("same", weights, "one")):
        file = shops.write_sequences(tmp_path / f"{name}.parquet", shop, missions=given, mission_model=version)
        report = scoring.score([file], small.AS_OF, model, str(tmp_path / name), 5)
        tables[name] = pq.read_table(tmp_path / name)
        assert report.missions_known == (version == "one")
    with pytest.raises(scoring.ScoreError, match="trained on other missions than the week's"):
        conditioned(str(tmp_path / "other.parquet"), model, "C0000", 0)

    assert tables["other"].equals(tables["none"])
    assert not tables["same"].equals(tables["none"])


def test_without_the_models_missions_the_next_ones_are_counted(planted, tmp_path):
    """The outlook is in the terms of the week's mission model: three missions counted, though the network knows two."""
    _, model, _ = planted
    weights = {"anna": [[0.0, 0.0, 1.0]] * 4, "ben": [[1.0, 0.0, 0.0]] * 4}
    shop = {c: [["P000"]] * 4 for c in weights}
    file = shops.write_sequences(tmp_path / "s.parquet", shop, missions=weights, mission_model="three")
    scoring.foretell([file], small.AS_OF, model, str(tmp_path / "out"), ["M02", "M05", "M11"])
    rows = pq.read_table(tmp_path / "out").to_pylist()

    assert [row["mission"] for row in rows] == ["M11", "M02"]
    assert [len(row["mission_probabilities"]) for row in rows] == [3, 3]
    assert {row["source"] for row in rows} == {"model"}
    with pytest.raises(scoring.ScoreError, match="3 missions and 2 are known by name"):
        scoring.foretell([file], small.AS_OF, model, str(tmp_path / "out"), ["M02", "M05"])


def test_as_many_missions_of_another_model_are_counted_too(planted, tmp_path):
    """Four trips of the second mission and one of the shop's, even, beside them: a chance of 4.5 in 5 and not the network's."""
    weights = {"anna": [[0.0, 1.0]] * 4, "ben": [[1.0, 0.0]] * 4}
    shop = {c: [["P000"]] * 4 for c in weights}
    file = shops.write_sequences(tmp_path / "s.parquet", shop, missions=weights, mission_model="two")
    scoring.foretell([file], small.AS_OF, planted[1], str(tmp_path / "out"), ["M02", "M05"])
    anna, ben = pq.read_table(tmp_path / "out")["mission_probabilities"].to_pylist()

    assert (anna, ben) == (pytest.approx([0.1, 0.9]), pytest.approx([0.9, 0.1]))


def test_several_mission_models_in_one_week_are_an_error(tmp_path):
    """Sequences of one week are in one model's terms, or cannot be read."""
    files = [
        shops.write_sequences(tmp_path / f"{n}.parquet", {f"C{n}": [["a"]]}, mission_model=version)
        for n, version in enumerate(("one", "two"))
    ]
    with pytest.raises(histories.SequenceError, match="several mission models: rebuild customer_sequences"):
        histories.read(files)


def test_an_unknown_mission_or_customer_says_what_to_do(planted):
    """Neither a third mission nor a stranger has a list, and the message does not repeat the code."""
    file, model, _ = planted
    with pytest.raises(scoring.ScoreError, match="train again"):
        conditioned(file, model, "C0000", 2)
    with pytest.raises(scoring.ScoreError, match="not in the week's sequences") as error:
        conditioned(file, model, "stranger", 0)

    assert "stranger" not in str(error.value)


def test_a_list_for_a_mission_that_nothing_can_be_said_about_is_refused(planted, tmp_path):
    """More items than there are, or a customer of whom the model knows no purchase: no list that looks like an answer."""
    file, model, _ = planted
    with pytest.raises(scoring.ScoreError, match="items per customer are wanted"):
        conditioned(file, model, "C0000", 0, k=10_000)
    model_of = histories.mission_model_of([file])
    weights = {"odd": [[1.0, 0.0]]}
    odd = shops.write_sequences(
        tmp_path / "odd.parquet", {"odd": [["never sold"]]}, missions=weights, mission_model=model_of
    )
    with pytest.raises(scoring.ScoreError, match="knows no purchase"):
        conditioned(odd, model, "odd", 0)
