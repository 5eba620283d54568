"""The best items of each row by a network: what validation, evaluation and scoring have in common.

R rows, K length of the lists.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from nextbasket_assets.errors import NextbasketError
from nextbasket_assets.recommender.batches import Batch, Prefixes, Slices, targets
from nextbasket_assets.recommender.histories import Histories
from nextbasket_assets.recommender.metrics import Truth
from nextbasket_assets.recommender.network import CACHED_ROWS, Network
from nextbasket_assets.recommender.purchases import Purchases
from nextbasket_assets.recommender.runs import spelled_out
from nextbasket_assets.recommender.split import Rows
from nextbasket_assets.recommender.vocabulary import FIRST_ITEM, UNKNOWN

BATCH_ROWS = 512  # fewer and longer steps, which threads that score side by side wait less for each other in
BATCH_EVENTS = 4_000_000  # purchases of a batch's customers
SPREAD = 16  # columns of a group when the best are looked for


class ScoreError(NextbasketError):
    """The network's answer cannot be published."""


@dataclass(frozen=True)
class Ranked:
    """(R, K) ids from best to worst; log of their share in the softmax over the vocabulary; how well they fit the query;
    (R, H) states of the network."""

    items: np.ndarray
    log_shares: np.ndarray
    fits: np.ndarray
    states: np.ndarray


def rank(
    network: Network,
    prefixes: Prefixes,
    rows: Rows,
    k: int,
    week: int | None,
    seen: Callable[[Batch, Ranked], None] | None = None,
    mission: np.ndarray | None = None,
) -> Ranked:
    """The K best items of each row; ids below zero where the vocabulary holds fewer.

    Args:
        network: put in evaluation mode.
        prefixes: the customers' histories.
        rows: at least one basket before each target.
        k: length of the lists.
        week: number of the week in which the prediction is made; None for the weeks of the baskets to be predicted.
        seen: called with each batch and its lists, for what else can be told from them.
        mission: (M,) weights of the trip's missions, where they are given.

    Raises:
        ScoreError: a logit is not finite.
    """
    network.eval()
    device = next(network.parameters()).device
    parts = []
    if network.config.vocabulary == FIRST_ITEM:
        return _nothing(network, len(rows.customers), k)
    for run in _runs(rows, prefixes.purchases):
        customers, before = rows.customers[run], rows.prefixes[run]
        batch = prefixes.batch(Slices(customers, before, before), network.config.context, week)
        ranked = top(network, batch.to(device), k, mission)
        if seen:
            seen(batch, ranked)
        parts.append(ranked)
    if not parts:
        return _nothing(network, len(rows.customers), k)
    return Ranked(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Ranked)))


def _runs(rows: Rows, purchases: Purchases) -> Iterator[slice]:
    """The rows by BATCH_ROWS, or by fewer where their customers have bought so much that a batch would take gigabytes."""
    events = purchases.offsets[rows.customers + 1] - purchases.offsets[rows.customers]
    for start in range(0, len(events), BATCH_ROWS):
        end = min(start + BATCH_ROWS, len(events))
        step = BATCH_ROWS if events[start:end].sum() <= BATCH_EVENTS else CACHED_ROWS
        yield from (slice(at, min(at + step, end)) for at in range(start, end, step))


def top(network: Network, batch: Batch, k: int, mission: np.ndarray | None = None) -> Ranked:
    """The K best items of each row of a batch, for any trip or for one of a mission.

    Raises:
        ScoreError: a logit is not finite.
    """
    with torch.inference_mode():
        terms = network.terms(batch)
        mission_M = None if mission is None else terms.query.new_tensor(mission)
        parts = [(*best(part, k), part.logsumexp(1)) for part in network.logits_in_parts(batch, terms, mission_M)]
        logits_RK, found_RK, total_R = (torch.cat(part) for part in zip(*parts, strict=True))
        if not bool(torch.isfinite(total_R).all()):
            raise ScoreError(
                "the network's scores are not finite: refuse this model and roll back to the last good one"
            )
        shares_RK = (logits_RK - total_R[:, None]).cpu().numpy().astype(np.float64)
        fits_RK = network.fits(terms, found_RK).cpu().numpy()
        items_RK = np.where(np.isfinite(shares_RK), found_RK.cpu().numpy(), -1)
    missing = ((0, 0), (0, k - items_RK.shape[1]))
    return Ranked(
        np.pad(items_RK, missing, constant_values=-1),
        np.pad(shares_RK, missing, constant_values=-np.inf),
        np.pad(fits_RK, missing),
        terms.state.cpu().numpy(),
    )


def best(values_RV: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The K largest of each row, from largest to smallest, and where they are; all V of them where K is more.

    The columns are dealt into groups of SPREAD. The K largest lie in the K groups whose own largest are the largest, so
    that only those have to be looked through.
    """
    rows, columns = values_RV.shape
    groups = columns // SPREAD
    if groups <= k:
        values_RK, places_RK = torch.topk(values_RV, min(k, columns), dim=1)
        return values_RK, places_RK
    dealt = groups * SPREAD
    largest = values_RV[:, :dealt].view(rows, SPREAD, groups).amax(1)
    chosen = torch.topk(largest, k, dim=1, sorted=False).indices
    every = torch.arange(columns, device=values_RV.device)
    inside = (chosen[:, None, :] + every[:dealt:groups, None]).view(rows, -1)
    places = torch.cat([inside, every[dealt:].expand(rows, -1)], dim=1)
    found = torch.topk(values_RV.gather(1, places), k, dim=1)
    return found.values, places.gather(1, found.indices)


def filled(rows: Rows) -> Rows:
    """The rows, their last one repeated until all parts of the logits are full: no answer depends on who shares its batch."""
    missing = -len(rows.customers) % CACHED_ROWS
    return Rows(np.pad(rows.customers, (0, missing), "edge"), np.pad(rows.prefixes, (0, missing), "edge"))


def states(network: Network, prefixes: Prefixes, slices: Slices) -> np.ndarray:
    """(R, H) the GRU's states of all rows of these slices."""
    network.eval()
    parts = []
    for start in range(0, len(slices.customers), BATCH_ROWS):
        part = slices.take(np.arange(start, min(start + BATCH_ROWS, len(slices.customers))))
        with torch.inference_mode():
            batch = prefixes.batch(part, network.config.context, week=0, pairs=False)
            parts.append(network.states(batch).numpy())
    return np.concatenate(parts) if parts else np.zeros((0, network.config.hidden), np.float32)


def truth(histories: Histories, rows: Rows) -> Truth:
    """The rows' next baskets in the histories' own ids; unknown items of a target count in its size and are never hit.

    They get ids of their own above the vocabulary, one each, and count as not bought before.
    """
    wanted = targets(histories, rows.customers, rows.prefixes)
    count = len(wanted.sizes)
    missing = wanted.sizes - np.bincount(wanted.rows, minlength=count)
    unknown_rows = np.repeat(np.arange(count), missing)
    beyond = int(max(histories.items.max(initial=0), wanted.items.max(initial=0))) + 1
    unknown = beyond + np.arange(len(unknown_rows))
    repeats = np.concatenate([bought_before(histories, rows, wanted.rows, wanted.items), np.zeros(len(unknown), bool)])
    return Truth(np.concatenate([wanted.rows, unknown_rows]), np.concatenate([wanted.items, unknown]), repeats, count)


def bought_between(histories: Histories, rows: Rows, start: int, end: int) -> Truth:
    """Everything each row's customer bought from the day `start` to the day before `end`, every item as a repeat."""
    inside = np.repeat((histories.days >= start) & (histories.days < end), np.diff(histories.item_offsets))
    owner = np.repeat(np.arange(histories.customers), histories.lengths)
    customer = np.repeat(owner, np.diff(histories.item_offsets))
    row = np.full(histories.customers, -1)
    row[rows.customers] = np.arange(len(rows.customers))
    entry = np.flatnonzero(inside & (row[customer] >= 0) & (histories.items > UNKNOWN))
    span = int(histories.items.max(initial=0)) + 1
    keys = np.unique(row[customer[entry]] * np.int64(span) + histories.items[entry])
    return Truth(keys // span, keys % span, np.ones(len(keys), bool), len(rows.customers))


def bought_before(histories: Histories, rows: Rows, at: np.ndarray, items: np.ndarray) -> np.ndarray:
    """(T,) whether the customer of row `at` bought the item before the row's target."""
    first = histories.basket_offsets[rows.customers]
    low, high = histories.item_offsets[first], histories.item_offsets[first + rows.prefixes]
    owner, entry = spelled_out(low, high - low)
    span = int(max(histories.items.max(initial=0), items.max(initial=0))) + 1
    found: np.ndarray = np.isin(at * span + items, owner * span + histories.items[entry])
    return found


def log_basket_sizes(histories: Histories, rows: Rows) -> np.ndarray:
    """(R,) log of the mean size of the baskets before the target."""
    running = np.concatenate([[0], np.cumsum(histories.sizes, dtype=np.int64)])
    first = histories.basket_offsets[rows.customers]
    total = running[first + rows.prefixes] - running[first]
    sizes: np.ndarray = np.log(np.maximum(total / rows.prefixes, 1))
    return sizes


def _nothing(network: Network, rows: int, k: int) -> Ranked:
    states = np.zeros((rows, network.config.hidden), np.float32)
    return Ranked(np.full((rows, k), -1), np.full((rows, k), -np.inf), np.zeros((rows, k)), states)
