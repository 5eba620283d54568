"""The same work on many batches, side by side and in order."""

import time
from collections.abc import Iterator

import pytest
import torch

from nextbasket_assets.recommender.side_by_side import side_by_side


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """torch has two threads."""
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def test_results_come_in_the_order_of_the_batches() -> None:
    """The first takes longest and still comes first; each has one of torch's threads, which has both again afterwards."""

    def work(batch: int) -> tuple[int, int]:
        time.sleep(0.02 if not batch else 0)
        return batch, torch.get_num_threads()

    assert list(side_by_side(range(5), work)) == [(batch, 1) for batch in range(5)]
    assert torch.get_num_threads() == 2


def test_no_more_batches_are_held_than_are_worked_on() -> None:
    """Before the first result is taken three of a hundred batches have been read, for two threads."""
    read = []
    results = side_by_side((read.append(n) or n for n in range(100)), abs)  # type: ignore[func-returns-value]

    assert next(results) == 0
    assert len(read) == 3
    results.close()  # type: ignore[attr-defined]
    assert torch.get_num_threads() == 2


def test_work_that_fails_gives_the_threads_back() -> None:
    """The error of a batch is raised, and torch has its threads again."""
    with pytest.raises(ZeroDivisionError):
        list(side_by_side([1, 0], lambda batch: 1 // batch))

    assert torch.get_num_threads() == 2
