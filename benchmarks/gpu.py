#!/usr/bin/env python3
"""Training and scoring on a GPU, and the share of its limits that the parts of a training step reach.

    .venv/bin/python benchmarks/gpu.py FOLDER [FOLDER ...] --json benchmarks/figures.json

The limits are measured in the same run: a product of large matrices in 32 bits, and a copy of a large array. A part cannot
take less time than its operations at the one rate, nor than the bytes it must read and write at the other.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import packed
from benchmarks.next_basket import Case
from benchmarks.outcome import Figure, Goal, Outcome, require_writable
from benchmarks.run import Begun, entry, machine
from nextbasket_assets.recommender import fitting, purchases, ranking
from nextbasket_assets.recommender.batches import Batch, Prefixes, Slices
from nextbasket_assets.recommender.examples import Example, examples
from nextbasket_assets.recommender.network import Network
from nextbasket_assets.recommender.pairs import Pairs, layers
from nextbasket_assets.recommender.settings import EpochReport, TrainingConfig
from nextbasket_assets.recommender.softmax import Cells, cross_entropy
from nextbasket_assets.recommender.team import ALONE

ROWS = (512, 4096)  # prefixes of a batch: the setting's default, and as many as fill a large GPU
SCORED = 2048  # customers of a batch
LISTED = 20
TIMES = 20
CONFIG = TrainingConfig(minimum_count=1, trip_steps=0)
NUMBER = 4  # bytes


@dataclass(frozen=True)
class Limits:
    """Operations and bytes a second."""

    flops: float
    bytes: float


@dataclass(frozen=True)
class Part:
    """A part of a training step: seconds forward and backward, and what it must do."""

    seconds: float
    flops: float
    bytes: float

    def share(self, limits: Limits) -> float:
        """Of the limit: 1 is as fast as the machine can."""
        return max(self.flops / limits.flops, self.bytes / limits.bytes) / self.seconds


@dataclass(frozen=True)
class Step:
    """A training step: its seconds, those in which the GPU computes, and its largest parts."""

    seconds: float
    busy: float
    parts: dict[str, Part]


def seconds(work: Callable[[], Any], device: torch.device) -> float:
    """The median time of one call."""

    def once() -> float:
        _wait(device)
        began = time.perf_counter()
        work()
        _wait(device)
        return time.perf_counter() - began

    for _ in range(3):
        once()
    return statistics.median(once() for _ in range(TIMES))


def by_kernels(work: Callable[[], Any]) -> float:
    """Seconds of a call in which the GPU computes; in the rest it waits to be told what to do."""
    work()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        work()
        torch.cuda.synchronize()
    on_it = (event for event in profile.events() if event.device_type == torch.autograd.DeviceType.CUDA)
    return sum(event.time_range.elapsed_us() for event in on_it) / 1e6


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def limits(device: torch.device) -> Limits:
    """What the machine reaches on the easiest work."""
    size, count = (8192, 1 << 29) if device.type == "cuda" else (512, 1 << 24)
    left, right, big = (torch.randn(shape, device=device) for shape in ((size, size), (size, size), (count,)))
    other = torch.empty_like(big)
    product, copy = seconds(lambda: left @ right, device), seconds(lambda: other.copy_(big), device)
    return Limits(2 * size**3 / product, 2 * count * NUMBER / copy)


def step_of(network: Network, example: Example, device: torch.device) -> Step:
    """The step of one batch, forward and backward, without Adam's."""
    batch, wanted, weights = example.batch, example.wanted, example.weights
    weighted = [weight for name, weight in network.named_parameters() if not name.startswith("trips")]
    own = Pairs(batch.pair_rows, batch.pair_items, batch.row_offsets, network.config.vocabulary)
    with torch.no_grad():
        terms, popular = network.terms(batch), network.popular(batch)
        row_RP = network.pair_row(torch.cat([terms.state, batch.row_features], dim=1))
    query, repeat, row_RP, popular = (
        tensor.requires_grad_() for tensor in (terms.query, terms.repeat, row_RP, popular)
    )
    small = (network.pair_input, network.pair_middle, network.pair_output)
    items = network.output.weight
    of_pairs = [row_RP, network.pair_item.weight, *(weight for part in small for weight in part.parameters())]
    added = Cells(batch.pair_rows, batch.pair_items)

    def loss() -> Tensor:
        return cross_entropy(query, items, popular, batch.row_weeks, repeat, added, wanted, weights)

    def pair_layers() -> Tensor:
        return layers(own, batch.pair_features, network.pair_item.weight, row_RP, *small)

    def both(made: Callable[[], Tensor], of: list[Tensor]) -> Callable[[], Any]:
        return lambda: torch.autograd.grad(made().sum(), of, allow_unused=True)

    step = both(lambda: network.loss(batch, wanted, weights), weighted)
    taken = {
        "loss over all items": seconds(both(loss, [query, items, popular, repeat]), device),
        "layers over the pairs": seconds(both(pair_layers, of_pairs), device),
        "GRU": seconds(both(lambda: network.states(batch), list(network.gru.parameters())), device),
    }
    rows, count, sizes = len(weights), len(batch.pair_items), network.config
    dim, hidden, pair = sizes.embedding, sizes.hidden, sizes.pair_hidden
    width, inner = batch.pair_features.shape[1], network.config.pools + 1
    products = width * pair + pair * pair + pair * inner
    gates = 3 * hidden * (dim + hidden)
    must = {
        "loss over all items": (6 * rows * len(items) * dim, 0),
        "layers over the pairs": (
            2 * count * (3 * products - width * pair),
            NUMBER * count * (2 * width + 7 * pair + 2 * inner),
        ),
        "GRU": (6 * len(batch.basket_cells) * gates, 0),
    }
    busy = by_kernels(step) if device.type == "cuda" else 0.0
    return Step(seconds(step, device), busy, {name: Part(taken[name], *must[name]) for name in must})


def epochs(case: Case, config: TrainingConfig) -> tuple[float, float, int]:
    """Median seconds of an epoch with its look at the validation customers, best recall@10 of them, and its epoch."""
    seen: list[EpochReport] = []
    fitting.fit(case.encoded, case.split, case.words, case.moving, config, seen.append)
    best = max(seen, key=lambda epoch: epoch.recall + epoch.ndcg)
    return statistics.median(epoch.seconds for epoch in seen), best.recall, best.epoch + 1


def scored(case: Case, prefixes: Prefixes, network: Network, device: torch.device) -> tuple[float, float]:
    """Seconds of a batch's top 20 by the network, copied back, and of cutting and moving the batch."""
    customers = np.arange(SCORED) % case.encoded.customers
    ends = case.encoded.lengths[customers]

    def cut() -> Batch:
        return prefixes.batch(Slices(customers, ends, ends), network.config.context, case.split.week).to(device)

    batch = cut()
    return seconds(lambda: ranking.top(network.eval(), batch, LISTED), device), seconds(cut, device)


def measure(folders: list[Path], device: torch.device) -> Outcome:
    """Every dataset: a step's parts at two sizes of batches, the epochs of a whole training, and scoring."""
    most, figures, goals = limits(device), [], []
    for folder in folders:
        data = packed.load(folder)
        case = Case.of(data, min(data.folds), strict=False)
        known = purchases.collect(case.encoded), case.moving
        prefixes, network = Prefixes.of(case.encoded, *known), fitting.new_network(case.words, 0, CONFIG).to(device)
        for at_most in ROWS:
            config, random = replace(CONFIG, rows=at_most), np.random.default_rng(0)
            none = np.zeros(len(case.encoded.days), bool)
            example = next(iter(examples(prefixes, case.split.trained, none, config, random, device, ALONE)))
            assert example is not None  # alone, a whole batch is not empty
            rows = len(example.weights)  # fewer where the dataset is small, or where they are drawn
            step = step_of(network.train(), example, device)
            found, more = step.parts, {"seconds in which the GPU computes": step.busy}
            figures.append(Figure(f"{data.name}, {rows} prefixes, forward and backward", step.seconds, None, more))
            figures += [
                Figure(f"{data.name}, {rows} prefixes, {name}", part.seconds, None, {"share": part.share(most)})
                for name, part in found.items()
            ]
            longest = max(found, key=lambda name: found[name].seconds)
            what = f"{data.name}, {rows} prefixes: share of its limit that the longest part reaches ({longest})"
            goals.append(Goal(what, found[longest].share(most), 0.3, at_least=True))
        taken, recall, best = epochs(case, CONFIG)
        figures.append(
            Figure(f"{data.name}, an epoch", taken, None, {"best epoch": best, "its validation recall@10": recall})
        )
        listing, cutting = scored(case, prefixes, network, device)
        figures += [
            Figure(f"{data.name}, top {LISTED} of {SCORED} customers by the network", listing),
            Figure(f"{data.name}, cutting their batch and moving it, by one thread", cutting),
        ]
        what = f"{data.name}, customers a second whose top {LISTED} the network finds"
        goals.append(Goal(what, SCORED / listing, 200_000, at_least=True))
    name = torch.cuda.get_device_name() if device.type == "cuda" else "no GPU"
    limit = (
        f"{most.flops / 1e12:.3g} Tflop/s in a product of two large matrices, {most.bytes / 1e9:,.0f} GB/s in a copy"
    )
    return Outcome(goals, figures, limit, [f"{name}, torch {torch.__version__}, {machine()['cores']} cores"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folders", type=Path, nargs="+", metavar="FOLDER", help="with baskets.parquet and splits.parquet"
    )
    parser.add_argument("--json", type=Path, required=True, help="where the figures go, beside those of run.py")
    options = parser.parse_args()
    require_writable(parser, options.json)
    if not torch.cuda.is_available():
        sys.exit(
            "torch sees no GPU here: run it where `python -c 'import torch; print(torch.cuda.is_available())'` says True"
        )
    begun = Begun.now()
    outcome = measure(options.folders, torch.device("cuda"))
    found = json.loads(options.json.read_text()) if options.json.exists() else {}
    found["GPU"] = entry(outcome, "benchmarks/gpu.py FOLDER ... --json OUT", begun, judged=True)
    options.json.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    print("\n".join(f"{goal.what}: {goal.value:,.3g}" for goal in outcome.goals), flush=True)


if __name__ == "__main__":
    main()
