import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from nextbasket_assets.recommender import (
    artifact,
    calibrating,
    calibration,
    evaluation,
    fitting,
    histories,
    training,
    withholding,
)
from nextbasket_assets.recommender.split import first_held_out_day, in_validation, split
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

ITEMS = 30
POPULARITY_RATE = 10 / ITEMS  # recall@10 of any list in a shop where every item is equally popular


def recalls(file: str, artifact_dir: str) -> dict[str, float]:
    report = evaluation.evaluate([file], small.AS_OF, artifact_dir)
    return {row["method"]: row["value"] for row in report.rows if (row["metric"], row["k"]) == ("recall", 10)}


def test_the_planted_shop_is_learned(tmp_path):
    """Where each basket implies the next, recall@10 is above 0.9; popularity is at 10 of 30 items."""
    file, model = small.trained(tmp_path, shops.planted(items=ITEMS))
    found = recalls(file, model)

    assert found["challenger"] > 0.9
    assert max(value for method, value in found.items() if method != "challenger") < POPULARITY_RATE + 0.15


def test_the_shuffled_twin_is_not_learned(tmp_path):
    """With the same baskets dealt anew, there is nothing to learn and nothing is: recall@10 stays at popularity."""
    file, model = small.trained(tmp_path, shops.shuffled(shops.planted(items=ITEMS)))

    assert abs(recalls(file, model)["challenger"] - POPULARITY_RATE) < 0.08


def test_tastes_are_found_where_nothing_is_bought_twice(tmp_path):
    """A customer wants one of the 16 items left of a kind, of 320: ten hit 10 / 16 of the next basket; in the twin 10 / 320."""
    brief = dataclasses.replace(small.SETTINGS, epochs=2)
    found = recalls(*small.trained(tmp_path / "tastes", shops.tastes(), brief))
    twin = recalls(*small.trained(tmp_path / "twin", shops.shuffled(shops.tastes()), brief))

    assert found["challenger"] > 0.5
    assert max(value for method, value in found.items() if method != "challenger") < 0.1
    assert twin["challenger"] < 0.1


def test_same_seed_same_bytes_whatever_the_order_of_the_files(tmp_path):
    """Two files in either order, one seed: the same digest. Another seed: another one."""
    shop = shops.planted(customers=40)
    parts = [dict(list(shop.items())[:20]), dict(list(shop.items())[20:])]
    files = [shops.write_sequences(tmp_path / f"{n}.parquet", part) for n, part in enumerate(parts)]
    brief = dataclasses.replace(small.SETTINGS, epochs=2)
    first = small.train_quietly(files, tmp_path / "a", brief)
    second = small.train_quietly(files[::-1], tmp_path / "b", brief)
    other = small.train_quietly(files, tmp_path / "c", dataclasses.replace(brief, seed=1))

    assert first.digest == second.digest
    assert first.version == second.version
    assert first.digest != other.digest


def test_the_number_of_threads_leaves_nothing_to_chance(tmp_path):
    """On two threads, three runs of one seed give one digest.

    Regression: gradients of `table[index]` were added up in whatever order the threads came.
    """
    file = shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=400, baskets=20))
    brief = dataclasses.replace(small.SETTINGS, epochs=1, rows=2048, pair_hidden=48)
    torch.set_num_threads(2)
    try:
        runs = [small.train_quietly([file], tmp_path / str(n), brief, shops.week(19)).digest for n in range(3)]
    finally:
        torch.set_num_threads(1)

    assert len(set(runs)) == 1


def test_no_target_of_the_held_out_weeks_is_learned_from(tmp_path):
    """Weights do not move by one bit when every basket of the held-out weeks of the test customers is another one."""
    shop = shops.planted(customers=60)
    start = len(next(iter(shop.values()))) - small.SETTINGS.held_out_weeks
    sequences = histories.read([shops.write_sequences(tmp_path / "a.parquet", shop)])
    tested = {c for c, v in zip(shop, in_validation(sequences.customers, 0.2), strict=True) if not v}
    other = {c: [*b[:start], *([["P000"]] * (len(b) - start))] if c in tested else b for c, b in shop.items()}
    brief = dataclasses.replace(small.SETTINGS, epochs=2)
    small.train_quietly([str(tmp_path / "a.parquet")], tmp_path / "a", brief)
    small.train_quietly([shops.write_sequences(tmp_path / "b.parquet", other)], tmp_path / "b", brief)

    assert (tmp_path / "a" / artifact.WEIGHTS).read_bytes() == (tmp_path / "b" / artifact.WEIGHTS).read_bytes()


@pytest.mark.parametrize("withheld", [True, False])
def test_no_withheld_basket_is_learned_from(tmp_path, monkeypatch, withheld):
    """Two customers swap their last baskets before the held-out weeks: the network moves unless both are withheld."""
    shop = shops.planted(customers=60)
    start = len(next(iter(shop.values()))) - small.SETTINGS.held_out_weeks
    sequences = histories.read([shops.write_sequences(tmp_path / "a.parquet", shop)])
    tested = np.flatnonzero(~in_validation(sequences.customers, 0.2))[:2]
    one, other = (list(shop)[customer] for customer in tested)
    swapped = {c: list(baskets) for c, baskets in shop.items()}
    swapped[one][start - 1], swapped[other][start - 1] = shop[other][start - 1], shop[one][start - 1]

    def draw(encoded, trained, seed):
        drawn = np.zeros(len(encoded.days), bool)
        drawn[encoded.basket_offsets[tested] + start - 1] = withheld
        return drawn

    monkeypatch.setattr(withholding, "draw", draw)
    brief = dataclasses.replace(small.SETTINGS, epochs=2)
    small.train_quietly([str(tmp_path / "a.parquet")], tmp_path / "a", brief)
    small.train_quietly([shops.write_sequences(tmp_path / "b.parquet", swapped)], tmp_path / "b", brief)
    ours, theirs = (artifact.load(str(tmp_path / name)).model.network.state_dict() for name in "ab")

    assert all(torch.equal(ours[name], theirs[name]) for name in ours if not name.startswith("trips.")) == withheld


def test_the_curve_is_told_what_became_of_validation_and_withheld_baskets(tmp_path, monkeypatch):
    """Each hand's bought items are all among its pairs, and withheld ones fade with their baskets' ages."""
    shop = shops.planted(customers=60, items=ITEMS)
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "s.parquet", shop))
    encoded = prefixes.histories
    parts = split(histories.read([str(tmp_path / "s.parquet")]), first_held_out_day(small.AS_OF, 4), 0.2)
    drawn = np.zeros(len(encoded.days), bool)
    drawn[encoded.basket_offsets[[3, 9]] + [7, 5]] = True  # of the newest week that is learned from, and of two before
    monkeypatch.setattr(calibration, "fit", lambda *pairs: pairs)
    validation, withheld = calibrating.in_basket(small.random_network(words), prefixes, parts, drawn, half_life=14.0)

    first_held_out = encoded.basket_offsets[parts.validation.customers] + 8
    assert withheld.happened.sum() == encoded.sizes[drawn].sum()
    assert validation.happened.sum() == encoded.sizes[first_held_out].sum()
    assert withheld.weights.tolist() == [1.0] * ITEMS + [0.5] * ITEMS
    assert set(validation.weights) == {1.0}


def test_targets_are_the_first_baskets_of_the_held_out_weeks(tmp_path):
    """Weeks 8 to 11 are held out: everybody's target is basket 8, after eight baskets that are trained on."""
    sequences = histories.read([shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=50))])
    parts = split(sequences, first_held_out_day(small.AS_OF, 4), 0.2)

    assert set(parts.trained) == {8}
    assert set(parts.validation.prefixes) | set(parts.test.prefixes) == {8}
    assert sorted([*parts.validation.customers, *parts.test.customers]) == list(range(50))
    assert 3 <= len(parts.validation.customers) <= 20


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_model(tmp_path):
    """Mission weights of infinity end in an error; the artifact of the run before is untouched and still verifies."""
    shop = shops.planted(customers=30)
    missions = {c: [[0.5, float("inf")]] * len(b) for c, b in shop.items()}
    brief = dataclasses.replace(small.SETTINGS, epochs=1)
    good = small.train_quietly([shops.write_sequences(tmp_path / "a.parquet", shop)], tmp_path / "model", brief)
    broken = shops.write_sequences(tmp_path / "b.parquet", shop, missions=missions)
    with pytest.raises(training.TrainingError, match=r"not a finite number.*last good model stays"):
        small.train_quietly([broken], tmp_path / "model", brief)

    assert artifact.verify(str(tmp_path / "model")) == good.digest


def test_nothing_to_learn_from_is_an_error_that_says_what_to_do(tmp_path):
    """One basket each, or none before the held-out weeks."""
    single = shops.write_sequences(tmp_path / "1.parquet", {"anna": [["a"]], "ben": [["a"]]})
    with pytest.raises(training.TrainingError, match=r"two baskets.*later week"):
        small.train_quietly([single], tmp_path / "model")
    with pytest.raises(training.TrainingError, match="no item is in 1 baskets"):
        small.train_quietly([single], tmp_path / "model", as_of=shops.week(0))

    assert not Path(tmp_path / "model").exists()


def test_each_epoch_is_trained_in_training_mode_and_judged_in_evaluation_mode(tmp_path, monkeypatch):
    """Dropout is on in every epoch, also after a validation switched it off."""
    modes = []
    forward = fitting.Network.terms

    def spy(network, batch):
        modes.append((network.training, torch.is_inference_mode_enabled()))
        return forward(network, batch)

    monkeypatch.setattr(fitting.Network, "terms", spy)
    file = shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=20))
    small.train_quietly([file], tmp_path / "model", dataclasses.replace(small.SETTINGS, epochs=2))

    assert [mode for mode, _ in itertools.groupby(modes)][:4] == [
        (True, False),
        (False, True),
        (True, False),
        (False, True),
    ]


def test_the_settings_are_recorded_and_the_epochs_reported(tmp_path):
    """What was set is in the artifact; each epoch was reported, the best one chosen by recall and nDCG together."""
    told = []
    file = shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=40))
    brief = dataclasses.replace(small.SETTINGS, epochs=3)
    report = training.train([file], small.AS_OF, str(tmp_path / "model"), brief, told.append)

    assert artifact.load(str(tmp_path / "model")).model.training == dataclasses.asdict(brief)
    assert tuple(told) == report.epochs
    assert report.best_epoch == int(np.argmax([e.recall + e.ndcg for e in report.epochs]))
    assert report.epochs[0].prefixes == 40 * 7


def test_without_validation_customers_the_last_epoch_is_kept(tmp_path):
    """Nobody can choose an epoch, and the first is the worst: the last one is kept, and the planted shop is learned."""
    settings = dataclasses.replace(small.SETTINGS, validation_share=0.0, epochs=5, patience=1)
    file = shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=60))
    report = small.train_quietly([file], tmp_path / "model", settings)

    assert report.validation_customers == 0
    assert (len(report.epochs), report.best_epoch) == (5, 4)
