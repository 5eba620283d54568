"""Row 6: top-20 lists with probabilities and reasons, from sequence files to published rows, beside TIFUKNN and one by one."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.clock import in_a_process, peak_mb, span
from benchmarks.inputs import PACKED
from benchmarks.outcome import Figure, Goal, Outcome

PLANTED = "planted"  # what --small reads: a shop made here
DATASET, MANY_DATASET = "lgsr_dev", "tafeng"  # long histories; short ones, so that half a million customers fit a disk
SIZES, MANY = (5_000,), (20_000, 200_000)
SMALL, SMALL_MANY = (300,), (300, 600)
ONE_BY_ONE, SMALL_ONE_BY_ONE = 50, 3
THREADS = 2


def measure(small: bool) -> Outcome:
    """Scoring in a process of its own per number of customers; the peers on the same customers."""
    sizes, many = (SMALL, SMALL_MANY) if small else (SIZES, MANY)
    folder, many_folder = _folder(DATASET, small), _folder(MANY_DATASET, small)
    scored = {n: _run("ours", folder, n) for n in sizes}
    widest = {n: _run("ours", many_folder, n) for n in many}
    peer, naive = _run("tifuknn", folder, sizes[0]), _run("naive", folder, sizes[0])
    rates = {name: one["customers"] / one["seconds"][0] for name, one in (("peer", peer), ("naive", naive))}
    best = max(one["customers"] / one["seconds"][0] for one in scored.values())
    figures = [_figure(f"ours, {DATASET}", one) for one in scored.values()]
    figures += [_figure(f"ours, {MANY_DATASET}", one) for one in widest.values()]
    figures += [_figure("TIFUKNN, bare lists from arrays", peer), _figure("our model, one customer at a time", naive)]
    return Outcome(
        [
            Goal(f"customers a second on {THREADS} threads", best, 5_000, at_least=True),
            Goal("our rate to TIFUKNN's", best / rates["peer"], 1.0, at_least=True),
            Goal("peak MB, most customers to fewest", widest[many[-1]]["peak_mb"] / widest[many[0]]["peak_mb"], 1.1),
        ],
        figures,
        f"{scored[sizes[0]]['flops'] / 1e6:.0f} Mflop a customer for the product of query and items; one customer at a "
        f"time the model does {rates['naive']:,.0f} a second, in batches {best:,.0f}",
        ["TIFUKNN makes lists of item numbers alone: no probabilities, no reasons, no files"],
    )


def _folder(dataset: str, small: bool) -> str:
    return PLANTED if small else str(PACKED / dataset)


def _figure(name: str, one: dict[str, Any]) -> Figure:
    rate = one["customers"] / one["seconds"][0]
    more = {"customers": one["customers"], "customers/s": rate, "peak MB": one["peak_mb"]}
    return Figure(name, *one["seconds"], more)


def _run(what: str, folder: str, customers: int) -> dict[str, Any]:
    """Prepares in one process and measures in another, so that the peak is the scoring's."""
    with tempfile.TemporaryDirectory() as out:
        if what != "tifuknn":
            in_a_process("rows.scoring", "prepare", folder, str(customers), out)
        found: dict[str, Any] = in_a_process("rows.scoring", what, folder, str(customers), out)
        return found


def prepare(folder: str, customers: int, out: Path) -> dict[str, Any]:
    """A model with random weights, which costs what a trained one does, and a file of sequences."""
    from benchmarks import scoring
    from benchmarks.packed import planted

    if folder == PLANTED:
        planted(out / "packed")
    scoring.prepare(out / "packed" if folder == PLANTED else Path(folder), out, customers)
    return {}


def ours(_: str, __: int, out: Path) -> dict[str, Any]:
    """From the file to published rows, as the asset does it."""
    import torch

    from nextbasket_assets.recommender import artifact, scoring
    from nextbasket_assets.recommender.vocabulary import FIRST_ITEM

    torch.set_num_threads(THREADS)
    model = artifact.load(str(out / "model")).model
    k = min(20, model.vocabulary.size - FIRST_ITEM)
    with span() as taken:
        report = scoring.score(
            [str(out / "sequences.parquet")], model.as_of, str(out / "model"), str(out / "scores"), k
        )
    return _found(report.customers, taken.taken()) | {"flops": _flops(model)}


def _flops(model: Any) -> float:
    config = model.network.config
    return float(2 * config.vocabulary * config.embedding)


def naive(folder: str, _: int, out: Path) -> dict[str, Any]:
    """The same code, called for one customer after the other."""
    import torch

    from nextbasket_assets.recommender import artifact, histories, lists
    from nextbasket_assets.recommender.scorer import Scorer
    from nextbasket_assets.recommender.vocabulary import FIRST_ITEM

    torch.set_num_threads(THREADS)
    files, model = [str(out / "sequences.parquet")], artifact.load(str(out / "model")).model
    chosen, sequences = Scorer.load(str(out / "model"), model.as_of, files), histories.read(files)
    count = SMALL_ONE_BY_ONE if folder == PLANTED else ONE_BY_ONE
    k = min(20, model.vocabulary.size - FIRST_ITEM)
    with span() as taken:
        for place in range(count):
            lists.table(chosen, histories.of_customer(sequences, place), k)
    return _found(count, taken.taken())


def tifuknn(folder: str, _: int, out: Path) -> dict[str, Any]:
    """Lists of TIFUKNN with its published settings for every user of the folder, numpy and scipy."""
    import numpy as np

    from benchmarks import neighbours, packed
    from benchmarks.next_basket import Case

    if folder == PLANTED:
        packed.planted(out / "packed")
    data = packed.load(out / "packed" if folder == PLANTED else Path(folder))
    case = Case.of(data, min(data.folds), strict=False)
    history, rows = case.history(), np.arange(case.encoded.customers)
    with span() as taken:
        neighbours.tifu(history, case.pool(), rows, neighbours.Tifu())
    return _found(len(rows), taken.taken())


def _found(customers: int, seconds: tuple[float, float]) -> dict[str, Any]:
    peak = peak_mb(os.getpid())
    return {"customers": customers, "seconds": seconds, "peak_mb": peak}


RUN = {"prepare": prepare, "ours": ours, "naive": naive, "tifuknn": tifuknn}

if __name__ == "__main__":
    what, folder_, customers_, out_ = sys.argv[1:]
    print(json.dumps(RUN[what](folder_, int(customers_), Path(out_))))
