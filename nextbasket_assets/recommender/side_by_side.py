"""The same work on many batches, one batch per core at a time, in order: memory holds a few batches, whatever their number."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Batch = TypeVar("Batch")
Result = TypeVar("Result")


def side_by_side(
    batches: Iterable[Batch], work: Callable[[Batch], Result], threads: int | None = None
) -> Iterator[Result]:
    """The work's results in the order of the batches, by as many threads as torch has, or fewer; each has one of torch's."""
    cores = torch.get_num_threads()
    threads = min(threads or cores, cores)
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads) as pool:
            running: deque[Future[Result]] = deque()
            for batch in batches:
                running.append(pool.submit(work, batch))
                if len(running) > threads:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
    finally:
        torch.set_num_threads(cores)
