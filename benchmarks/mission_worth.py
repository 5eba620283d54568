#!/usr/bin/env python3
"""What missions are worth to the recommender: trained with them and without, on one shop.

    .venv/bin/python benchmarks/mission_worth.py FOLDER [--missions 10] [--seeds 0] [--epochs 2] [--shuffled]

FOLDER is a packed dataset with dates, whose missions are found by an LDA on the baskets that may be learned from; or the
word `planted`, for a shop in which each trip is of one of four missions, which follow each other, and items of the mission.
With --shuffled the missions are dealt anew among all baskets. The same customers judge every row:

- without missions, with missions as input: the lists of the network;
- given the mission: P(item | customer, mission of the basket), which nobody knows beforehand;
- the head's next mission, beside the customer's most frequent mission and everybody's: how often it is the basket's.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import packed
from benchmarks.next_basket import Case, say
from nextbasket_assets.recommender import fitting, purchases, ranking
from nextbasket_assets.recommender.batches import Prefixes
from nextbasket_assets.recommender.histories import Histories, Sequences
from nextbasket_assets.recommender.settings import EpochReport, TrainingConfig
from nextbasket_assets.recommender.split import Rows
from nextbasket_assets.recommender.trip_fitting import inputs
from nextbasket_assets.recommender.trips import Trips, elapsed

K = 10


def lda_weights(case: Case, missions: int) -> np.ndarray:
    """(N, M) mission weights of every basket, by a model of the baskets that may be learned from."""
    import tomotopy

    encoded, learned = case.encoded, case.data.learned_baskets(case.split)
    words = [np.char.mod("%d", part) for part in np.split(encoded.items, encoded.item_offsets[1:-1])]
    model = tomotopy.LDAModel(k=missions, seed=1, min_df=20)
    for basket in np.flatnonzero(learned):
        if len(words[basket]) > 1:
            model.add_doc(list(words[basket]))
    model.train(100, workers=1)
    documents = [model.make_doc(list(part)) if len(part) else None for part in words]
    asked = [document for document in documents if document is not None]
    found = iter(model.infer(asked, workers=1)[0])
    return np.array([np.zeros(missions) if d is None else next(found) for d in documents], np.float32)


def planted(
    customers: int = 1500, baskets: int = 30, missions: int = 4, seed: int = 0
) -> tuple[packed.Packed, np.ndarray]:
    """A shop of missions: after mission m comes m + 1 in 4 of 5 trips; a basket holds 4 of the mission's 60 items, half of
    them among the customer's own ten of that mission.
    """
    random = np.random.default_rng(seed)
    items_of = np.arange(missions * 60).reshape(missions, 60)
    baskets_of: list[list[int]] = []
    weights = []
    for _ in range(customers):
        own = np.stack([random.choice(items, 10, replace=False) for items in items_of])
        mission = int(random.integers(missions))
        for _ in range(baskets):
            picked = {*random.choice(own[mission], 2).tolist(), *random.choice(items_of[mission], 2).tolist()}
            baskets_of.append(sorted(picked))
            weights.append(np.eye(missions, dtype=np.float32)[mission])
            mission = (mission + 1) % missions if random.random() < 0.8 else int(random.integers(missions))
    sizes = np.array([len(basket) for basket in baskets_of])
    sequences = Sequences(
        pa.array([f"{c:09d}" for c in range(customers)]),
        np.arange(customers + 1) * baskets,
        packed.END - 7 * (baskets - 1) + 7 * np.tile(np.arange(baskets), customers),
        np.concatenate([[0], np.cumsum(sizes)]),
        pa.array([f"{item:06d}" for basket in baskets_of for item in basket]),
        np.zeros((len(sizes), 0), np.float32),
    )
    hands = np.array(["test", "val"])[(np.arange(customers) % 5 == 0).astype(int)]
    return packed.Packed("planted", sequences, {0: hands}, packed.END), np.array(weights)


def judged(case: Case, encoded: Histories, config: TrainingConfig, name: str) -> None:
    """Trains on these histories, which may hold missions, and prints what it gives."""

    def tell(epoch: EpochReport) -> None:
        say(f"  {name} epoch {epoch.epoch}: {epoch.recall:.4f} {epoch.ndcg:.4f} {epoch.seconds:.0f} s")

    fitted = fitting.fit(encoded, case.split, case.words, case.moving, config, tell)
    prefixes = Prefixes.of(encoded, purchases.collect(encoded), case.moving)
    rows = case.split.test
    ranked = ranking.rank(fitted.network, prefixes, rows, K, case.split.week)
    show(case, name, ranked.items)
    if not encoded.missions.shape[1]:
        return
    target = encoded.missions[encoded.basket_offsets[rows.customers] + rows.prefixes]
    main, assigned = target.argmax(1), target.sum(1) > 0
    given = np.zeros_like(ranked.items)
    for mission in range(target.shape[1]):
        of = np.flatnonzero(main == mission)
        if len(of):
            part = Rows(rows.customers[of], rows.prefixes[of])
            weights = np.eye(target.shape[1], dtype=np.float32)[mission]
            given[of] = ranking.rank(fitted.network, prefixes, part, K, case.split.week, mission=weights).items
    show(case, f"given the mission (scale {fitted.network.mission_scale.item():.2f})", given)
    trips = Trips.of(encoded)
    away = elapsed(encoded, rows.customers, rows.prefixes, case.split.start)
    told = fitted.network.trips.forecast(inputs(ranked.states, trips, rows), away).missions
    first = encoded.basket_offsets[rows.customers]
    own = trips.missions[first + rows.prefixes] - trips.missions[first]
    usual = np.broadcast_to(own.sum(0), own.shape)
    for who, shares in (("head", told), ("customer's most frequent", own), ("everybody's most frequent", usual)):
        right = (shares.argmax(1) == main)[assigned].mean()
        chance = np.maximum(shares / shares.sum(1, keepdims=True).clip(1e-9), 1e-4)
        loss = -(target * np.log(chance)).sum(1)[assigned].mean()
        print(f"next mission, {who}: right {right:.3f}, log loss {loss:.3f}", flush=True)


def show(case: Case, name: str, items: np.ndarray) -> None:
    values = case.judge(items, case.split.test)
    print(f"{name}: recall@10 {values['recall', K].mean():.4f} nDCG@10 {values['ndcg', K].mean():.4f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="folder with baskets.parquet and splits.parquet, or `planted`")
    parser.add_argument("--missions", type=int, default=10)
    parser.add_argument("--seeds", default="0", help="numbers, by commas")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--shuffled", action="store_true", help="deal the missions anew among all baskets")
    options = parser.parse_args()
    data, weights = planted() if options.folder == "planted" else (packed.load(Path(options.folder)), None)
    case = Case.of(data, min(data.folds), strict=True)
    weights = lda_weights(case, options.missions) if weights is None else weights
    weights = np.random.default_rng(0).permutation(weights) if options.shuffled else weights
    torch.set_num_threads(1)
    for seed in (int(s) for s in options.seeds.split(",")):
        config = dataclasses.replace(TrainingConfig(), seed=seed, minimum_count=1, epochs=options.epochs)
        judged(case, case.encoded, config, "without missions")
        judged(case, dataclasses.replace(case.encoded, missions=weights), config, "with missions")


if __name__ == "__main__":
    main()
