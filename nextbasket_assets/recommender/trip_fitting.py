"""Fitting the heads for the next trip on a trained network, whose states stay as they are: the lists do not move.

R rows, H hidden, F inputs of the heads.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nextbasket_assets.recommender import ranking
from nextbasket_assets.recommender.batches import Prefixes, Slices
from nextbasket_assets.recommender.heads import TripHeads
from nextbasket_assets.recommender.network import Network
from nextbasket_assets.recommender.split import Rows, Split
from nextbasket_assets.recommender.trips import MISSION_SPANS, NextTrips, Trips, next_trips

NEWEST = 16  # prefixes of a customer that are learned from, the censored one included
MOST_CUSTOMERS = 50_000  # whose prefixes are learned from
ROWS = 512
LOOK = 50  # steps between two looks at the validation customers
PATIENCE = 4  # looks without improvement before it stops
LEARNING_RATE = 2e-3
FORGOTTEN = 0.1  # share of the rows whose missions are left out


@dataclass(frozen=True)
class Known:
    """(R, F) inputs of the heads, and what followed."""

    inputs: Tensor
    wanted: NextTrips

    def take(self, index: np.ndarray) -> "Known":
        """These rows."""
        wanted = self.wanted
        parts = (wanted.days, wanted.came, wanted.sizes, wanted.missions)
        return Known(self.inputs[torch.from_numpy(index)], NextTrips(*(part[index] for part in parts)))


def fit_heads(network: Network, prefixes: Prefixes, parts: Split, steps: int, seed: int) -> None:
    """Fits `network.trips` in place, and stops when the validation customers' trips are predicted no better.

    Args:
        network: trained, on the CPU.
        prefixes: the sequences. parts: which of their baskets may be learned from.
        steps: at most. seed: of the customers that are drawn and of the order of the batches.
    """
    random = np.random.default_rng(seed)
    customers = np.flatnonzero(parts.trained > 0)
    if len(customers) > MOST_CUSTOMERS:
        customers = np.sort(random.choice(customers, MOST_CUSTOMERS, replace=False))
    chosen = np.isin(customers, parts.validation.customers)
    learned, watched = (_known(network, prefixes, parts, customers[part]) for part in (~chosen, chosen))
    if learned is None:
        return
    heads = network.trips
    heads.start(learned.inputs, learned.wanted)
    optimizer = torch.optim.Adam(heads.parameters(), lr=LEARNING_RATE)
    best, kept, waited = _worth(heads, watched), copy.deepcopy(heads.state_dict()), 0
    for step, index in zip(range(1, steps + 1), _orders(len(learned.inputs), random), strict=False):
        part = learned.take(index)
        known = without_missions(part.inputs, heads.missions, random)
        loss = heads.loss(known, part.wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step % LOOK and step < steps:
            continue
        found = _worth(heads, watched)
        if found < best or watched is None:
            best, kept, waited = found, copy.deepcopy(heads.state_dict()), 0
        else:
            waited += 1
            if waited > PATIENCE:
                break
    heads.load_state_dict(kept)


def without_missions(inputs_RF: Tensor, missions: int, random: np.random.Generator) -> Tensor:
    """The inputs with the missions of a few rows forgotten, so that the heads can also do without them."""
    columns = missions * len(MISSION_SPANS)
    if not columns:
        return inputs_RF
    known = inputs_RF.clone()
    known[torch.from_numpy(random.random(len(known)) < FORGOTTEN), -columns:] = 0.0
    return known


def inputs(states_RH: np.ndarray, trips: Trips, rows: Rows) -> Tensor:
    """(R, F) what the heads read: the network's state and the customer's trips so far."""
    return torch.from_numpy(np.concatenate([states_RH, trips.features(rows.customers, rows.prefixes)], axis=1))


def _known(network: Network, prefixes: Prefixes, parts: Split, customers: np.ndarray) -> Known | None:
    """The newest prefixes of these customers; None without any."""
    if not len(customers):
        return None
    last = parts.trained[customers]
    slices = Slices(customers, np.maximum(last - NEWEST + 1, 1), last)
    owner, prefix = prefixes.rows(slices)
    rows = Rows(customers[owner], prefix)
    states = ranking.states(network, prefixes, slices)
    wanted = next_trips(
        prefixes.histories, rows.customers, rows.prefixes, parts.trained[rows.customers], parts.start - 1
    )
    return Known(inputs(states, Trips.of(prefixes.histories), rows), wanted)


def _worth(heads: TripHeads, watched: Known | None) -> float:
    if watched is None:
        return 0.0
    with torch.inference_mode():
        return float(heads.loss(watched.inputs, watched.wanted))


def _orders(rows: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Batches without end, every row once before any comes again."""
    while True:
        yield from np.array_split(random.permutation(rows), max(1, rows // ROWS))
