"""The training loop, its steps planted: when it stops, what it keeps, and what it refuses."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
import torch

from nextbasket_assets.recommender import fitting, histories, trends, vocabulary
from nextbasket_assets.recommender.network import Network
from nextbasket_assets.recommender.split import first_held_out_day, split
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

SETTINGS = dataclasses.replace(small.SETTINGS, epochs=9, patience=2, learning_rate=1.0, trip_steps=0)


@pytest.fixture
def fit(tmp_path):
    """Fits a network on a small planted shop; what was reported of its epochs."""
    sequences = histories.read([shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=20))])
    words = vocabulary.build(sequences.items, 1)
    encoded = histories.encode(sequences, words, 0)
    parts = split(sequences, first_held_out_day(small.AS_OF, 4), 0.2)
    moving = trends.of_histories(encoded, words.rates(len(encoded.days)))
    return lambda: fitting.fit(encoded, parts, words, moving, SETTINGS, lambda epoch: None)


def test_epochs_without_improvement_slow_it_down_and_end_it(fit, monkeypatch):
    """Best in its second epoch, of five: two worse ones each lower the rate, the third ends it; the second's mean stays."""
    worth, rates = iter([0.2, 0.5, 0.4, 0.5, 0.1]), []

    def epoch(network, optimizer, average, *_):
        rates.append(optimizer.param_groups[0]["lr"])
        with torch.no_grad():
            network.bias.fill_(-1.0)
            average.network.bias.fill_(len(rates))
        return 1.0, 8

    monkeypatch.setattr(fitting, "_epoch", epoch)
    monkeypatch.setattr(fitting, "validate", lambda *_: (next(worth), 0.0))
    found = fit()

    assert rates == pytest.approx([1, 1, 1, 0.4, 0.16])
    assert found.best_epoch == 1
    assert set(found.network.bias.tolist()) == {2.0}


def test_a_gradient_that_is_no_number_stops_it(fit, monkeypatch):
    """A loss of zero whose slope is infinite is refused like one that is infinite itself."""
    monkeypatch.setattr(Network, "loss", lambda network, *_: (network.bias.sum() * 0).nan_to_num().sqrt())

    with pytest.raises(fitting.TrainingError, match="the loss or its gradient is not a finite number"):
        fit()


def test_the_mean_of_the_weights_forgets_how_it_began():
    """After steps to 1 and to 3 the mean is 2; after very many, a step moves it by a hundredth of the way."""
    words = vocabulary.Vocabulary(pa.array(["a", "b"]), np.array([3, 1]))
    network = fitting.new_network(words, 0, small.SETTINGS)
    average = fitting.Average(network)
    for value in (1.0, 3.0):
        torch.nn.init.constant_(network.bias, value)
        average.follow(network)
    assert average.network.bias.tolist() == pytest.approx([2.0] * 4)

    average.steps = 10_000
    torch.nn.init.constant_(network.bias, 102.0)
    average.follow(network)
    assert average.network.bias.tolist() == pytest.approx([3.0] * 4)


def test_a_new_network_knows_what_is_popular():
    """Bread in three of four purchases, tea in one; cake, of which none was counted, is taken to be as rare as tea."""
    words = vocabulary.Vocabulary(pa.array(["bread", "cake", "tea"]), np.array([3, 0, 1]))
    bias = fitting.new_network(words, 0, small.SETTINGS).bias[vocabulary.FIRST_ITEM :]

    assert bias.exp().tolist() == pytest.approx([3 / 5, 1 / 5, 1 / 5])


def test_vectors_of_items_fade_and_what_is_shared_stays():
    """The scarcer the purchases the harder an item's vectors are pulled to zero: .6 over 3 and 1 of a known item is .3.

    An item that nothing was learned of does not make the others look scarce.
    """
    words = vocabulary.Vocabulary(pa.array(["bread", "cake", "tea"]), np.array([3, 0, 1]))
    network = fitting.new_network(words, 0, small.SETTINGS)
    optimizer = fitting.new_optimizer(network, words, dataclasses.replace(small.SETTINGS, item_decay=0.6))
    decays = {id(weight): group["weight_decay"] for group in optimizer.param_groups for weight in group["params"]}
    pulled = {name: decays.pop(id(weight)) for name, weight in network.named_parameters()}

    assert not decays
    assert {name: decay for name, decay in pulled.items() if decay} == pytest.approx(
        dict.fromkeys(["items.weight", "output.weight", "pair_item.weight", "repeat_item.weight"], 0.3)
    )
