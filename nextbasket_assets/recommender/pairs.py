"""Pairs of a row and an item of its history: small layers over them and sums of what they point at.

There are some hundred pairs to a row, so their arrays are far larger than a processor's cache. What is done to them here is
done a few thousand at a time, forward and backward, and gradients of what they point at are added up in the order of rows
and of items, which needs one sort of small numbers; torch's own gradients of a gather take several times as long, and so do
its passes over whole arrays (docs/model.md has the figures). The sums over rows and items have one order, whatever the
number of threads.
Q pairs, R rows, V vocabulary, P width.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import embedding_bag

CACHED_PAIRS = 4096


@dataclass(frozen=True)
class Pairs:
    """Which row and which item each pair is of; the rows ascend.

    Attributes:
        rows: (Q,). items: (Q,).
        offsets: (R,) first pair of each row.
        vocabulary: V.
    """

    rows: Tensor
    items: Tensor
    offsets: Tensor
    vocabulary: int

    @cached_property
    def by_item(self) -> tuple[Tensor, Tensor]:
        """(Q,) the pairs in the order of their items, and (V,) the first of each item in it."""
        items_Q, order_Q = torch.sort(self.items.int(), stable=True)
        return order_Q, torch.searchsorted(items_Q, torch.arange(self.vocabulary, device=items_Q.device).int())

    def parts(self) -> list[slice]:
        """The pairs in parts that fit the cache, none of them small: small products add up in another order.

        On a GPU there is one part.
        """
        count = len(self.items)
        number = 1 if self.items.is_cuda else count // CACHED_PAIRS + 1
        ends = [count * part // number for part in range(number + 1)]
        return [slice(*ends[part : part + 2]) for part in range(number)]

    def sum_by_row(self, values_QP: Tensor) -> Tensor:
        """(R, P)."""
        return embedding_bag(torch.arange(len(values_QP), device=values_QP.device), values_QP, self.offsets, mode="sum")

    def sum_by_item(self, values_QP: Tensor) -> Tensor:
        """(V, P)."""
        order_Q, offsets_V = self.by_item
        return embedding_bag(order_Q, values_QP, offsets_V, mode="sum")


def item_values(table_VP: Tensor, pairs: Pairs) -> Tensor:
    """(Q, P) the table's row of each pair's item."""
    values_QP: Tensor = _ItemValues.apply(table_VP, pairs)  # type: ignore[no-untyped-call]
    return values_QP


def row_sums(values_QP: Tensor, pairs: Pairs) -> Tensor:
    """(R, P) the sums of each row's pairs."""
    sums_RP: Tensor = _RowSums.apply(values_QP, pairs)  # type: ignore[no-untyped-call]
    return sums_RP


def weighted_sums(table_VP: Tensor, weights_Q: Tensor, pairs: Pairs) -> Tensor:
    """(R, P) the table's rows of each row's items, summed with these weights."""
    sums_RP: Tensor = _WeightedSums.apply(table_VP, weights_Q, pairs)  # type: ignore[no-untyped-call]
    return sums_RP


def layers(
    pairs: Pairs,
    features_QF: Tensor,
    item_VP: Tensor,
    row_RP: Tensor,
    first: torch.nn.Linear,
    middle: torch.nn.Linear,
    last: torch.nn.Linear,
) -> Tensor:
    """(Q, O) last(relu(middle(relu(first(features) + item + row)))): `item` and `row` are their own shares of a hidden layer."""
    weights = (first.weight, first.bias, middle.weight, middle.bias, last.weight, last.bias)
    inputs = (pairs, torch.is_grad_enabled(), features_QF, item_VP, row_RP)
    out_QO: Tensor = _Layers.apply(*inputs, *weights)  # type: ignore[no-untyped-call]
    return out_QO


class _ItemValues(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table_VP: Tensor, pairs: Pairs) -> Tensor:
        ctx.pairs = pairs
        return table_VP.index_select(0, pairs.items)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope_QP: Tensor) -> tuple[Tensor, None]:
        return ctx.pairs.sum_by_item(slope_QP), None


class _RowSums(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values_QP: Tensor, pairs: Pairs) -> Tensor:
        ctx.pairs = pairs
        return pairs.sum_by_row(values_QP)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope_RP: Tensor) -> tuple[Tensor, None]:
        return slope_RP.index_select(0, ctx.pairs.rows), None


class _WeightedSums(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table_VP: Tensor, weights_Q: Tensor, pairs: Pairs) -> Tensor:
        ctx.pairs = pairs
        ctx.save_for_backward(table_VP, weights_Q)
        return embedding_bag(pairs.items, table_VP, pairs.offsets, mode="sum", per_sample_weights=weights_Q)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope_RP: Tensor) -> tuple[Tensor, Tensor, None]:
        pairs, (table_VP, weights_Q) = ctx.pairs, ctx.saved_tensors
        order_Q, offsets_V = pairs.by_item
        table_slope = embedding_bag(
            pairs.rows[order_Q], slope_RP, offsets_V, mode="sum", per_sample_weights=weights_Q[order_Q]
        )
        with torch.enable_grad():
            weights_Q = weights_Q.detach().requires_grad_()
            sums = embedding_bag(pairs.items, table_VP, pairs.offsets, mode="sum", per_sample_weights=weights_Q)
        return table_slope, *torch.autograd.grad(sums, weights_Q, slope_RP), None


class _Layers(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, pairs: Pairs, kept: bool, features_QF: Tensor, item_VP: Tensor, row_RP: Tensor, *weights: Tensor
    ) -> Tensor:
        first, first_bias, middle, middle_bias, last, last_bias = weights
        out_QO = features_QF.new_empty(len(features_QF), len(last))
        hidden = []
        for part in pairs.parts():
            one = torch.addmm(first_bias, features_QF[part], first.T)
            one += item_VP.index_select(0, pairs.items[part])
            one += row_RP.index_select(0, pairs.rows[part])
            two = torch.addmm(middle_bias, one.relu_(), middle.T).relu_()
            torch.addmm(last_bias, two, last.T, out=out_QO[part])
            if kept:
                hidden += [one, two]
        ctx.pairs = pairs
        ctx.save_for_backward(features_QF, first, middle, last, *hidden)
        return out_QO

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope_QO: Tensor) -> tuple[Tensor | None, ...]:
        pairs = ctx.pairs
        features_QF, first, middle, last, *hidden = ctx.saved_tensors
        slopes = [torch.zeros_like(weight) for weight in (first, middle, last)]
        middle_bias = middle.new_zeros(len(middle))
        back_QP = first.new_empty(len(features_QF), len(first))
        for part, one, two in zip(pairs.parts(), hidden[::2], hidden[1::2], strict=True):
            slopes[2].addmm_(slope_QO[part].T, two)
            back = (slope_QO[part] @ last).mul_(two.sign())
            slopes[1].addmm_(back.T, one)
            middle_bias += back.sum(0)
            back = torch.mm(back, middle, out=back_QP[part]).mul_(one.sign())
            slopes[0].addmm_(back.T, features_QF[part])
        row_RP = pairs.sum_by_row(back_QP)
        biases = (row_RP.sum(0), middle_bias, slope_QO.sum(0))
        weights = [slope for pair in zip(slopes, biases, strict=True) for slope in pair]
        return None, None, None, pairs.sum_by_item(back_QP), row_RP, *weights
