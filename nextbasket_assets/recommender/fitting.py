"""The training loop: prefixes inside the window, early stopping on customers whose targets lie in later weeks."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nextbasket_assets.errors import NextbasketError
from nextbasket_assets.recommender import (
    calibrating,
    item_vectors,
    metrics,
    purchases,
    ranking,
    vocabulary,
    withholding,
)
from nextbasket_assets.recommender.batches import Prefixes
from nextbasket_assets.recommender.calibration import Calibration, WithinWeek
from nextbasket_assets.recommender.conditioning import fit_missions
from nextbasket_assets.recommender.examples import Example, examples, without_missions
from nextbasket_assets.recommender.histories import Histories, among_first
from nextbasket_assets.recommender.network import Network, NetworkConfig
from nextbasket_assets.recommender.settings import EpochReport, TrainingConfig
from nextbasket_assets.recommender.split import Split
from nextbasket_assets.recommender.team import ALONE, Team
from nextbasket_assets.recommender.trends import Trends
from nextbasket_assets.recommender.trip_fitting import fit_heads

AVERAGED = 0.99  # share of the mean of the weights that a step leaves alone


class TrainingError(NextbasketError):
    """The training stopped without a model; nothing was written, the last good artifact stays."""


@dataclass(frozen=True)
class Fitted:
    """The network of the best epoch on the CPU, its calibration, and the road there."""

    network: Network
    calibration: Calibration
    within_week: WithinWeek
    epochs: tuple[EpochReport, ...]
    best_epoch: int


def fit(
    encoded: Histories,
    parts: Split,
    words: vocabulary.Vocabulary,
    moving: Trends,
    config: TrainingConfig,
    report: Callable[[EpochReport], None],
    team: Team = ALONE,
) -> Fitted:
    """Trains a network on the prefixes of a split; deterministic given the seed and the machine.

    `moving` is what sold when; `team` are the processes that take part. Without validation customers nothing can choose an
    epoch, and the last one is kept.

    Raises:
        TrainingError: there is no prefix to learn from, or the loss is not finite.
    """
    torch.manual_seed(config.seed)
    random = np.random.default_rng(config.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    prefixes = Prefixes.of(encoded, purchases.collect(encoded), moving)
    withheld = withholding.draw(encoded, parts.trained, config.seed)
    learned = among_first(encoded, parts.trained) & ~withheld
    network = new_network(words, encoded.missions.shape[1], config)
    tastes = item_vectors.tastes(encoded, learned, words.size, config.embedding)
    item_vectors.begin(network, team.alike(tastes))
    network = network.to(device)
    if team.rank:
        torch.manual_seed(config.seed + team.rank)  # weights begin alike, dropout does not
    optimizer = new_optimizer(network, words, config)
    average = Average(network)
    epochs: list[EpochReport] = []
    best, kept, waited = -1, _copy(network), 0
    for epoch in range(config.epochs):
        began = time.monotonic()
        batches = examples(prefixes, parts.trained, withheld, config, random, device, team)
        loss, rows = _epoch(network, optimizer, average, batches, team.own_random(random, config.seed), team)
        recall, ndcg = team.agreed(*validate(average.network, prefixes, parts))
        epochs.append(EpochReport(epoch, loss, recall, ndcg, rows, time.monotonic() - began))
        report(epochs[-1])
        unjudged = not len(parts.validation.customers)
        if best < 0 or unjudged or recall + ndcg > epochs[best].recall + epochs[best].ndcg:
            best, kept, waited = epoch, _copy(average.network), 0
            continue
        waited += 1
        if waited > config.patience:
            break
        for group in optimizer.param_groups:
            group["lr"] *= 0.4
    network.load_state_dict(kept)
    network = network.cpu().eval()
    fit_missions(network, prefixes, parts, config.seed)
    fit_heads(network, prefixes, parts, config.trip_steps, config.seed)
    curve = calibrating.in_basket(network, prefixes, parts, withheld, config.half_life)
    within_week = calibrating.within_week(network, prefixes, parts, curve)
    return Fitted(network, curve, within_week, tuple(epochs), best)


class Average:
    """The running mean of a network's weights over its last steps: steadier than any single one."""

    def __init__(self, network: Network) -> None:
        self.network = copy.deepcopy(network)
        self.network.gru.flatten_parameters()
        self.steps = 0

    def follow(self, network: Network) -> None:
        """Takes a step of the network into the mean; the first steps are forgotten quickly."""
        self.steps += 1
        new = max(1 - AVERAGED, 1 / self.steps)
        with torch.no_grad():
            for mean, weight in zip(self.network.parameters(), network.parameters(), strict=True):
                mean.lerp_(weight, new)


def new_network(words: vocabulary.Vocabulary, missions: int, config: TrainingConfig) -> Network:
    """A network whose bias already knows what is popular."""
    network = Network(
        NetworkConfig(
            vocabulary=words.size,
            missions=missions,
            embedding=config.embedding,
            hidden=config.hidden,
            pair_hidden=config.pair_hidden,
            context=config.context,
            dropout=config.dropout,
        )
    )
    counts = torch.from_numpy(words.counts.astype(np.float32))
    counts = counts.clamp(min=counts[counts > 0].min())  # an item that counts zero is as rare as the rarest
    with torch.no_grad():
        network.bias[vocabulary.FIRST_ITEM :] = torch.log(counts / counts.sum())
    return network


def new_optimizer(network: Network, words: vocabulary.Vocabulary, config: TrainingConfig) -> torch.optim.Adam:
    """Adam that pulls the items' vectors towards zero (L2), the harder the fewer purchases there are to learn one from.

    Else what little is known of a rare item is learned by heart: the thinner the data, the worse.
    """
    tables: list[Tensor] = [table.weight for table in network.item_tables()]
    shared = [weight for weight in network.parameters() if all(weight is not table for table in tables)]
    decay = config.item_decay / float(words.counts[words.counts > 0].mean())
    groups: list[dict[str, Any]] = [{"params": tables, "weight_decay": decay}, {"params": shared}]
    return torch.optim.Adam(groups, lr=config.learning_rate, fused=True)


def validate(network: Network, prefixes: Prefixes, parts: Split) -> tuple[float, float]:
    """recall@10 and nDCG@10 of the validation customers; zeros when there are none."""
    rows = parts.validation
    if not len(rows.customers):
        return 0.0, 0.0
    truth = ranking.truth(prefixes.histories, rows)
    top = ranking.rank(network, prefixes, rows, 10, parts.week).items
    values = metrics.means(metrics.per_customer(top, truth, (10,)))
    return values["recall", 10][0], values["ndcg", 10][0]


def _epoch(
    network: Network,
    optimizer: torch.optim.Optimizer,
    average: Average,
    batches: Iterator[Example | None],
    forgetting: np.random.Generator,
    team: Team,
) -> tuple[float, int]:
    """One pass over the training prefixes: mean loss and the number of those that took part."""
    network.train()
    total, seen = 0.0, 0
    for example in batches:
        optimizer.zero_grad(set_to_none=True)
        value, rows = torch.zeros(()), 0
        if example:
            batch = without_missions(example.batch, forgetting) if example.batch.missions.shape[1] else example.batch
            loss = network.loss(batch, example.wanted, example.weights)
            loss.backward()  # type: ignore[no-untyped-call]
            value, rows = loss.detach(), len(example.weights)
        value, rows = team.combine(network, value, rows)
        slope = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        if not (math.isfinite(value) and math.isfinite(slope)):
            raise TrainingError(
                "the loss or its gradient is not a finite number: nothing was written, the last good model stays; "
                "lower learning_rate or look for broken mission weights"
            )
        optimizer.step()
        average.follow(network)
        total, seen = total + float(value) * rows, seen + rows
    if not seen:
        raise TrainingError("no customer has two baskets before the held-out weeks: train on a later week")
    return total / seen, seen


def _copy(network: Network) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
