"""Two processes train together: the same network in both, again and again, and it learns."""

import dataclasses
import hashlib
import os
import socket
from typing import Any

import numpy as np
import pytest

from nextbasket_assets.recommender import artifact, histories, trends
from nextbasket_assets.recommender.batches import Slices
from nextbasket_assets.recommender.fitting import fit
from nextbasket_assets.recommender.split import first_held_out_day, split
from nextbasket_assets.recommender.team import ALONE, Team, joined, together
from nextbasket_assets.recommender.training import training_vocabulary
from nextbasket_tests import shops
from nextbasket_tests.recommender import small


def fitted(file: str, settings: dict[str, Any]) -> tuple[str, float]:
    """What each process of the test runs: digest of the network's weights, recall of the best epoch."""
    config = small.TrainingConfig(**settings)
    with joined() as team:
        sequences = histories.read([file])
        start = first_held_out_day(small.AS_OF, config.held_out_weeks)
        words, baskets = training_vocabulary(sequences, start, config.minimum_count)
        encoded = histories.encode(sequences, words, 0)
        parts = split(sequences, start, config.validation_share)
        moving = trends.of_histories(encoded, words.rates(baskets))
        found = fit(encoded, parts, words, moving, config, lambda epoch: None, team)
    weights = b"".join(tensor.numpy().tobytes() for tensor in found.network.state_dict().values())
    return hashlib.sha256(weights).hexdigest(), found.epochs[found.best_epoch].recall


def test_shares_are_the_batch_and_one_process_is_not_asked() -> None:
    """Three processes' shares of a batch hold every slice once; alone, nothing is cut, drawn or sent."""
    slices = Slices(np.arange(7), np.ones(7, int), np.arange(1, 8))
    shares = [Team(rank, 3).share(slices).customers.tolist() for rank in range(3)]
    random = np.random.default_rng(0)

    assert sorted(place for share in shares for place in share) == list(range(7))
    assert ALONE.share(slices) is slices
    assert ALONE.own_random(random, 0) is random
    assert ALONE.agreed(0.5, 0.25) == (0.5, 0.25)


def meeting_place() -> str:
    """Where the processes of the test are told to meet."""
    return os.environ["MASTER_ADDR"]


def test_processes_meet_on_this_machine_whatever_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine whose own name does not resolve, processes are not sent to that name, where they would wait for ever."""
    monkeypatch.setattr(socket, "getfqdn", lambda *_: "no-such-machine.invalid")

    assert together(2, meeting_place) == {0: "127.0.0.1", 1: "127.0.0.1"}


@pytest.mark.slow
def test_two_processes_are_of_one_mind_and_learn(tmp_path) -> None:
    """Both hold the same bits at the end, a second training gives them again, and the planted order is found."""
    file = shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=120))
    settings = dataclasses.asdict(dataclasses.replace(small.SETTINGS, epochs=8, trip_steps=20))
    first, second = (together(2, fitted, file, settings) for _ in range(2))

    assert first[0] == first[1]
    assert second == first
    assert first[0][1] > 0.6  # ten of thirty equally popular items: a third by chance


@pytest.mark.slow
def test_a_training_with_processes_writes_one_sound_artifact(tmp_path) -> None:
    """`processes=2` is all that is asked: an artifact that verifies, says so, and the report of a training."""
    settings = dataclasses.replace(small.SETTINGS, epochs=2, trip_steps=20, processes=2)
    file = shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=60))
    report = small.train_quietly([file], tmp_path / "model", settings)
    loaded = artifact.load(str(tmp_path / "model"))

    assert (loaded.version, loaded.digest) == (report.version, report.digest)
    assert loaded.model.training["processes"] == 2
    assert len(report.epochs) == 2
