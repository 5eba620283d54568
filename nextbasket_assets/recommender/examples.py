"""What the network learns from: the training prefixes in batches, with what followed each; a large shop's by a draw.

C customers, R rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from nextbasket_assets.recommender.batches import UNASSIGNED, Batch, Prefixes, Slices, targets
from nextbasket_assets.recommender.histories import Histories
from nextbasket_assets.recommender.row_weights import draw, weights_of
from nextbasket_assets.recommender.runs import spelled_out
from nextbasket_assets.recommender.settings import TrainingConfig
from nextbasket_assets.recommender.side_by_side import side_by_side
from nextbasket_assets.recommender.softmax import Cells
from nextbasket_assets.recommender.team import Team

HELPERS = 8  # threads, at most, that cut batches while a GPU learns from the ones before
STEPS = 32  # of an epoch, at least, unless their batches would be below
FEWEST = 64  # prefixes
FORGOTTEN = 0.1  # share of the slices whose missions are left out
MANY = 1 << 14  # prefixes: a shop with fewer learns from all of them in every epoch


@dataclass(frozen=True)
class Example:
    """A batch, what its rows want, and their (R,) weights."""

    batch: Batch
    wanted: Cells
    weights: Tensor


def examples(
    prefixes: Prefixes,
    trained: np.ndarray,
    withheld: np.ndarray,
    config: TrainingConfig,
    random: np.random.Generator,
    device: torch.device,
    team: Team,
) -> Iterator[Example | None]:
    """This process's share of each batch of an epoch, on the device; None where a batch has no row for it.

    Of many prefixes an epoch has those that are drawn, the light ones more seldom; what an epoch says is expected to be the same.

    Args:
        prefixes: what is known of them.
        trained: (C,) baskets of each customer that may be learned from, targets included.
        withheld: (N,) baskets that are no target although they may be learned from; their rows weigh nothing.
        config: `rows`, `slice_length`, `context` and `half_life` are read.
        random: of the slices, the order of the batches and the draw.
        device: where the network is. While a GPU learns, threads cut the batches that come next.
        team: the processes that take part.
    """
    slices = training_slices(trained, config.slice_length, random)
    many = int((slices.last - slices.first + 1).sum())
    luck = random.random(len(withheld), np.float32) if many >= MANY else None
    shares = (team.share(batch) for batch in in_batches(slices, batch_rows(many, config.rows), random))
    # A network weighs the windows, so one lies behind the other: that takes half of the time.
    by_window = np.ascontiguousarray(np.moveaxis(prefixes.trends.lifts, -1, 0))
    lifts = torch.from_numpy(by_window).to(device).movedim(0, -1)
    end = newest_day(prefixes.histories, trained)
    cut = partial(_example, prefixes, trained, withheld, luck, end, config, lifts)
    return side_by_side(shares, cut, HELPERS) if device.type == "cuda" else map(cut, shares)


def training_slices(trained: np.ndarray, length: int, random: np.random.Generator) -> Slices:
    """Slices that hold every training prefix once; where each customer's first one ends is drawn anew."""
    customers = np.flatnonzero(trained > 1)
    last = trained[customers] - 1
    shift = random.integers(0, length, len(customers))
    count = (last + shift - 1) // length + 1
    owner, index = spelled_out(np.zeros(len(count), np.int64), count)
    first = 1 - shift[owner] + index * length
    slices = Slices(customers[owner], np.maximum(first, 1), np.minimum(first + length - 1, last[owner]))
    return slices.take(np.flatnonzero(slices.last >= slices.first))


def batch_rows(prefixes: int, most: int) -> int:
    """Prefixes of a batch: `most`, or fewer where so many would leave a small shop's epoch few steps to learn in."""
    return min(most, max(prefixes // STEPS, FEWEST))


def in_batches(slices: Slices, rows: int, random: np.random.Generator) -> Iterator[Slices]:
    """Batches of about `rows` prefixes, slices of about one length together, in random order."""
    lengths = slices.last - slices.first + 1
    order = np.argsort(lengths + random.random(len(lengths)) * 8)
    number = np.cumsum(lengths[order]) // rows
    groups = np.split(order, np.flatnonzero(np.diff(number)) + 1)
    for index in random.permutation(len(groups)):
        if len(groups[index]):
            yield slices.take(groups[index])


def _example(
    prefixes: Prefixes,
    trained: np.ndarray,
    withheld: np.ndarray,
    luck: np.ndarray | None,
    end: int,
    config: TrainingConfig,
    lifts: Tensor,
    slices: Slices,
) -> Example | None:
    """These slices, on the device where the lifts of all trends lie already.

    `luck` (N,) draws the targets that take part, all where it is None; `end` is the day of the newest target.
    """
    if not len(slices.customers):
        return None
    histories = prefixes.histories
    owner, prefix = prefixes.rows(slices)
    customers = slices.customers[owner]
    basket = histories.basket_offsets[customers] + prefix
    age, lasts = end - histories.days[basket], trained[customers] - 1
    weights = weights_of(prefix, lasts, histories.sizes[basket], withheld[basket], age, config.half_life)
    kept = np.ones(len(owner), bool)
    if luck is not None:
        weights = draw(weights, luck[basket])
        kept = weights > 0
    if not kept.any():
        return None
    wanted = targets(histories, customers[kept], prefix[kept])
    told = (wanted.rows, wanted.items, weights[kept])
    rows, items, weights_R = (torch.from_numpy(part).to(lifts.device) for part in told)
    slices, kept = with_rows(slices, owner, kept)
    batch = replace(prefixes.batch(slices, config.context, kept=kept), trends=lifts)
    return Example(batch.to(lifts.device), Cells(rows, items), weights_R)


def with_rows(slices: Slices, owner: np.ndarray, kept: np.ndarray) -> tuple[Slices, np.ndarray]:
    """The slices of which a row is kept, and which of their rows are, for the (R,) slice of each row and whether it is kept."""
    some = np.bincount(owner[kept], minlength=len(slices.customers)) > 0
    return slices.take(np.flatnonzero(some)), kept[some[owner]]


def without_missions(batch: Batch, random: np.random.Generator) -> Batch:
    """The batch with the missions of a few slices forgotten, so that the network can also do without them."""
    drawn = torch.from_numpy(random.random(batch.slices) < FORGOTTEN).to(batch.basket_cells.device)
    forgotten = drawn[batch.basket_cells % batch.slices]
    features = batch.basket_features.clone()
    features[forgotten, UNASSIGNED] = 1.0
    return replace(batch, missions=batch.missions * ~forgotten[:, None], basket_features=features)


def newest_day(histories: Histories, trained: np.ndarray) -> int:
    """The day of the newest training target."""
    some = trained > 0
    return int(histories.days[histories.basket_offsets[:-1][some] + trained[some] - 1].max(initial=0))
