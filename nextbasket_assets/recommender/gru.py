"""A GRU without padding and with its own gradient, and its states alone, one basket after the other.

torch's own GRU first makes an array of every step's inputs, which is far larger than a cache, and then goes over each step's
gates a dozen times; this goes over them five times (Cho et al., 2014, as `torch.nn.GRU` writes it).
L steps, B sequences, N baskets, D inputs, H hidden, G = 3 H gates: reset, keep, candidate.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def states(gru: nn.GRU, inputs_LBD: Tensor) -> Tensor:
    """(L, B, H) what `gru(inputs)` gives first, from a state of zeros, to the last digits of its numbers."""
    steps, sequences, hidden = *inputs_LBD.shape[:2], gru.hidden_size
    inwards_GD, onwards_GH, inwards_G, onwards_G = gru.all_weights[0]
    states_LBH = inputs_LBD.new_empty(steps, sequences, hidden)
    new_BG, old_BG = inputs_LBD.new_empty(2, sequences, 3 * hidden)
    state_BH = inputs_LBD.new_zeros(sequences, hidden)
    for input_BD, next_BH in zip(inputs_LBD, states_LBH, strict=True):
        torch.addmm(inwards_G, input_BD, inwards_GD.T, out=new_BG)
        torch.addmm(onwards_G, state_BH, onwards_GH.T, out=old_BG)
        state_BH = _step(new_BG, old_BG, state_BH, next_BH)
    return states_LBH


def states_to_learn(gru: nn.GRU, inputs_ND: Tensor, cells_N: Tensor, sequences: int, wanted_R: Tensor) -> Tensor:
    """(R, H) the states after the baskets in the cells `wanted`, with their gradient.

    Where sequences differ in length, an array of all steps and sequences is mostly empty; this goes over baskets alone.

    Args:
        inputs_ND: the baskets, `cells_N` where each is: step * sequences + sequence. A sequence has no gaps.
        wanted_R: cells of baskets.
    """
    step_N, sequence_N = cells_N // sequences, cells_N % sequences
    longest_first = torch.bincount(sequence_N, minlength=sequences).argsort(descending=True, stable=True)
    rank_B = torch.empty_like(longest_first).index_copy_(0, longest_first, torch.arange(sequences))
    order_N = (step_N * sequences + rank_B[sequence_N]).argsort()
    place = torch.zeros(int(cells_N.max()) + 1, dtype=torch.int64)
    place[cells_N[order_N]] = torch.arange(len(cells_N))
    alive = torch.bincount(step_N).tolist()
    states_NH = _States.apply(nn.functional.embedding(order_N, inputs_ND), alive, *gru.all_weights[0])  # type: ignore[no-untyped-call]
    return nn.functional.embedding(place[wanted_R], states_NH)


def _step(new_BG: Tensor, old_BG: Tensor, state_BH: Tensor, next_BH: Tensor) -> Tensor:
    """The next state; `new`, what a basket gives to the gates, becomes the gates, `old` is what the state gives to them."""
    reset_and_keep = 2 * state_BH.shape[1]
    reset_BH, keep_BH = new_BG[:, :reset_and_keep].add_(old_BG[:, :reset_and_keep]).sigmoid_().chunk(2, dim=1)
    candidate_BH = new_BG[:, reset_and_keep:].addcmul_(reset_BH, old_BG[:, reset_and_keep:]).tanh_()
    return torch.lerp(candidate_BH, state_BH, keep_BH, out=next_BH)


class _States(torch.autograd.Function):
    """(N, H) states after baskets in the order of steps, the longest sequences first; `alive` are the baskets of each step."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs_ND: Tensor,
        alive: list[int],
        inwards_GD: Tensor,
        onwards_GH: Tensor,
        inwards_G: Tensor,
        onwards_G: Tensor,
    ) -> Tensor:
        hidden = onwards_GH.shape[1]
        gates_NG = torch.addmm(inwards_G, inputs_ND, inwards_GD.T)
        old_NG, states_NH = torch.empty_like(gates_NG), inputs_ND.new_empty(len(inputs_ND), hidden)
        before_NH = torch.empty_like(states_NH)
        state_BH = inputs_ND.new_zeros(alive[0], hidden)
        parts = (torch.split(tensor, alive) for tensor in (gates_NG, old_NG, before_NH, states_NH))
        for new_BG, old_BG, before_BH, next_BH in zip(*parts, strict=True):
            before_BH.copy_(state_BH[: len(before_BH)])
            torch.addmm(onwards_G, before_BH, onwards_GH.T, out=old_BG)
            state_BH = _step(new_BG, old_BG, before_BH, next_BH)
        ctx.alive = alive
        ctx.save_for_backward(inputs_ND, inwards_GD, onwards_GH, gates_NG, old_NG, before_NH)
        return states_NH

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slopes_NH: Tensor) -> tuple[Tensor | None, ...]:
        inputs_ND, inwards_GD, onwards_GH, gates_NG, old_NG, before_NH = ctx.saved_tensors
        reset_NH, keep_NH, candidate_NH = gates_NG.chunk(3, dim=1)
        # How each gate's input moves its state, by which the state's slope is multiplied.
        of_candidate_NH = (1 - keep_NH) * (1 - candidate_NH**2)
        of_keep_NH = (before_NH - candidate_NH) * keep_NH * (1 - keep_NH)
        of_reset_NH = of_candidate_NH * old_NG.chunk(3, dim=1)[2] * reset_NH * (1 - reset_NH)
        moves_N3H = torch.stack([of_reset_NH, of_keep_NH, of_candidate_NH * reset_NH], dim=1)
        slopes_NH = slopes_NH.clone()
        old_slopes_N3H = torch.empty_like(moves_N3H)
        carried_BH = slopes_NH.new_zeros(0, slopes_NH.shape[1])
        parts = [torch.split(tensor, ctx.alive) for tensor in (slopes_NH, moves_N3H, keep_NH, old_slopes_N3H)]
        for slope_BH, moves_B3H, keep_BH, old_slope_B3H in reversed(list(zip(*parts, strict=True))):
            slope_BH[: len(carried_BH)] += carried_BH
            torch.mul(moves_B3H, slope_BH[:, None], out=old_slope_B3H)
            carried_BH = torch.addmm(slope_BH * keep_BH, old_slope_B3H.flatten(1), onwards_GH)
        old_slopes_NG = old_slopes_N3H.flatten(1)
        onwards_slope_GH, onwards_slope_G = old_slopes_NG.T @ before_NH, old_slopes_NG.sum(0)
        torch.mul(slopes_NH, of_candidate_NH, out=old_slopes_N3H[:, 2])
        return (
            old_slopes_NG @ inwards_GD,
            None,
            old_slopes_NG.T @ inputs_ND,
            onwards_slope_GH,
            old_slopes_NG.sum(0),
            onwards_slope_G,
        )
