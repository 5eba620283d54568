"""What is done to pairs in parts is what torch does to them at once, and so are its gradients."""

import pytest
import torch
from torch import Tensor, nn

from nextbasket_assets.recommender import pairs as module
from nextbasket_assets.recommender.pairs import Pairs, item_values, layers, row_sums, weighted_sums

ROWS = [0, 0, 0, 1, 3, 3, 3]  # row 2 has no pair
ITEMS = [1, 2, 5, 2, 0, 2, 5]  # item 3 and 4 have none
VOCABULARY = 6


@pytest.fixture(params=[2, 4096], ids=["in parts", "at once"])
def own(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Pairs:
    """Seven pairs of four rows, in parts of two and in one part."""
    monkeypatch.setattr(module, "CACHED_PAIRS", request.param)
    return Pairs(torch.tensor(ROWS), torch.tensor(ITEMS), torch.tensor([0, 3, 4, 4]), VOCABULARY)


def made(*shape: int) -> Tensor:
    """Numbers that differ, with a gradient."""
    return torch.randn(
        *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape))
    ).requires_grad_()


def same(ours: Tensor, plain: Tensor, inputs: list[Tensor]) -> None:
    """Both have one value and one gradient in each input."""
    assert torch.allclose(ours, plain)
    slope = made(*ours.shape).detach()
    for got, wanted in zip(*(torch.autograd.grad(one, inputs, slope) for one in (ours, plain)), strict=True):
        assert torch.allclose(got, wanted)
        assert wanted.abs().sum() > 0


def test_values_of_items(own: Pairs) -> None:
    """Each pair has its item's row, and an item's gradient is the sum over its pairs."""
    table = made(VOCABULARY, 3)

    same(item_values(table, own), table[own.items], [table])


def test_sums_of_rows(own: Pairs) -> None:
    """A row has the sum of its pairs, nothing where it has none, and each pair has its row's gradient."""
    values = made(len(ROWS), 2)
    plain = torch.zeros(4, 2, dtype=torch.float64).index_add(0, own.rows, values)

    same(row_sums(values, own), plain, [values])
    assert not row_sums(values, own)[2].any()


def test_weighted_sums(own: Pairs) -> None:
    """A row has the weighted sum of its items; weights and items have the gradients of the plain formula."""
    table, weights = made(VOCABULARY, 3), made(len(ROWS))
    plain = torch.zeros(4, 3, dtype=torch.float64).index_add(0, own.rows, weights[:, None] * table[own.items])

    same(weighted_sums(table, weights, own), plain, [table, weights])
    assert not weighted_sums(table, weights, own)[2].any()


def test_layers(own: Pairs) -> None:
    """Three layers in parts have the values and all gradients of the three layers at once."""
    first, middle, last = (nn.Linear(*shape, dtype=torch.float64) for shape in ((4, 5), (5, 5), (5, 2)))
    features, item, row = made(len(ROWS), 4).detach(), made(VOCABULARY, 5), made(4, 5)
    hidden = (first(features) + item[own.items] + row[own.rows]).relu()
    weights = [weight for layer in (first, middle, last) for weight in layer.parameters()]

    same(
        layers(own, features, item, row, first, middle, last), last(middle(hidden).relu()), [item, row, *weights]
    )  # fmt: skip


def test_without_gradients_nothing_is_kept(own: Pairs) -> None:
    """Scoring has the same numbers, and no hidden layer stays in memory."""
    first, middle, last = nn.Linear(4, 5), nn.Linear(5, 5), nn.Linear(5, 2)
    features, item, row = (made(*shape).detach().float() for shape in ((len(ROWS), 4), (VOCABULARY, 5), (4, 5)))
    trained = layers(own, features, item, row, first, middle, last)
    with torch.inference_mode():
        scored = layers(own, features, item, row, first, middle, last)

    assert torch.equal(trained, scored)
    assert scored.grad_fn is None


def test_no_pairs() -> None:
    """Rows without any history have sums of nothing, and gradients of nothing."""
    none = torch.zeros(0, dtype=torch.int64)
    own = Pairs(none, none, torch.tensor([0, 0]), VOCABULARY)
    table, weights = made(VOCABULARY, 3), torch.zeros(0, dtype=torch.float64, requires_grad=True)
    sums = weighted_sums(table, weights, own)
    sums.sum().backward()

    assert not sums.any()
    assert table.grad is not None
    assert not table.grad.any()


def test_the_order_of_sums_does_not_hang_on_threads() -> None:
    """Bit for bit the same gradients on one thread and on two, with items that many pairs share."""
    count, threads = 20_000, torch.get_num_threads()
    generator = torch.Generator().manual_seed(1)
    rows = torch.randint(0, 50, (count,), generator=generator).sort().values
    own = Pairs(rows, torch.randint(0, 9, (count,), generator=generator), torch.searchsorted(rows, torch.arange(50)), 9)
    values = torch.randn(count, 8, generator=generator)
    found = []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            found.append((own.sum_by_item(values), own.sum_by_row(values)))
    finally:
        torch.set_num_threads(threads)

    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])
