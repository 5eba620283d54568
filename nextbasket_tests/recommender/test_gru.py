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
