"""Training by several processes: each takes a share of every batch, and all take the same step (torch.distributed, gloo).

Started by torchrun on one machine (`launch`), or by Spark's TorchDistributor on many (`distributed.training`).
"""

import dataclasses
import datetime
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import distributed, nn

from nextbasket_assets.recommender.batches import Slices
from nextbasket_assets.recommender.settings import TrainingConfig


@dataclass(frozen=True)
class Team:
    """The processes of a training, and which of them this one is; alone unless said otherwise."""

    rank: int = 0
    size: int = 1

    def share(self, slices: Slices) -> Slices:
        """This process's part of a batch; shares of all processes are the batch."""
        return slices if self.size == 1 else slices.take(np.arange(self.rank, len(slices.customers), self.size))

    def own_random(self, random: np.random.Generator, seed: int) -> np.random.Generator:
        """What draws for this process's share alone, so that all processes keep drawing the same batches."""
        return random if self.size == 1 else np.random.default_rng((seed, self.rank, int(random.integers(2**31))))

    def combine(self, network: nn.Module, loss: torch.Tensor, rows: int) -> tuple[torch.Tensor, int]:
        """Puts the mean gradient of all processes' rows into each one's network; their mean loss and number of rows.

        Where none has a row, no weight has a gradient, and nobody's network moves.
        """
        if self.size == 1:
            return loss, rows
        trained = [weight for weight in network.parameters() if weight.requires_grad]
        parts = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in trained]
        flat = torch.cat([*(part.flatten().cpu() for part in parts), loss.flatten().cpu()]) * rows
        together = torch.cat([flat.double(), torch.tensor([float(rows)])])
        distributed.all_reduce(together)
        total = together[-1]
        if not total:
            return loss, 0
        means = (together[:-1] / total).float()
        sizes = [part.numel() for part in parts]
        for weight, mean in zip(trained, torch.split(means[:-1], sizes), strict=True):
            weight.grad = mean.view_as(weight).to(weight.device)
        return means[-1], int(total)

    def agreed(self, *numbers: float) -> tuple[float, ...]:
        """The first process's numbers, in all of them: they stop together, also on machines that round differently."""
        return tuple(self.alike(np.array(numbers)).tolist())

    def alike(self, values: np.ndarray) -> np.ndarray:
        """The first process's values, in all of them: they begin together, also on machines that round differently."""
        if self.size == 1:
            return values
        told = torch.from_numpy(values)
        distributed.broadcast(told, src=0)
        return told.numpy()


ALONE = Team()
Result = TypeVar("Result")


@contextmanager
def joined() -> Iterator[Team]:
    """The team that this process was started for, by torchrun or TorchDistributor."""
    distributed.init_process_group("gloo", timeout=datetime.timedelta(minutes=30))
    try:
        yield Team(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


def train_share(sequence_files: list[str], as_of: str, artifact_dir: str, settings: dict[str, Any]) -> dict[str, Any]:
    """What each process runs: trains with the others; the first one writes the artifact.

    Returns:
        the TrainingReport as plain data, the same in every process, whichever of them is asked.
    """
    from nextbasket_assets.recommender.training import train_in

    with joined() as team:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // team.size))
        week = datetime.date.fromisoformat(as_of)
        report = train_in(team, sequence_files, week, artifact_dir, TrainingConfig(**settings), lambda epoch: None)
        told = [dataclasses.asdict(report)]
        distributed.broadcast_object_list(told, src=0)
    return told[0]


def launch(
    sequence_files: list[str], as_of: datetime.date, artifact_dir: str, config: TrainingConfig
) -> dict[str, Any]:
    """Trains with `config.processes` processes of this machine; their report, as of `train_share`."""
    settings = dataclasses.asdict(config)
    return together(config.processes, train_share, sequence_files, as_of.isoformat(), artifact_dir, settings)[0]


def together(processes: int, work: Callable[..., Result], *arguments: Any) -> dict[int, Result]:
    """What each of several processes of this machine returns, by its rank; torchrun's launcher starts them.

    Raises:
        ChildFailedError: a process failed; its own error is in the message.
    """
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    run = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id="nextbasket",
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",  # instead of this machine's name, which need not resolve to anything
        max_restarts=0,
        start_method="spawn",
    )
    results: dict[int, Result] = elastic_launch(run, work)(*arguments)
    return results
