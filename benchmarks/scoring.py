#!/usr/bin/env python3
"""How fast the recommender scores, and how much memory it takes, for few customers and for many.

    .venv/bin/python benchmarks/scoring.py FOLDER [--customers 5000,100000] [--threads 2]

A packed folder's customers are written as often as it takes, and scored in a process of their own from the sequence file
to published rows: top 20, probabilities and reasons. The weights are random, which costs the same as trained ones.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.clock import peak_mb, span
from nextbasket_assets.recommender import artifact, scoring

LISTED = 20


@dataclass(frozen=True)
class Scored:
    """What scoring took.

    Attributes:
        customers: how many.
        seconds: wall and CPU.
        idle_mb: the process's peak before it began.
        peak_mb: and at its end.
        flops: of the product of query and items, for one customer.
    """

    customers: int
    seconds: tuple[float, float]
    idle_mb: int
    peak_mb: int
    flops: float


def prepare(folder: Path, out: Path, customers: int) -> None:
    """A model in `out`/model, and `out`/sequences.parquet of about as many customers."""
    from benchmarks import packed  # here: what scores does not load what only prepares
    from benchmarks.next_basket import Case
    from nextbasket_assets.recommender import fitting, histories
    from nextbasket_assets.recommender.calibration import START, START_WITHIN_WEEK
    from nextbasket_assets.recommender.settings import TrainingConfig

    data = packed.load(folder)
    case = Case.of(data, min(data.folds), strict=True)
    network = fitting.new_network(case.words, 0, TrainingConfig()).eval()
    as_of = histories.EPOCH + timedelta(days=packed.END - 7)
    model = artifact.Model(network, case.words, START, START_WITHIN_WEEK, as_of, case.baskets, {})
    artifact.save(model, str(out / "model"), "", {})
    packed.write(data, out / "sequences.parquet", max(1, round(customers / case.encoded.customers)))


def score(out: Path, threads: int) -> Scored:
    """Scores what was prepared, from the file to published rows, as the asset does it."""
    torch.set_num_threads(threads)
    idle = peak_mb(os.getpid())
    model = artifact.load(str(out / "model")).model
    k = min(LISTED, int((model.vocabulary.counts > 0).sum()))
    files = [str(out / "sequences.parquet")]
    with span() as taken:
        report = scoring.score(files, model.as_of, str(out / "model"), str(out / "scores"), k)
    sizes = model.network.config
    flops = 2.0 * sizes.vocabulary * sizes.embedding
    return Scored(report.customers, taken.taken(), idle, peak_mb(os.getpid()), flops)


def told(scored: Scored, threads: int) -> str:
    """In words."""
    wall, cpu = scored.seconds
    return (
        f"{scored.customers:8,} customers: {scored.customers / wall:7,.0f} a second of wall time on {threads} threads, "
        f"{scored.customers / cpu:6,.0f} a second of one processor, peak {scored.peak_mb:,} MB "
        f"({scored.idle_mb:,} before it began)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with baskets.parquet and splits.parquet")
    parser.add_argument("--customers", default="5000,100000", help="numbers, by commas")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prepared", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.prepared:
        print(told(score(options.prepared, options.threads), options.threads))
        return
    for customers in (int(number) for number in options.customers.split(",")):
        with tempfile.TemporaryDirectory() as out:
            prepare(options.folder, Path(out), customers)
            child = [__file__, str(options.folder), "--prepared", out, "--threads", str(options.threads)]
            subprocess.run([sys.executable, *child], check=True)


if __name__ == "__main__":
    main()
