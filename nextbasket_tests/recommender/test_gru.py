import pytest
import torch

from nextbasket_assets.recommender import gru


@pytest.mark.parametrize(("steps", "sequences"), [(1, 1), (7, 3), (32, 70)])
def test_states_are_torchs(steps, sequences):
    """Step by step, every state of every sequence is that of `torch.nn.GRU`, whose weights they are."""
    torch.manual_seed(0)
    torchs = torch.nn.GRU(5, 11)
    inputs = torch.randn(steps, sequences, 5)
    with torch.inference_mode():
        torch.testing.assert_close(gru.states(torchs, inputs), torchs(inputs)[0], atol=1e-6, rtol=0)


@pytest.mark.parametrize("lengths", [[1], [3, 1, 4, 4, 2], [9] * 6, [1] * 40])
def test_what_is_learned_from_are_torchs_states_and_gradients(lengths):
    """Of sequences that end when they like, in any order: the wanted states and every gradient are `torch.nn.GRU`'s."""
    torch.manual_seed(0)
    torchs, sequences = torch.nn.GRU(5, 11).double(), len(lengths)
    cells = torch.tensor([step * sequences + number for number, length in enumerate(lengths) for step in range(length)])
    inputs = torch.randn(len(cells), 5, dtype=torch.float64, requires_grad=True)
    wanted = cells[torch.randperm(len(cells))[: len(cells) // 2 + 1]].repeat(2)
    padded = inputs.new_zeros(max(lengths) * sequences, 5).index_copy(0, cells, inputs).view(-1, sequences, 5)
    expected = torchs(padded)[0].view(-1, 11)[wanted]
    found = gru.states_to_learn(torchs, inputs, cells, sequences, wanted)
    torch.testing.assert_close(found, expected)

    slopes, sources = torch.randn_like(expected), [inputs, *torchs.parameters()]
    ours, theirs = (torch.autograd.grad(states, sources, slopes) for states in (found, expected))
    for got, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(got, right)
