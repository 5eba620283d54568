"""Two processes train together: the same network in both, again and again, and it learns."""

import dataclasses
import hashlib
import os
import socket
from typing import Any

import numpy as np
import pytest
import torch

from nextbasket_assets.recommender import artifact, histories, team, trends
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
    with joined() as whole:
        sequences = histories.read([file])
        start = first_held_out_day(small.AS_OF, config.held_out_weeks)
        words, baskets = training_vocabulary(sequences, start, config.minimum_count)
        encoded = histories.encode(sequences, words, 0)
        parts = split(sequences, start, config.validation_share)
        moving = trends.of_histories(encoded, words.rates(baskets))
        found = fit(encoded, parts, words, moving, config, lambda epoch: None, whole)
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
    assert ALONE.alike(slices.last) is slices.last


def test_the_step_of_all_is_the_mean_of_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slope of 1 over three rows here and one of 5 over one row there are 2 over four; so is the loss, 4 here and 8 there."""
    network = torch.nn.Linear(1, 1, bias=False)
    network.weight.grad = torch.tensor([[1.0]])
    monkeypatch.setattr(team.distributed, "all_reduce", lambda ours: ours.add_(torch.tensor([5.0, 8.0, 1.0])))
    loss, rows = Team(0, 2).combine(network, torch.tensor(4.0), 3)

    assert (network.weight.grad.tolist(), loss.item(), rows) == ([[2.0]], 5.0, 4)


def test_a_batch_of_which_nobody_drew_a_row_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last batch of an epoch may be so small that all of its rows are left out: it has no loss and no gradient."""
    network = torch.nn.Linear(1, 1, bias=False)
    monkeypatch.setattr(team.distributed, "all_reduce", lambda ours: ours)
    loss, rows = Team(0, 2).combine(network, torch.zeros(()), 0)

    assert (network.weight.grad, loss.item(), rows) == (None, 0.0, 0)


def test_a_process_without_a_row_takes_the_step_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a slope of its own it has the one of the process that had the only row."""
    network = torch.nn.Linear(1, 1, bias=False)
    monkeypatch.setattr(team.distributed, "all_reduce", lambda ours: ours.add_(torch.tensor([5.0, 8.0, 1.0])))
    loss, rows = Team(1, 2).combine(network, torch.zeros(()), 0)

    assert network.weight.grad is not None
    assert (network.weight.grad.tolist(), loss.item(), rows) == ([[5.0]], 8.0, 1)


def test_processes_draw_alike_and_forget_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn for a share differs by process, what is drawn after it does not; all believe the first one's numbers."""
    shared = [np.random.default_rng(0), np.random.default_rng(0)]
    own = [Team(rank, 2).own_random(random, 0).random() for rank, random in enumerate(shared)]
    monkeypatch.setattr(team.distributed, "broadcast", lambda told, src: told.fill_(0.5 + src))

    assert own[0] != own[1]
    assert shared[0].random() == shared[1].random()
    assert Team(1, 2).agreed(0.1, 0.2) == (0.5, 0.5)
    assert Team(1, 2).alike(np.zeros((2, 1), np.float32)).tolist() == [[0.5], [0.5]]


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
