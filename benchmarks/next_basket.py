#!/usr/bin/env python3
"""The project's recommender beside the strongest counting and neighbourhood methods, on one packed dataset, in one run.

    .venv/bin/python benchmarks/next_basket.py FOLDER [--folds 0,1,2] [--seeds 0,1] [--transductive] [--json OUT]

Everything is tuned on the validation users: the peers by a grid, the recommender by its best epoch. `nextbasket` is the
code that the assets run, with the settings that the assets run it with, but that no item that was bought is unknown.
"""

import argparse
import dataclasses
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import neighbours, packed
from benchmarks.outcome import require_writable
from benchmarks.results import CUTS, OURS, Protocol, Result, Values, as_json, mean_of_seeds, merged, peers_rates, table
from nextbasket_assets.recommender import (
    artifact,
    baselines,
    calibrating,
    fitting,
    histories,
    metrics,
    purchases,
    ranking,
    scoring,
    trends,
    vocabulary,
    withholding,
)
from nextbasket_assets.recommender.batches import Prefixes
from nextbasket_assets.recommender.network import Network
from nextbasket_assets.recommender.settings import EpochReport, TrainingConfig
from nextbasket_assets.recommender.split import Rows, Split
from nextbasket_assets.recommender.vocabulary import FIRST_ITEM

CALIBRATED = 50


@dataclasses.dataclass(frozen=True)
class Case:
    """One fold in the ids of the recommender."""

    data: packed.Packed
    split: Split
    words: vocabulary.Vocabulary
    encoded: histories.Histories
    baskets: int
    rates: np.ndarray
    moving: trends.Trends

    @classmethod
    def of(cls, data: packed.Packed, fold: int, strict: bool) -> "Case":
        """The fold; what is popular, and when, is told by the baskets that may be learned from."""
        split = data.split(fold, strict)
        learned = data.learned_baskets(split)
        words = known_items(data, learned)
        encoded = histories.encode(data.sequences, words, 0)
        rates = words.rates(int(learned.sum()))
        moving = trends.of_histories(encoded, rates, learned)
        return cls(data, split, words, encoded, int(learned.sum()), rates, moving)

    def judge(self, top_RK: np.ndarray, rows: Rows) -> Values:
        """Metrics of lists in the fold's ids."""
        return metrics.per_customer(top_RK, ranking.truth(self.encoded, rows), CUTS)

    def worth(self, items_RK: np.ndarray) -> float:
        """What tuning maximises: recall@10 + nDCG@10 of the validation users."""
        values = self.judge(items_RK, self.split.validation)
        return float(values["recall", 10].mean() + values["ndcg", 10].mean())

    def history(self) -> neighbours.History:
        """All purchases before the targets, and the targets that may be learned from; unknown items left out."""
        encoded, lengths = self.encoded, self.data.lengths
        told = np.maximum(self.split.trained, lengths - 1)
        basket = np.repeat(np.arange(len(encoded.days)), np.diff(encoded.item_offsets))
        user = np.repeat(np.arange(len(lengths)), lengths)[basket]
        position = basket - encoded.basket_offsets[user]
        keep = (position < told[user]) & histories.known(encoded)
        return neighbours.History(user[keep], position[keep], encoded.items[keep], told, self.words.size)

    def pool(self) -> np.ndarray:
        """Users whose vectors may be neighbours: those that are learned from."""
        return np.flatnonzero(self.split.trained > 0)


def known_items(data: packed.Packed, learned: np.ndarray) -> vocabulary.Vocabulary:
    """Every item that anybody bought before their target or that is learned from; what is learned from is counted.

    So test users' own items may be on every method's lists, though nothing was learned of them: they count zero.
    """
    items, sizes = data.sequences.items, np.diff(data.sequences.item_offsets)
    counted = vocabulary.build(items.filter(np.repeat(learned, sizes)), 1)
    bought = vocabulary.build(items.filter(np.repeat(learned | data.histories(), sizes)), 1)
    counts = np.zeros(len(bought.codes), np.int64)
    counts[bought.encode(counted.codes) - FIRST_ITEM] = counted.counts
    return vocabulary.Vocabulary(bought.codes, counts)


def say(*words: object) -> None:
    print(*words, file=sys.stderr, flush=True)


def measured(make: Callable[[], np.ndarray], case: Case) -> Result:
    began = time.perf_counter()
    top = make()
    seconds = time.perf_counter() - began
    return Result(case.judge(top, case.split.test), seconds, peak_mb(), case.split.test.customers)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peers(case: Case) -> dict[str, Result]:
    """The counting baselines, and the neighbourhood methods with published settings and tuned ones."""
    history, test, validation = case.history(), case.split.test, case.split.validation
    counts = baselines.count(case.encoded, test.customers, test.prefixes)
    pool = case.pool()

    def best_tifu() -> np.ndarray:
        settings = neighbours.tune_tifu(history, pool, validation.customers, case.worth)
        say("  TIFUKNN tuned:", settings)
        return neighbours.tifu(history, pool, test.customers, settings)

    def best_upcf() -> np.ndarray:
        settings = neighbours.tune_upcf(history, validation.customers, case.worth)
        say("  UP-CF@r tuned:", settings)
        return neighbours.upcf(history, test.customers, settings)

    makers: dict[str, Callable[[], np.ndarray]] = {
        "global top-frequency": lambda: baselines.global_top(case.rates, len(test.customers), max(CUTS)),
        "personal top-frequency": lambda: baselines.personal_top(counts, max(CUTS)),
        "combined top-frequency": lambda: baselines.combined_top(counts, case.rates, max(CUTS)),
        "TIFUKNN published": lambda: neighbours.tifu(history, pool, test.customers, neighbours.Tifu()),
        "TIFUKNN tuned": best_tifu,
        "UP-CF@r published": lambda: neighbours.upcf(history, test.customers, neighbours.Upcf()),
        "UP-CF@r tuned": best_upcf,
    }
    results = {}
    for name, make in makers.items():
        say(f"  {name}")
        results[name] = measured(make, case)
    return results


def ours(case: Case, seed: int, config: TrainingConfig) -> tuple[Result, artifact.Model]:
    """The recommender, trained and applied."""
    began = time.perf_counter()

    def tell(epoch: EpochReport) -> None:
        say(f"  epoch {epoch.epoch}: {epoch.recall:.4f} recall@10 {epoch.ndcg:.4f} nDCG@10 {epoch.seconds:.0f} s")

    config = dataclasses.replace(config, seed=seed, minimum_count=1, trip_steps=0)  # lists alone are compared
    fitted = fitting.fit(case.encoded, case.split, case.words, case.moving, config, tell)
    prefixes = Prefixes.of(case.encoded, purchases.collect(case.encoded), case.moving)
    curve = fitted.calibration
    if (case.words.counts == 0).any():
        lend(fitted.network, case.words.counts)
        withheld = withholding.draw(case.encoded, case.split.trained, seed)
        curve = calibrating.in_basket(fitted.network, prefixes, case.split, withheld, config.half_life)
    ranked = ranking.rank(fitted.network, prefixes, case.split.test, CALIBRATED, case.split.week)
    values = case.judge(ranked.items, case.split.test)
    sizes = ranking.log_basket_sizes(case.encoded, case.split.test)[:, None]
    shown = ranked.items >= FIRST_ITEM
    probability = curve.probability(ranked.log_shares, sizes)
    happened = metrics.hits(ranked.items, ranking.truth(case.encoded, case.split.test))
    error = metrics.calibration_error(probability[shown], happened[shown])
    values["calibration_error", CALIBRATED] = np.full(len(sizes), error)
    found = metrics.reliability(probability[shown], happened[shown])
    deciles = zip(found.predicted, found.observed, strict=True)
    say("  said and happened by tenth of the pairs:", ", ".join(f"{said:.4f} {came:.4f}" for said, came in deciles))
    result = Result(values, time.perf_counter() - began, peak_mb(), case.split.test.customers)
    as_of = histories.EPOCH + timedelta(days=packed.END - 7)
    return result, artifact.Model(fitted.network, case.words, curve, fitted.within_week, as_of, case.baskets, {})


def lend(network: Network, counts: np.ndarray) -> None:
    """Items that nothing was learned of are what the rarest tenth of the others are in the mean, in place.

    Training has seen them as what nobody ever wants; whose own item one is may want it as much as any other. They take a share
    of all others, so that probabilities need a new curve.
    """
    learned = counts[counts > 0]
    rare = FIRST_ITEM + np.flatnonzero((counts > 0) & (counts <= np.quantile(learned, 0.1)))
    unlearned = FIRST_ITEM + np.flatnonzero(counts == 0)
    with torch.no_grad():
        for table in network.item_tables():
            table.weight[unlearned] = table.weight[rare].mean(0)
        network.bias[unlearned] = network.bias[rare].mean()


def scoring_rate(case: Case, model: artifact.Model) -> float:
    """Customers a second, from sequence files to published rows with top 20, probabilities and reasons."""
    with tempfile.TemporaryDirectory() as folder:
        artifact.save(model, f"{folder}/model", "", {})
        file = f"{folder}/sequences.parquet"
        packed.write(case.data, Path(file), max(1, 6000 // case.encoded.customers))
        k = min(max(CUTS), int((case.words.counts > 0).sum()))
        began = time.perf_counter()
        report = scoring.score([file], model.as_of, f"{folder}/model", f"{folder}/scores", k)
        return report.customers / (time.perf_counter() - began)


def numbers(text: str) -> list[int]:
    """The argument's type: whole numbers by commas."""
    return [int(number) for number in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with baskets.parquet and splits.parquet")
    parser.add_argument("--folds", type=numbers, help="numbers, by commas; all of the folder's without it")
    parser.add_argument("--seeds", type=numbers, default=[0], help="numbers, by commas")
    parser.add_argument("--epochs", type=int, default=TrainingConfig().epochs)
    parser.add_argument("--transductive", action="store_true", help="learn from test users' histories too")
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    options = parser.parse_args()
    try:
        data = packed.load(options.folder)
    except packed.FolderError as error:
        parser.error(str(error))
    if options.json:
        require_writable(parser, options.json)
    wanted = options.folds or sorted(data.folds)
    if not set(wanted) <= set(data.folds):
        parser.error(f"the folder has the folds {sorted(data.folds)}, not {sorted(set(wanted) - set(data.folds))}")
    config = TrainingConfig(epochs=options.epochs)
    folds, rate, judged, left_out = [], 0.0, 0, 0
    for fold in wanted:
        case = Case.of(data, fold, strict=not options.transductive)
        judged += len(case.split.test.customers)
        left_out += int((data.folds[fold] == "test").sum()) - len(case.split.test.customers)
        others, runs = peers(case), []
        for seed in options.seeds:
            say(f"fold {fold} seed {seed}")
            result, model = ours(case, seed, config)
            runs.append(result)
            rate = rate or scoring_rate(case, model)
        folds.append(others | {OURS: merged(runs, mean_of_seeds)})
    methods = {name: merged([fold[name] for fold in folds], np.concatenate) for name in folds[0]}
    print(table(methods))
    off = metrics.means(methods[OURS].values)["calibration_error", CALIBRATED][0]
    print(f"\ncalibration error over the top {CALIBRATED}: {off:.4f}; scoring: {rate:,.0f} customers a second")
    print(f"peers, bare lists from arrays in memory: {peers_rates(folds[0])}")
    strict = not options.transductive and all(data.has_train_users(fold) for fold in wanted)
    protocol = Protocol(strict, wanted, options.seeds, options.epochs, judged, left_out)
    print(protocol)
    if options.json:
        options.json.write_text(json.dumps(as_json(data.name, methods, rate, protocol), indent=1) + "\n")


if __name__ == "__main__":
    main()
