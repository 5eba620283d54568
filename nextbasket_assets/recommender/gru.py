"""A GRU's states without gradients, one basket after the other, so that what a step makes is still in the processor's cache.

torch's own GRU first makes an array of every step's inputs, which is far larger than a cache, and then goes over each step's
gates a dozen times; this goes over them five times (Cho et al., 2014, as `torch.nn.GRU` writes it).
L steps, B sequences, D inputs, H hidden, G = 3 H gates.
"""

import torch
from torch import Tensor, nn


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
        reset_BH, keep_BH = new_BG[:, : 2 * hidden].add_(old_BG[:, : 2 * hidden]).sigmoid_().chunk(2, dim=1)
        candidate_BH = new_BG[:, 2 * hidden :].addcmul_(reset_BH, old_BG[:, 2 * hidden :]).tanh_()
        state_BH = torch.lerp(candidate_BH, state_BH, keep_BH, out=next_BH)
    return states_LBH
