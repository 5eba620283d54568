"""Batches of prefixes as tensors: what the network takes.

A slice is a run of a customer's prefixes `first..last`; it carries the baskets that the network reads before and between
them (at most `context` before the first). A row is one prefix p: predict basket p from the baskets before it.
B slices, L baskets in the longest slice, R rows, Q pairs of row and item of the row's history, M missions.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nextbasket_assets.recommender.histories import Histories
from nextbasket_assets.recommender.purchases import NEVER, Purchases, pair_features
from nextbasket_assets.recommender.runs import spelled_out
from nextbasket_assets.recommender.trends import Trends, week_number
from nextbasket_assets.recommender.vocabulary import UNKNOWN

ROW_FEATURES = 6
BASKET_FEATURES = 3
UNASSIGNED = 2  # the column of basket_features that says so


@dataclass(frozen=True)
class Slices:
    """Runs of prefixes: customer, first prefix and last prefix (both included, at least 1), each (B,)."""

    customers: np.ndarray
    first: np.ndarray
    last: np.ndarray

    def take(self, index: np.ndarray) -> "Slices":
        """These slices, in this order."""
        return Slices(self.customers[index], self.first[index], self.last[index])


@dataclass(frozen=True)
class Batch:
    """Input of the network.

    Attributes:
        basket_items, basket_offsets: ids of the N baskets and where each begins.
        basket_cells: (N,) position in the slice * B + slice.
        basket_features: (N, BASKET_FEATURES) days since the basket before, size, unassigned.
        missions: (N, M) mission weights.
        slices, length: B and L.
        row_cells: (R,) cell of the last basket before the prefix.
        row_features: (R, ROW_FEATURES) the customer at the prefix.
        row_weeks: (R,) row of `trends`. trends: (W, V, windows) log lifts.
        pair_rows: (Q,) row, ascending. pair_items: (Q,) ids, ascending within a row.
        pair_features: (Q, FEATURES + windows). pair_events: (Q,) the item's last purchase, in `Purchases`.
        row_offsets: (R,) first pair of each row.
    """

    basket_items: Tensor
    basket_offsets: Tensor
    basket_cells: Tensor
    basket_features: Tensor
    missions: Tensor
    slices: int
    length: int
    row_cells: Tensor
    row_features: Tensor
    row_weeks: Tensor
    trends: Tensor
    pair_rows: Tensor
    pair_items: Tensor
    pair_features: Tensor
    pair_events: Tensor
    row_offsets: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        moved: dict[str, Any] = {
            field.name: value.to(device, non_blocking=True)
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), Tensor)
        }
        return replace(self, **moved)


@dataclass(frozen=True)
class Prefixes:
    """All that is known about the prefixes of some customers, from which batches are cut."""

    histories: Histories
    purchases: Purchases
    trends: Trends
    running_items: np.ndarray  # (N + 1,) items bought in all baskets before, over all customers
    running_new: np.ndarray  # (N + 1,) of them, first purchases

    @classmethod
    def of(cls, histories: Histories, purchases: Purchases, trends: Trends) -> "Prefixes":
        """Prefixes of these histories, in a shop with these trends."""
        customer = np.repeat(np.arange(histories.customers), np.diff(purchases.offsets))
        lasts = purchases.next_positions == NEVER  # one event of each item
        basket = histories.basket_offsets[customer[lasts]] + purchases.first_positions[lasts]
        new = np.bincount(basket, minlength=len(histories.days))
        return cls(histories, purchases, trends, _running(histories.sizes), _running(new))

    def rows(self, slices: Slices) -> tuple[np.ndarray, np.ndarray]:
        """(R,) slice of each row and (R,) its prefix."""
        return spelled_out(slices.first, slices.last - slices.first + 1)

    def batch(
        self,
        slices: Slices,
        context: int,
        week: int | None = None,
        pairs: bool = True,
        kept: np.ndarray | None = None,
    ) -> Batch:
        """The network's input for these slices.

        Args:
            slices: the rows.
            context: baskets that the network reads before the first prefix of a slice.
            week: number of the week in which the prediction is made; None for the weeks of the baskets to be predicted.
            pairs: False leaves the pairs out, for what reads the GRU's states alone.
            kept: which of the rows the batch has; None for all.
        """
        owner, prefix = self.rows(slices)
        if kept is not None:
            owner, prefix = owner[kept], prefix[kept]
        start = np.maximum(slices.first - context, 0)
        length = int((slices.last - start).max())
        last_basket = self.histories.basket_offsets[slices.customers[owner]] + prefix - 1
        days = self.histories.days
        none = np.zeros(0, np.int64)
        events, pair_rows, pair_prefix = self._pairs(slices, kept) if pairs else (none, none, none)
        today = days[last_basket].astype(np.int64)
        weeks = self.trends.rows(week_number(days[last_basket + 1]) if week is None else np.full(len(prefix), week))
        pair_items = self.purchases.items[events]
        lifts = self.trends.of(weeks[pair_rows], pair_items)
        evidence = pair_features(self.purchases, events, pair_prefix, today[pair_rows], lifts)
        items, offsets, cells, features, missions = self._baskets(slices, start)
        return Batch(
            basket_items=_tensor(items),
            basket_offsets=_tensor(offsets),
            basket_cells=_tensor(cells[1] * len(start) + cells[0]),
            basket_features=_tensor(features),
            missions=_tensor(missions),
            slices=len(start),
            length=length,
            row_cells=_tensor((prefix - 1 - start[owner]) * len(start) + owner),
            row_features=_tensor(self._row_features(slices.customers[owner], prefix, last_basket)),
            row_weeks=_tensor(weeks),
            trends=_tensor(self.trends.lifts),
            pair_rows=_tensor(pair_rows),
            pair_items=_tensor(pair_items),
            pair_features=torch.from_numpy(evidence),
            pair_events=_tensor(events),
            row_offsets=_tensor(np.searchsorted(pair_rows, np.arange(len(prefix)))),
        )

    def _baskets(
        self, slices: Slices, start: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
        """The baskets of the slices: ids, where each begins, (slice, place in it), features, missions."""
        h = self.histories
        owner, position = spelled_out(start, slices.last - start)
        basket = h.basket_offsets[slices.customers[owner]] + position
        sizes = h.item_offsets[basket + 1] - h.item_offsets[basket]
        _, entry = spelled_out(h.item_offsets[basket], sizes)
        gap = np.where(position > 0, h.days[basket] - h.days[np.maximum(basket - 1, 0)], 0)
        unassigned = h.missions[basket].sum(1) == 0
        features = np.stack([np.log1p(gap) * 0.5, np.log1p(h.sizes[basket]) * 0.5, unassigned], axis=1)
        return (
            h.items[entry].astype(np.int64),
            np.cumsum(sizes) - sizes,
            (owner, position - start[owner]),
            features.astype(np.float32),
            h.missions[basket],
        )

    def _pairs(self, slices: Slices, kept: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Events that speak for each prefix, by row: (Q,) event, (Q,) row, (Q,) prefix."""
        p = self.purchases
        low, high = p.offsets[slices.customers], p.offsets[slices.customers + 1]
        owner, event = spelled_out(low, high - low)
        begin = np.maximum(p.positions[event] + 1, slices.first[owner])
        end = np.minimum(p.next_positions[event], slices.last[owner])
        alive = np.flatnonzero(end >= begin)
        event, owner, begin, count = event[alive], owner[alive], begin[alive], (end - begin + 1)[alive]
        rows = slices.last - slices.first + 1
        if kept is None and (rows == 1).all():  # of one prefix each event speaks once, and the events are in order
            return event, owner, begin
        pair, prefix = spelled_out(begin, count)
        row = (np.cumsum(rows) - rows - slices.first)[owner[pair]] + prefix
        if kept is not None:
            chosen = np.flatnonzero(kept[row])
            pair, prefix, row = pair[chosen], prefix[chosen], (np.cumsum(kept) - 1)[row[chosen]]
        order = np.argsort(row, kind="stable")
        return event[pair][order], row[order], prefix[order]

    def _row_features(self, customers: np.ndarray, prefix: np.ndarray, last_basket: np.ndarray) -> np.ndarray:
        h = self.histories
        first = h.basket_offsets[customers]
        items = (self.running_items[last_basket + 1] - self.running_items[first]).astype(np.float64)
        new = (self.running_new[last_basket + 1] - self.running_new[first]).astype(np.float64)
        span = h.days[last_basket] - h.days[first]
        columns = (
            np.log1p(prefix) * 0.3,
            np.log1p(items / prefix) * 0.5,
            1 - new / np.maximum(items, 1),
            np.log1p(new) * 0.2,
            np.log1p(span / prefix) * 0.3,
            np.log1p(h.sizes[last_basket]) * 0.5,
        )
        return np.stack(columns, axis=1).astype(np.float32)


@dataclass(frozen=True)
class Targets:
    """What the rows' next baskets hold: (T,) row and id of each known item, (R,) distinct items, unknown ones counted."""

    rows: np.ndarray
    items: np.ndarray
    sizes: np.ndarray


def targets(histories: Histories, customers: np.ndarray, prefixes: np.ndarray) -> Targets:
    """The baskets at these prefixes, unknown items left out of `items` but not of `sizes`."""
    basket = histories.basket_offsets[customers] + prefixes
    sizes = histories.item_offsets[basket + 1] - histories.item_offsets[basket]
    rows, entry = spelled_out(histories.item_offsets[basket], sizes)
    items = histories.items[entry]
    keep = items > UNKNOWN
    return Targets(rows[keep], items[keep].astype(np.int64), histories.sizes[basket])


def _running(values: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(values, dtype=np.int64)])


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))
