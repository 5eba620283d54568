"""What methods gave on a dataset: joined over folds and seeds, as a table with intervals and as JSON."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from nextbasket_assets.recommender import metrics

CUTS = (10, 20)
SHOWN = [(m + suffix, k) for k in CUTS for suffix in ("", "_repeat", "_explore") for m in ("recall", "ndcg", "phr")]
OURS = "nextbasket"
DRAWS = 2_000  # of the bootstrap

Values = dict[tuple[str, int], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Result:
    """A method's value per test row, what it cost (the process's peak up to then), and the customer of each row."""

    values: Values
    seconds: float
    peak_mb: float
    customers: np.ndarray


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What the numbers are of: test rows of all folds, and test users who were left out because they have no history."""

    strict: bool
    folds: list[int]
    seeds: list[int]
    epochs: int
    judged: int
    left_out: int

    def __str__(self) -> str:
        learned = (
            "nothing of test users" if self.strict else "everyone's history, no target of validation and test users"
        )
        return (
            f"{self.judged:,} test users of folds {self.folds} judged, {self.left_out:,} without a history left out; "
            f"learned from: {learned}; seeds {self.seeds}"
        )


@dataclasses.dataclass(frozen=True)
class Difference:
    """Ours to the best of the others in one metric: mean, its 95 % interval, and the gain as a share."""

    metric: str
    rival: str
    mean: float
    low: float
    high: float
    gain: float


def peers_rates(methods: dict[str, Result]) -> str:
    """Customers a second of the methods that tune nothing, whose seconds are all scoring: bare lists from arrays."""
    rates = {
        name: int(np.isfinite(result.values["recall", 10]).sum()) / max(result.seconds, 1e-9)
        for name, result in methods.items()
        if name != OURS and "tuned" not in name
    }
    return ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())


def merged(results: list[Result], join: Callable[[list[np.ndarray]], np.ndarray]) -> Result:
    """Several results as one: rows joined, seconds averaged, the highest peak."""
    values = {key: join([r.values[key] for r in results]) for key in results[0].values}
    customers = join([r.customers for r in results])
    return Result(values, float(np.mean([r.seconds for r in results])), max(r.peak_mb for r in results), customers)


def mean_of_seeds(values: list[np.ndarray]) -> np.ndarray:
    """(R,) each customer's mean, so that seeds do not count as customers."""
    return np.mean(values, axis=0)


def interval(difference: np.ndarray, customers: np.ndarray) -> tuple[float, float]:
    """95 % of the mean difference, by bootstrap over customers: one who is tested in several folds is drawn with all rows."""
    of = np.unique(customers, return_inverse=True)[1]
    sums, counts = np.bincount(of, difference), np.bincount(of)
    random = np.random.default_rng(0)
    means = []
    for _ in range(DRAWS):
        drawn = random.integers(len(sums), size=len(sums))
        means.append(sums[drawn].sum() / counts[drawn].sum())
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def table(methods: dict[str, Result]) -> str:
    """One line per method, and our difference to the best peer with its interval."""
    lines = [
        "| method | " + " | ".join(f"{m}@{k}" for m, k in SHOWN) + " | s | MB so far |",
        "|---" * (len(SHOWN) + 3) + "|",
    ]
    for name, result in methods.items():
        means = metrics.means(result.values)
        numbers = " | ".join(f"{means[key][0]:.4f}" if means[key][1] else "-" for key in SHOWN)
        lines.append(f"| {name} | {numbers} | {result.seconds:.1f} | {result.peak_mb:.0f} |")
    lines += [
        f"\n{one.metric}: {one.mean:+.4f} [{one.low:+.4f}, {one.high:+.4f}] ({one.gain:+.1%}) against {one.rival}"
        for one in differences(methods)
    ]
    return "\n".join(lines)


def differences(methods: dict[str, Result]) -> list[Difference]:
    """Ours to the best of the others, in recall@10 and in nDCG@10."""
    found = []
    for key in (("recall", 10), ("ndcg", 10)):
        rivals = {name: float(np.mean(r.values[key])) for name, r in methods.items() if name != OURS}
        rival = max(rivals, key=lambda name: rivals[name])
        difference = methods[OURS].values[key] - methods[rival].values[key]
        low, high = interval(difference, methods[OURS].customers)
        mean = float(difference.mean())
        found.append(Difference(f"{key[0]}@{key[1]}", rival, mean, low, high, mean / max(rivals[rival], 1e-9)))
    return found


def as_json(dataset: str, methods: dict[str, Result], rate: float, protocol: Protocol) -> dict[str, Any]:
    """All there is to compare: metrics over nobody, such as explore where nothing is new, are null."""
    return {
        "dataset": dataset,
        "protocol": dataclasses.asdict(protocol),
        "differences": [dataclasses.asdict(one) for one in differences(methods)],
        "methods": {
            name: {f"{m}@{k}": v if count else None for (m, k), (v, count) in metrics.means(result.values).items()}
            | {"seconds": result.seconds, "peak_mb": result.peak_mb}
            for name, result in methods.items()
        },
        "scoring": {"customers_per_second": rate},
    }
