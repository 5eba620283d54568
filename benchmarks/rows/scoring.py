"""Row 6: top-20 lists with probabilities and reasons, from sequence files to published rows, beside TIFUKNN and one by one."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.clock import in_a_process, peak_mb, span
from benchmarks.inputs import packed_folder
from benchmarks.outcome import Figure, Goal, Outcome

PLANTED = "planted"  # what --small reads: a shop made here
DATASET, MANY_DATASET = "lgsr_dev", "tafeng"  # long histories; short ones, of which 200,000 customers fit a disk
SIZE, MANY = 5_000, (20_000, 200_000)
SMALL, SMALL_MANY = 300, (300, 600)
ONE_BY_ONE, SMALL_ONE_BY_ONE = 50, 3
THREADS = 2


def measure(small: bool) -> Outcome:
    """Scoring in a process of its own per number of customers; the peers on the same customers."""
    size, many = (SMALL, SMALL_MANY) if small else (SIZE, MANY)
    folder, many_folder = _folder(DATASET, small), _folder(MANY_DATASET, small)
    scored, widest = _run("ours", folder, size), [_run("ours", many_folder, n) for n in many]
    peer, single = _run("tifuknn", folder, size), _run("naive", folder, size)
    figures = [_figure(f"ours, {DATASET}", scored), *(_figure(f"ours, {MANY_DATASET}", one) for one in widest)]
    figures += [_figure("TIFUKNN, bare lists from arrays", peer), _figure("our model, one customer at a time", single)]
    return Outcome(
        goals(scored, widest, peer),
        figures,
        f"{scored['flops'] / 1e6:.0f} Mflop a customer for the product of query and items; one customer at a "
        f"time the model does {_rate(single):,.0f} a second, in batches {_rate(scored):,.0f}",
        ["TIFUKNN makes lists of item numbers alone: no probabilities, no reasons, no files", by_cpu(scored, peer)],
    )


def goals(ours: dict[str, Any], widest: list[dict[str, Any]], peer: dict[str, Any]) -> list[Goal]:
    """From our scoring and TIFUKNN's on the same folder, and from ours of ever more customers."""
    return [
        Goal(f"customers a second on {THREADS} threads", _rate(ours), 5_000, at_least=True),
        Goal(f"our rate on {THREADS} threads to TIFUKNN's", _rate(ours) / _rate(peer), 1.0, at_least=True),
        Goal("peak MB, most customers to fewest", widest[-1]["peak_mb"] / widest[0]["peak_mb"], 1.1),
    ]


def by_cpu(ours: dict[str, Any], peer: dict[str, Any]) -> str:
    """The comparison with TIFUKNN that does not depend on how many cores each keeps busy."""
    mine, theirs = (one["seconds"][1] / one["customers"] for one in (ours, peer))
    cores, their_cores = (one["seconds"][1] / one["seconds"][0] for one in (ours, peer))
    return (
        f"TIFUKNN keeps {their_cores:.1f} cores busy, ours {cores:.1f}: by CPU seconds a customer takes "
        f"{theirs * 1e6:.0f} microseconds there and {mine * 1e6:.0f} here, so our rate is {theirs / mine:.3g} times its"
    )


def _rate(one: dict[str, Any]) -> float:
    """Customers a second of wall time."""
    return float(one["customers"] / one["seconds"][0])


def _folder(dataset: str, small: bool) -> str:
    return PLANTED if small else str(packed_folder(dataset))


def _figure(name: str, one: dict[str, Any]) -> Figure:
    more = {"customers": one["customers"], "customers/s": _rate(one), "peak MB": one["peak_mb"]}
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
    from benchmarks import scoring

    scored = scoring.score(out, THREADS)
    return {"customers": scored.customers, "seconds": scored.seconds, "peak_mb": scored.peak_mb, "flops": scored.flops}


def naive(folder: str, _: int, out: Path) -> dict[str, Any]:
    """The same code, called for one customer after the other."""
    import torch

    from benchmarks.scoring import LISTED
    from nextbasket_assets.recommender import artifact, histories, lists, sequence_files
    from nextbasket_assets.recommender.scorer import Scorer
    from nextbasket_assets.recommender.vocabulary import FIRST_ITEM

    torch.set_num_threads(THREADS)
    files, model = [str(out / "sequences.parquet")], artifact.load(str(out / "model")).model
    chosen, batch = Scorer.load(str(out / "model"), model.as_of, files), next(sequence_files.batches(files, 1 << 16))
    count = SMALL_ONE_BY_ONE if folder == PLANTED else ONE_BY_ONE
    k = min(LISTED, model.vocabulary.size - FIRST_ITEM)
    sequences = [histories.of_batch(batch.slice(place, 1)) for place in range(count)]
    with span() as taken:
        for one in sequences:
            lists.table(chosen, one, k)
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
