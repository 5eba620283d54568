"""Row 5: training, beside the recipe that the recommender began with and Sets2Sets, both written plainly.

An epoch beside an epoch; and the way to the best validation recall of the recipe that the recommender began with.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.clock import Span, in_a_process, span
from benchmarks.inputs import packed_folder
from benchmarks.outcome import Figure, Goal, Outcome

DATASETS = ("tafeng", "lgsr_dev")
PEERS = ("plain GRU", "Sets2Sets")
USERS_OF_A_BATCH = {"tafeng": 128, "lgsr_dev": 4, "planted": 64}  # as many as go into memory, padded
MEASURED = 24  # batches of a peer's epoch that are measured; the epoch is as many times as long as it has more
EPOCHS = 2  # of ours: the first one warms up
MOST_EPOCHS = 8  # of the plain GRU on the way to its best recall; ours stops by itself
Curve = list[tuple[tuple[float, float], float]]  # (wall, CPU) seconds until the end of each epoch, recall after it
THREADS = 1  # two wait for each other in loops, which counts as CPU, the more the busier the machine is


def measure(small: bool) -> Outcome:
    """An epoch of every recipe in a process of its own."""
    datasets = ("planted",) if small else DATASETS
    for dataset in () if small else datasets:
        packed_folder(dataset)  # before anything is measured
    figures, goals, notes = [], [], []
    for dataset in datasets:
        found: dict[str, Any] = {name: in_a_process("rows.training", name, dataset) for name in ("ours", *PEERS)}
        ours = found["ours"]
        figures += [
            Figure(
                f"{dataset}, {name}, an epoch", *one["seconds"], {"prefixes": one["prefixes"], **one.get("drawn", {})}
            )
            for name, one in found.items()
        ]
        for name in PEERS:
            ratio = found[name]["seconds"][1] / ours["seconds"][1]
            per_prefix = ratio * ours["drawn"]["of them drawn"] / found[name]["prefixes"]
            notes.append(
                f"{dataset}, CPU of {name} to ours: {ratio:.3g} an epoch, {per_prefix:.3g} a prefix learned from"
            )
        curves = {
            name: in_a_process("rows.training", f"{name}, to its best", dataset) for name in ("ours", "plain GRU")
        }
        figures += [
            Figure(
                f"{dataset}, {name}, to its best epoch", *seconds, {"epochs": epochs, "validation recall@10": recall}
            )
            for name, (epochs, seconds, recall) in ((name, best(curve)) for name, curve in curves.items())
        ]
        goals += goals_of(dataset, found, curves)
        notes.append(
            f"{dataset}: an epoch of ours does {ours['flops'] / 1e9:,.0f} Gflop in products with the item embeddings, "
            f"{ours['flops'] / ours['seconds'][1] / 1e9:.1f} Gflop for each CPU second"
        )
    notes += [
        "an epoch of ours draws some of the prefixes, the heavier ones more often (docs/decisions/0079); a peer has all",
        f"{MEASURED} batches of a peer are measured and multiplied; all read whole histories",
        "recall@10 of the validation users, looked at after every epoch; ours counts whole epochs too, with that look",
        "where a step's time goes: docs/model.md",
        "what a GPU does: the last section, by benchmarks/gpu.py",
    ]
    limit = "the flops of the full softmax over the items, forward and backward; see the notes for the rate that was reached"
    return Outcome(goals, figures, limit, notes)


def goals_of(dataset: str, found: dict[str, Any], curves: dict[str, Curve]) -> list[Goal]:
    """From the epochs of ours and the plain GRU, and their ways to a recall."""
    ours, plain_gru = found["ours"], found["plain GRU"]
    _, bar_seconds, bar = best(curves["plain GRU"])
    reached = [seconds for seconds, recall in curves["ours"] if recall >= bar]
    sooner = bar_seconds[1] / reached[0][1] if reached else 0.0
    an_epoch = plain_gru["seconds"][1] / ours["seconds"][1]
    return [
        Goal(f"{dataset}, CPU to the plain GRU's best recall, it to ours", sooner, 5.0, at_least=True),
        Goal(f"{dataset}, CPU of an epoch, the plain GRU to ours", an_epoch, 5.0, at_least=True),
    ]


def _case(dataset: str, folder: str) -> Any:
    from benchmarks import packed
    from benchmarks.next_basket import Case

    if dataset == "planted":
        path = Path(folder) / "packed"
        packed.planted(path)
    else:
        path = packed_folder(dataset)
    data = packed.load(path)
    return Case.of(data, min(data.folds), strict=False)


def ours(case: Any, _: str) -> dict[str, Any]:
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
    report = fitting.fit(case.encoded, case.split, case.words, case.moving, config, told).epochs[-1]
    flops = 3 * 2 * report.prefixes * case.words.size * config.embedding
    prefixes = int((case.split.trained - 1).clip(min=0).sum())
    return {"seconds": taken[-1], "prefixes": prefixes, "drawn": {"of them drawn": report.prefixes}, "flops": flops}


def _baskets(case: Any, user: int, count: int) -> list[Any]:
    """A user's first baskets as arrays of item ids above 0, empty ones left out."""
    import numpy as np

    encoded, first = case.encoded, case.encoded.basket_offsets[user]
    spans = [encoded.item_offsets[basket : basket + 2] for basket in range(first, first + count)]
    return [np.unique(encoded.items[start:stop]).astype(np.int64) for start, stop in spans if stop > start]


def _users(case: Any) -> list[Any]:
    """Baskets of every user that may be learned from."""
    found = [_baskets(case, user, int(trained)) for user, trained in enumerate(case.split.trained)]
    return [baskets for baskets in found if len(baskets) > 1]


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
            _step(optimizer, network.loss(padded(part, rates)))
    return _epoch(taken, users, [user for part in chosen for user in part], prefixes=True)


def ours_to_its_best(case: Any, _: str) -> Curve:
    """CPU seconds and validation recall after each epoch of the recommender's own loop, until it stops by itself."""
    from nextbasket_assets.recommender import fitting
    from nextbasket_assets.recommender.settings import TrainingConfig

    clock, curve = Span(), []

    def told(epoch: Any) -> None:
        clock.stop()
        curve.append((clock.taken(), epoch.recall))

    config = TrainingConfig(minimum_count=1, trip_steps=0)
    fitting.fit(case.encoded, case.split, case.words, case.moving, config, told)
    return curve


def plain_to_its_best(case: Any, dataset: str) -> Curve:
    """The same of the recipe that the recommender began with, whose looks at the validation users are not counted."""
    import numpy as np
    import torch

    from benchmarks.plain_networks import PlainGru, batches, padded
    from nextbasket_assets.recommender.settings import TrainingConfig

    torch.manual_seed(0)
    random, network = np.random.default_rng(0), PlainGru(case.words.size)
    patience = TrainingConfig().patience  # epochs without a new best, as ours may go
    rates, parts = case.rates.astype(np.float32), list(batches(_users(case), USERS_OF_A_BATCH[dataset]))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    total, curve = Span(), []
    while len(curve) < MOST_EPOCHS and (not curve or len(curve) - best(curve)[0] <= patience):
        with span() as taken:
            for index in random.permutation(len(parts)):
                _step(optimizer, network.loss(padded(parts[index], rates)))
        total.add(taken)
        curve.append((total.taken(), _recall(network, case, USERS_OF_A_BATCH[dataset])))
    return curve


def _recall(network: Any, case: Any, users: int) -> float:
    """recall@10 of the validation users."""
    import numpy as np
    import torch

    from benchmarks.plain_networks import padded
    from nextbasket_assets.recommender import metrics, ranking
    from nextbasket_assets.recommender.vocabulary import FIRST_ITEM

    rows, rates = case.split.validation, case.rates.astype(np.float32)
    histories = [_baskets(case, *pair) for pair in zip(rows.customers, rows.prefixes, strict=True)]
    top_RK = np.full((len(histories), 10), -1)
    network.eval()
    for start in range(0, len(histories), users):
        part = [index for index in range(start, min(start + users, len(histories))) if histories[index]]
        ends = torch.tensor([len(histories[index]) - 1 for index in part])
        with torch.inference_mode():  # `padded` takes a target, which is not looked at
            logits_RV = network(padded([[*histories[index], np.array([FIRST_ITEM])] for index in part], rates))
            logits_RV = logits_RV[torch.arange(len(part)), ends]
            logits_RV[:, :FIRST_ITEM] = -torch.inf
            top_RK[part] = logits_RV.topk(10, 1).indices
    network.train()
    return metrics.means(metrics.per_customer(top_RK, ranking.truth(case.encoded, rows), (10,)))["recall", 10][0]


def best(curve: Curve) -> tuple[int, tuple[float, float], float]:
    """Epochs, wall and CPU seconds and recall of a curve's best epoch."""
    index = max(range(len(curve)), key=lambda index: curve[index][1])
    return index + 1, *curve[index]


def sets2sets(case: Any, _: str) -> dict[str, Any]:
    """Sets2Sets, one user at a time."""
    import torch

    from benchmarks.plain_networks import Sets2Sets

    network, users = Sets2Sets(case.words.size), _users(case)
    chosen = users[:: max(1, len(users) // (4 * MEASURED))]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    with span() as taken:
        for user in chosen:
            _step(optimizer, network.loss(user))
    return _epoch(taken, users, chosen, prefixes=False)


def _step(optimizer: Any, loss: Any) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _epoch(taken: Span, users: list[Any], chosen: list[Any], *, prefixes: bool) -> dict[str, Any]:
    def work(some: list[Any]) -> int:
        return sum(len(user) - 1 for user in some) if prefixes else len(some)

    times = work(users) / work(chosen)
    return {"seconds": [times * seconds for seconds in taken.taken()], "prefixes": work(users)}


RECIPES: dict[str, Callable[[Any, str], Any]] = {
    "ours": ours,
    "plain GRU": plain,
    "Sets2Sets": sets2sets,
    "ours, to its best": ours_to_its_best,
    "plain GRU, to its best": plain_to_its_best,
}


def main() -> None:
    import torch

    torch.set_num_threads(THREADS)
    name, dataset = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        case = _case(dataset, folder)
        print(json.dumps(RECIPES[name](case, dataset)))


if __name__ == "__main__":
    main()
