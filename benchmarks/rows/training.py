"""Row 5: an epoch of training, beside the recipe that the recommender began with and Sets2Sets, both written plainly."""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.clock import Span, in_a_process, span
from benchmarks.inputs import PACKED
from benchmarks.outcome import Figure, Goal, Outcome

DATASETS = ("tafeng", "lgsr_dev")
PEERS = ("plain GRU", "Sets2Sets")
USERS_OF_A_BATCH = {"tafeng": 128, "lgsr_dev": 4, "planted": 64}  # as many as go into memory, padded
MEASURED = 24  # batches of a peer's epoch that are measured; the epoch is as many times as long as it has more
EPOCHS = 2  # of ours: the first one warms up
THREADS = 1  # two wait for each other in loops, which counts as CPU, the more the busier the machine is


def measure(small: bool) -> Outcome:
    """An epoch of every recipe in a process of its own."""
    figures, goals, notes = [], [], []
    for dataset in ("planted",) if small else DATASETS:
        found: dict[str, Any] = {name: in_a_process("rows.training", name, dataset) for name in ("ours", *PEERS)}
        ours = found["ours"]
        figures += [
            Figure(f"{dataset}, {name}, an epoch", *one["seconds"], {"prefixes": one["prefixes"]})
            for name, one in found.items()
        ]
        for name in PEERS:
            ratio = found[name]["seconds"][1] / ours["seconds"][1]
            per_prefix = ratio * ours["prefixes"] / found[name]["prefixes"]
            notes.append(
                f"{dataset}, CPU of {name} to ours: {ratio:.3g} an epoch, {per_prefix:.3g} a prefix learned from"
            )
        share = found["plain GRU"]["seconds"][1] / found["plain GRU"]["prefixes"]
        value = share / (ours["seconds"][1] / ours["prefixes"])
        goals.append(Goal(f"{dataset}, CPU of a prefix, the plain GRU to ours", value, 5.0, at_least=True))
        notes.append(
            f"{dataset}: an epoch of ours does {ours['flops'] / 1e9:,.0f} Gflop in products with the item embeddings, "
            f"{ours['flops'] / ours['seconds'][1] / 1e9:.1f} Gflop for each CPU second"
        )
    notes += [
        f"{MEASURED} batches of a peer are measured and multiplied; all read whole histories",
        "per epoch, not to a recall: the recall of both recipes and where a step's time goes are in docs/model.md",
        "no GPU was there; on one, the same command trains on it, and its share of the limit is the flops over its peak",
    ]
    limit = "the flops of the full softmax over the items, forward and backward; see the notes for the rate that was reached"
    return Outcome(goals, figures, limit, notes)


def _case(dataset: str, folder: str) -> Any:
    from benchmarks import packed
    from benchmarks.next_basket import Case

    path = PACKED / dataset
    if dataset == "planted":
        path = Path(folder) / "packed"
        packed.planted(path)
    data = packed.load(path)
    return Case.of(data, min(data.folds), strict=False)


def ours(case: Any) -> dict[str, Any]:
    """The recommender's own loop."""
    from nextbasket_assets.recommender import fitting
    from nextbasket_assets.recommender.settings import TrainingConfig

    config = TrainingConfig(epochs=EPOCHS, minimum_count=1, trip_steps=0)
    clock, taken = [Span()], []

    def told(_: Any) -> None:
        clock[0].stop()
        taken.append(clock[0].taken())
        clock[0] = Span()

    config = replace(config, patience=EPOCHS)
    report = fitting.fit(case.encoded, case.split, case.words, case.baskets, config, told).epochs[-1]
    flops = 3 * 2 * report.prefixes * case.words.size * config.embedding
    return {"seconds": taken[-1], "prefixes": report.prefixes, "flops": flops}


def _users(case: Any) -> list[Any]:
    """Baskets of every user that may be learned from, newest ones, as arrays of item ids above 0."""
    import numpy as np

    encoded, found = case.encoded, []
    for user, trained in enumerate(case.split.trained):
        first = encoded.basket_offsets[user]
        spans = [encoded.item_offsets[basket : basket + 2] for basket in range(first, first + int(trained))]
        kept = [np.unique(encoded.items[start:stop]).astype(np.int64) for start, stop in spans if stop > start]
        if len(kept) > 1:
            found.append(kept)
    return found


def plain(case: Any, dataset: str) -> dict[str, Any]:
    """The recipe that the recommender began with."""
    import numpy as np
    import torch

    from benchmarks.plain_networks import PlainGru, batches, padded

    network = PlainGru(case.words.size)
    users, rates = _users(case), case.rates.astype(np.float32)
    parts = list(batches(users, USERS_OF_A_BATCH[dataset]))
    chosen = parts[:: max(1, len(parts) // MEASURED)]
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    with span() as taken:
        for part in chosen:
            loss = network.loss(padded(part, rates))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return _epoch(taken, users, [user for part in chosen for user in part], prefixes=True)


def sets2sets(case: Any, _: str) -> dict[str, Any]:
    """Sets2Sets, one user at a time."""
    import torch

    from benchmarks.plain_networks import Sets2Sets

    network, users = Sets2Sets(case.words.size), _users(case)
    chosen = users[:: max(1, len(users) // (4 * MEASURED))]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    with span() as taken:
        for user in chosen:
            loss = network.loss(user)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return _epoch(taken, users, chosen, prefixes=False)


def _epoch(taken: Span, users: list[Any], chosen: list[Any], *, prefixes: bool) -> dict[str, Any]:
    def work(some: list[Any]) -> int:
        return sum(len(user) - 1 for user in some) if prefixes else len(some)

    times = work(users) / work(chosen)
    return {"seconds": [times * seconds for seconds in taken.taken()], "prefixes": work(users)}


def main() -> None:
    import torch

    torch.set_num_threads(THREADS)
    name, dataset = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        case = _case(dataset, folder)
        peers = {"plain GRU": plain, "Sets2Sets": sets2sets}
        print(json.dumps(ours(case) if name == "ours" else peers[name](case, dataset)))


if __name__ == "__main__":
    main()
