"""The loss that never holds all logits is the plain loss, in its value and in every gradient."""

import pytest
import torch
from torch import Tensor

from nextbasket_assets.recommender import softmax
from nextbasket_assets.recommender.softmax import Cells, cross_entropy

ROWS, VOCABULARY, WEEKS, WIDTH = 5, 7, 3, 4
ADDED = Cells(torch.tensor([0, 0, 1, 3, 4]), torch.tensor([2, 6, 3, 2, 5]))
WANTED = Cells(torch.tensor([0, 0, 1, 4, 4, 4]), torch.tensor([2, 3, 3, 2, 5, 6]))  # rows 2 and 3 want nothing
WEEK_OF_ROW = torch.tensor([0, 2, 2, 1, 0])
WEIGHTS = torch.tensor([1.0, 3.0, 100.0, 100.0, 2.0], dtype=torch.float64)


def numbers(*shape: int) -> Tensor:
    """Numbers that differ."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


def inputs() -> list[Tensor]:
    """Query, items, popularity and what is added; item 0 can never be had."""
    popular = numbers(WEEKS, VOCABULARY)
    popular[:, 0] = -torch.inf
    return [
        one.requires_grad_() for one in (numbers(ROWS, WIDTH), numbers(VOCABULARY, WIDTH), popular, numbers(len(ADDED.rows)))
    ]  # fmt: skip


def plain(query: Tensor, items: Tensor, popular: Tensor, added: Tensor) -> Tensor:
    """The formula, with all logits at once; row 0 wants two items, row 1 one, row 4 three."""
    logits = query @ items.T + popular[WEEK_OF_ROW]
    shares = torch.log_softmax(logits.index_put((ADDED.rows, ADDED.items), added, accumulate=True), 1)
    losses = [-shares[0, [2, 3]].mean(), -shares[1, 3], -shares[4, [2, 5, 6]].mean()]
    return (losses[0] * 1 + losses[1] * 3 + losses[2] * 2) / 6


@pytest.mark.parametrize("cells", [1, 2 * VOCABULARY, 1 << 19], ids=["a row", "two rows", "all"])
def test_value_and_gradients_are_those_of_the_formula(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever number of rows is held at once, the loss and its four gradients are the plain formula's."""
    monkeypatch.setattr(softmax, "CACHED_CELLS", cells)
    given = inputs()
    ours = cross_entropy(*given[:3], WEEK_OF_ROW, given[3], ADDED, WANTED, WEIGHTS)
    wanted = plain(*given)

    assert torch.allclose(ours, wanted)
    for got, expected in zip(torch.autograd.grad(2 * ours, given), torch.autograd.grad(2 * wanted, given), strict=True):
        assert torch.allclose(got, expected)


def test_large_logits_do_not_overflow() -> None:
    """A thousand times the query, whose powers no number holds: still the plain formula's loss."""
    given = inputs()
    given[0] = (1000 * given[0]).detach().requires_grad_()
    ours = cross_entropy(*given[:3], WEEK_OF_ROW, given[3], ADDED, WANTED, WEIGHTS)

    assert ours.isfinite()
    assert torch.allclose(ours, plain(*given))


def test_rows_that_want_nothing_have_no_say() -> None:
    """Rows 2 and 3 weigh the most, and neither their query nor what is added to them has a gradient."""
    given = inputs()
    query, _, _, added = torch.autograd.grad(
        cross_entropy(*given[:3], WEEK_OF_ROW, given[3], ADDED, WANTED, WEIGHTS), given
    )

    assert not query[[2, 3]].any()
    assert added[3] == 0
    assert query[[0, 1, 4]].abs().sum() > 0


def test_a_batch_that_wants_nothing_is_worth_nothing() -> None:
    """Without any wanted item the loss is zero, not a division by zero."""
    none = torch.zeros(0, dtype=torch.int64)
    given = inputs()
    loss = cross_entropy(*given[:3], WEEK_OF_ROW, given[3], ADDED, Cells(none, none), WEIGHTS)

    assert loss.item() == 0
