"""Cross-entropy of a softmax over the whole vocabulary, with its gradient, a few rows at a time.

An array of all rows' logits is far larger than a processor's cache, and a dozen passes over it were half of a training step.
Here a few rows' logits are made, turned into their own gradient in place and forgotten, as in the fused losses of large
language models (Hsu et al., "Liger Kernel", 2024). R rows, V vocabulary, W weeks, D query, Q pairs, T target items.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

CACHED_CELLS = 1 << 20  # logits that are held at once: 4 MB; were they fewer, all items would be read more often


@dataclass(frozen=True)
class Cells:
    """Which logits something is added to, or looked for: rows that ascend, and items."""

    rows: Tensor
    items: Tensor

    def within(self, runs: list[slice], vocabulary: int) -> list[tuple[slice, Tensor]]:
        """For each run of rows, what lies in it, and where in the run's own (rows, V)."""
        flat = self.rows * vocabulary + self.items
        if len(runs) == 1:  # not asked for where the rows lie: a GPU would have to be waited for
            return [(slice(None), flat)]
        cuts = [0, *torch.searchsorted(self.rows, self.rows.new_tensor([run.stop for run in runs])).tolist()]
        parts = [slice(low, high) for low, high in pairwise(cuts)]
        return [(part, flat[part] - run.start * vocabulary) for run, part in zip(runs, parts, strict=True)]


def in_runs(rows: int, most: int) -> list[slice]:
    """The rows in runs of `most`, the last one shorter."""
    return [slice(start, min(start + most, rows)) for start in range(0, rows, most)]


def cross_entropy(
    query_RD: Tensor,
    items_VD: Tensor,
    popular_WV: Tensor,
    weeks_R: Tensor,
    added_Q: Tensor,
    added: Cells,
    wanted: Cells,
    weights_R: Tensor,
) -> Tensor:
    """Softmax over the vocabulary against a uniform target over each row's wanted items, as a weighted mean of rows.

    The logits are query . item + popular + added. Rows that want nothing have no say.

    Args:
        query_RD, items_VD: whose products are the logits.
        popular_WV, weeks_R: what each item has in each week, and the week of each row.
        added_Q, added: what is added to some cells, each at most once.
        wanted: (T,) the target.
        weights_R: of the rows.
    """
    begins = torch.arange(len(query_RD) + 1, device=query_RD.device)
    count_R = torch.searchsorted(wanted.rows, begins).diff()
    weights_R = weights_R * (count_R > 0)
    weights_R = weights_R / weights_R.sum().clamp(min=1e-9)
    shares_T = (weights_R / count_R.clamp(min=1))[wanted.rows]
    loss: Tensor = _CrossEntropy.apply(  # type: ignore[no-untyped-call]
        query_RD, items_VD, popular_WV, added_Q, weeks_R, added, wanted, shares_T, weights_R
    )
    return loss


def _add_by_week(popular_WV: Tensor, weeks: Tensor, part: Tensor) -> None:
    """Adds each row to its week's; on a GPU, whose additions to one place come in any order, as a product."""
    if part.is_cuda:
        weeks_WR = torch.arange(len(popular_WV), device=weeks.device)[:, None] == weeks
        popular_WV.addmm_(weeks_WR.to(part.dtype), part)
    else:
        popular_WV.index_add_(0, weeks, part)


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        query_RD: Tensor,
        items_VD: Tensor,
        popular_WV: Tensor,
        added_Q: Tensor,
        weeks_R: Tensor,
        added: Cells,
        wanted: Cells,
        shares_T: Tensor,
        weights_R: Tensor,
    ) -> Tensor:
        rows, vocabulary = len(query_RD), len(items_VD)
        step = rows if query_RD.is_cuda else max(1, CACHED_CELLS // vocabulary)
        runs = in_runs(rows, step)
        slopes = [torch.zeros_like(tensor) for tensor in (query_RD, items_VD, popular_WV, added_Q)]
        query_slope, items_slope, popular_slope, added_slope = slopes
        losses = []
        cells_of_runs = zip(added.within(runs, vocabulary), wanted.within(runs, vocabulary), strict=True)
        for run, ((own, own_cells), (target, target_cells)) in zip(runs, cells_of_runs, strict=True):
            query, weeks, weight = query_RD[run], weeks_R[run], weights_R[run, None]
            part = popular_WV.index_select(0, weeks).addmm_(query, items_VD.T)
            cells = part.view(-1)
            cells.index_add_(0, own_cells, added_Q[own])
            losses.append(-(cells.index_select(0, target_cells) @ shares_T[target]))
            top = part.amax(1, keepdim=True)
            total = part.sub_(top).exp_().sum(1, keepdim=True)
            losses.append(((top + total.log()) * weight).sum())
            part.mul_(weight / total)
            cells.index_add_(0, target_cells, shares_T[target], alpha=-1)
            torch.mm(part, items_VD, out=query_slope[run])
            items_slope.addmm_(part.T, query)
            _add_by_week(popular_slope, weeks, part)
            torch.index_select(cells, 0, own_cells, out=added_slope[own])
        ctx.save_for_backward(*slopes)
        return torch.stack(losses).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        return (*(one.mul_(slope) for one in ctx.saved_tensors), None, None, None, None, None)
