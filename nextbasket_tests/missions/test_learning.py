from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nextbasket_assets.missions.choosing import ChoiceSettings
from nextbasket_assets.missions.documents import documents
from nextbasket_assets.missions.learning import Learnt, Naming, Vocabulary, _taken, learn
from nextbasket_assets.missions.model import MissionModel, candidate_rows, files, read
from nextbasket_assets.missions.topics import Topics, fold_in
from nextbasket_tests.missions.planted import planted, vocabulary

QUICK = ChoiceSettings(candidates=(2, 4, 6), item_priors=(0.05,), seeds=2, restarts=3, sweeps=60)
NAMES = Naming({}, {f"G{number}": f"aisle {number}" for number in range(10)}, {})


def learnt(missions: list[int], former: MissionModel | None = None, naming: Naming = NAMES, seed: int = 0) -> Learnt:
    return learn(f"v{seed}", planted(missions, baskets=1200, seed=seed), vocabulary(), QUICK, naming, former)


def test_the_first_missions_are_numbered_by_share_and_named_by_category() -> None:
    """M01, M02, M03 in falling share of the items, each named by the aisle that it was planted from."""
    model = learnt([3, 5, 8]).model

    assert list(model.missions) == ["M01", "M02", "M03"]
    shares = list(model.topics.item_share_K)
    assert shares == sorted(shares, reverse=True)
    assert sorted(model.names) == ["Aisle 3", "Aisle 5", "Aisle 8"]


def test_a_refit_keeps_ids_retires_and_adds() -> None:
    """Aisle 8 goes and aisle 9 comes: the others keep id and name, M0x of aisle 8 retires, aisle 9 gets a number never used."""
    first = learnt([3, 5, 8])
    second = learnt([3, 5, 9], first.model, seed=1)
    third = learnt([3, 5, 8], second.model, seed=2)

    before, after = (dict(zip(one.model.names, one.model.missions, strict=True)) for one in (first, second))
    assert {name: after[name] for name in ("Aisle 3", "Aisle 5")} == {
        name: before[name] for name in ("Aisle 3", "Aisle 5")
    }
    assert after["Aisle 9"] == "M04"
    assert [one.mission for one in second.identities.retired] == [before["Aisle 8"]]
    assert third.model.missions[-1] == "M05"
    rows = second.identity_rows()
    states = {row["name"]: (row["status"], row["previous_model"]) for row in rows}
    assert states["Aisle 9"] == ("new", None)
    assert states["Aisle 8"] == ("retired", "v0")
    assert states["Aisle 3"] == ("kept", "v0")
    assert [row["share"] for row in rows if row["status"] == "retired"] == [0]


def test_a_mission_s_share_is_of_the_baskets() -> None:
    """Of 100 baskets 60 have three small things and 40 have eight: the eight are most of the items, and 40 % of the baskets."""
    chance = np.random.default_rng(0)
    baskets = [
        sorted(first + chance.choice(10, size, replace=False))
        for first, size in [(0, 3), (10, 8), (0, 3), (10, 8), (0, 3)] * 20
    ]
    items = Vocabulary([str(item) for item in range(20)], ["small"] * 10 + ["large"] * 10, [40] * 20)
    model = learn("v", documents(baskets, 20), items, replace(QUICK, k=2), Naming({}, {}, {}), None).model

    assert list(zip(model.missions, model.names, model.share_K, strict=True)) == [
        ("M01", "Large", 0.4),
        ("M02", "Small", 0.6),
    ]


def test_a_name_that_a_person_gave_to_another_mission_is_lost() -> None:
    """M01 was Bread; missions.yaml calls M02 so: M01 gets a name anew, and a mission that is no more keeps none."""
    former: Any = SimpleNamespace(missions=["M01", "M02", "M03"], names=["Bread", "Wine", "Pets"])

    assert _taken(["M01", "M02"], replace(NAMES, given={"M02": "Bread"}), former) == {"M02": "Bread"}
    assert _taken(["M01", "M02"], NAMES, former) == {"M01": "Bread", "M02": "Wine"}


def test_baskets_keep_their_mission_over_a_refit() -> None:
    """Tagged by the refitted model, at least 95 of 100 baskets have the mission id they had."""
    first = learnt([0, 1, 2, 3])
    second = learnt([0, 1, 2, 3], first.model, seed=1)
    baskets = planted([0, 1, 2, 3], baskets=500, seed=5)
    ids = []
    for model in (first.model, second.model):
        share_DK = fold_in(baskets, model.topics.probability_KV, model.topics.mission_prior_K)
        ids.append(np.array(model.missions)[share_DK.argmax(axis=1)])

    assert (ids[0] == ids[1]).mean() >= 0.95


def test_a_mission_without_an_item_left_gives_its_id_to_nobody() -> None:
    """Garden's items are delisted and school's come: the others keep their ids, school gets one never used."""
    chance, aisles = np.random.default_rng(0), ["milk", "pets", "garden"]
    shops = [
        documents(
            [sorted(10 * aisle + chance.choice(10, 4, replace=False)) for aisle in chance.integers(3, size=600)], 30
        )
        for _ in range(2)
    ]
    before, after = (
        Vocabulary(
            [f"{name} {item}" for name in names for item in range(10)], np.repeat(names, 10).tolist(), [100] * 30
        )
        for names in (aisles, [*aisles[:2], "school"])
    )
    first = learn("v0", shops[0], before, QUICK, Naming({}, {}, {}), None).model
    second = learn("v1", shops[1], after, QUICK, Naming({}, {}, {}), first)
    had = dict(zip(first.names, first.missions, strict=True))

    assert dict(zip(second.model.names, second.model.missions, strict=True)) == {
        **{name: had[name] for name in ("Milk", "Pets")},
        "School": "M04",
    }
    assert [one.mission for one in second.identities.retired] == [had["Garden"]]


def test_a_name_that_a_person_gave_survives_refits() -> None:
    """missions.yaml wins over the generated name, for this model and the next ones."""
    first = learnt([3, 5, 8])
    mission = first.model.missions[first.model.names.index("Aisle 5")]
    given = replace(NAMES, given={mission: "Sunday roast"})
    second = learnt([3, 5, 8], first.model, given, seed=1)

    assert dict(zip(second.model.missions, second.model.names, strict=True))[mission] == "Sunday roast"
    assert learnt([3, 5, 8], second.model, seed=2).model.names == second.model.names


def test_new_and_dropped_items_change_no_identity() -> None:
    """Over another vocabulary an item keeps its counts, an unknown one has none, and a dropped one is gone."""
    model = learnt([3, 5]).model
    topics = model.over(["new", model.items[35]])

    assert topics.counts_KV.shape == (2, 2)
    assert not topics.counts_KV[:, 0].any()
    assert np.array_equal(topics.counts_KV[:, 1], model.topics.counts_KV[:, 35])


def test_a_model_is_read_as_it_was_written() -> None:
    """The files give the model back, field by field."""
    model = replace(learnt([3, 5]).model, last_number=7)
    content = files(model, {"k": None}, {"gain": 1.0}, "because")
    again = read(content.__getitem__)

    assert np.allclose(again.topics.counts_KV, model.topics.counts_KV)
    assert again.topics.item_prior == model.topics.item_prior
    assert np.array_equal(again.topics.mission_prior_K, model.topics.mission_prior_K)
    assert np.array_equal(again.share_K, model.share_K)
    assert np.array_equal(again.baskets_V, model.baskets_V)
    for name in ("version", "items", "groups", "missions", "names", "last_number"):
        assert getattr(again, name) == getattr(model, name), name
    assert set(content) == {"topics.parquet", "config.json", "metrics.json", "card.md"}


def test_a_mission_s_items_are_ranked() -> None:
    """Each mission's items are numbered from 1, the most probable first."""
    rows = learnt([3, 5]).model.topic_rows(limit=4)

    assert [row["rank"] for row in rows] == [1, 2, 3, 4] * 2
    for mission in ("M01", "M02"):
        shown = [row["probability"] for row in rows if row["mission"] == mission]
        assert shown == sorted(shown, reverse=True)


def test_a_topic_s_numbers_are_worked_by_hand() -> None:
    """Six and two items with half an item beforehand: 6.5 of 9.5, against 7 of 19 elsewhere; six were bought."""
    model = MissionModel(
        version="v",
        topics=Topics(np.array([[6.0, 2.0, 0.0], [0.0, 2.0, 6.0]]), 0.5, np.ones(2)),
        share_K=np.array([0.5, 0.5]),
        items=["A", "B", "C"],
        groups=["", "", ""],
        baskets_V=np.array([6.0, 4.0, 6.0]),
        missions=["M01", "M02"],
        names=["A", "C"],
        last_number=2,
    )
    first = model.topic_rows(limit=2)[0]

    assert (first["mission"], first["item"], first["rank"], first["baskets"]) == ("M01", "A", 1, 6)
    assert (first["probability"], first["lift"]) == pytest.approx((6.5 / 9.5, 6.5 / 9.5 / (7 / 19)))


def test_the_metrics_are_those_of_the_chosen_row() -> None:
    """After a refit that keeps its missions: their number, gain and coherence, and how similar they are to what they were."""
    second = learnt([3, 5, 8], learnt([3, 5, 8]).model, seed=1)
    metrics, choice = second.metrics(), second.choice
    [chosen] = [row for row in candidate_rows("v1", choice.candidates, choice.chosen) if row["chosen"]]
    alike = [one.similarity for one in second.identities.missions if one.similarity is not None]

    assert "the former missions, brought up to date" in choice.why
    assert metrics["missions"] == chosen["k"] == len(second.model.missions) == len(alike)
    assert f"gain {chosen['gain']:.4f} nats" in choice.why
    assert (metrics["gain"], metrics["coherence"]) == (round(chosen["gain"], 4), round(chosen["coherence"], 4))
    assert metrics["similarity"] == pytest.approx(np.mean(alike), abs=1e-4)


def test_no_number_of_any_model_is_given_again() -> None:
    """New missions count on from the youngest id ever given, also where the former model is an older one."""
    first = learnt([3, 5]).model
    baskets = planted([3, 5, 8], baskets=1200, seed=1)

    assert learn("v1", baskets, vocabulary(), QUICK, NAMES, None, last_number=6).model.missions == ["M07", "M08", "M09"]
    after = learn("v1", baskets, vocabulary(), QUICK, NAMES, first, last_number=6).model
    assert (list(after.missions), after.last_number) == (["M01", "M02", "M07"], 7)


def test_a_name_given_too_early_is_told() -> None:
    """With M03 the youngest id ever given, M04 and M10 name nobody yet."""
    given = replace(NAMES, given={"M10": "Garden", "M03": "Pets", "M04": "Wine"})

    assert given.too_early(3) == ["M04", "M10"]
    assert given.too_early(10) == []
