"""Tallies of parts are the tally of the whole."""

import dataclasses

import numpy as np
import pytest

from nextbasket_assets.recommender import artifact, histories, trends, vocabulary
from nextbasket_assets.recommender.calibration import START, START_WITHIN_WEEK
from nextbasket_assets.recommender.histories import SequenceError
from nextbasket_assets.recommender.scorer import Scorer
from nextbasket_assets.recommender.sequence_files import batches
from nextbasket_assets.recommender.tally import COUNTS, Tally
from nextbasket_tests import shops
from nextbasket_tests.recommender import small


@pytest.mark.parametrize("with_model", [True, False], ids=["a model", "no model"])
def test_parts_join_to_the_whole_in_any_order(tmp_path, with_model):
    """Counted three customers at a time, carried as bytes, joined backwards: every count is that of one pass."""
    shop = shops.planted(customers=20)
    weights = {name: np.random.default_rng(1).dirichlet([0.1, 1.0], 12).tolist() for name in shop}
    file = shops.write_sequences(tmp_path / "s.parquet", shop, missions=weights, mission_model="m")
    model = None
    if with_model:
        small.train_quietly([file], tmp_path / "model", dataclasses.replace(small.SETTINGS, epochs=1))
        model = artifact.load(str(tmp_path / "model")).model
    whole, joined, parts = Tally(model, small.AS_OF), Tally(model, small.AS_OF), []
    whole.add(histories.read([file]))
    for batch in batches([file], 3):
        parts.append(joined.of(histories.of_batch(batch)).to_bytes())
    for content in reversed(parts):
        joined.join(content)

    assert joined.weekly.holding.tobytes() == whole.weekly.holding.tobytes()
    assert joined.habits.missions.tobytes() == whole.habits.missions.tobytes()
    assert [getattr(joined.habits, name) for name in COUNTS] == [getattr(whole.habits, name) for name in COUNTS]
    assert (joined.customers, joined.missions_known) == (20, True if with_model else whole.missions_known)
    assert joined.sold.sort_by("item").equals(whole.sold.sort_by("item"))


def test_a_tally_remembers_as_far_back_as_the_trends_look(tmp_path):
    """Of 60 weeks the tally of the last one keeps what the lifts of the week after are made of, a year ago included."""
    shop = {"anna": [["a"] if n % 3 else ["b"] for n in range(60)], "ben": [["a"], ["b"]] * 30}
    sequences = histories.read([shops.write_sequences(tmp_path / "s.parquet", shop)])
    words = vocabulary.build(sequences.items, 1)
    network, week = small.random_network(words), shops.week(59)
    model = artifact.Model(network, words, START, START_WITHIN_WEEK, week, 120, {}, None)
    tally = Tally(model, week)
    tally.add(sequences)
    found = Scorer.of(artifact.Loaded(model, "version", "digest"), tally)
    everything = trends.of_histories(model.encode(sequences), words.rates(120)).at(found.week)

    assert found.week == everything.first
    np.testing.assert_array_equal(found.moving.lifts, everything.lifts)
    assert everything.lifts[:, :, -1].any()


def test_nobody_is_nobody_to_score():
    """Without a customer there is nothing to sell, and the error says what to do."""
    with pytest.raises(SequenceError, match="no customer sequences"):
        Scorer.of(None, Tally(None, small.AS_OF))
