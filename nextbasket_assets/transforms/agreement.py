"""How far missions agree with the retailer's own labels: mutual information, normalised.

Homogeneity: how far a mission holds one label only. Completeness: how far a label lies in one mission. Their harmonic mean is
the V-measure; it equals the mutual information over the arithmetic mean of the entropies, which many call NMI, so both names
are there. `nmi_by_chance` is what as many baskets, missions and labels give on average when they have nothing to do with each
other (the first-order bias of mutual information); agreement at that height is none.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from math import fsum, log

from nextbasket_assets.transforms.profile_numbers import ALL, Counts, ProfileRow


def agreement_rows(counts: Counts) -> list[ProfileRow]:
    """One row per week, label and measure.

    Args:
        counts: rows of `profiles.label_counts`.
    """
    cells: dict[tuple[date, str], dict[tuple[str, str], int]] = defaultdict(dict)
    for row in counts:
        cells[row["week"], row["label"]][row["mission"], row["class"]] = row["n"]
    return [
        ProfileRow(week, ALL, "agreement", name, label, sum(found.values()), value)
        for (week, label), found in sorted(cells.items())
        for name, value in agreement(found).items()
    ]


def agreement(cells: Mapping[tuple[str, str], int]) -> dict[str, float]:
    """nmi, homogeneity, completeness, v_measure and nmi_by_chance of (mission, class) -> baskets."""
    missions: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    for (mission, label), n in cells.items():
        missions[mission] += n
        classes[label] += n
    total = sum(cells.values())
    of_missions, of_classes = _entropy(missions, total), _entropy(classes, total)
    terms = (n / total * log(n * total / (missions[a] * classes[b])) for (a, b), n in cells.items())
    mutual, mean = max(0.0, fsum(terms)), (of_missions + of_classes) / 2
    homogeneity = mutual / of_classes if of_classes > 0 else 1.0
    completeness = mutual / of_missions if of_missions > 0 else 1.0
    both = homogeneity + completeness
    by_chance = (len(missions) - 1) * (len(classes) - 1) / (2 * total)
    return {
        "nmi": mutual / mean if mean > 0 else 1.0,
        "homogeneity": homogeneity,
        "completeness": completeness,
        "v_measure": 2 * homogeneity * completeness / both if both > 0 else 0.0,
        "nmi_by_chance": by_chance / mean if mean > 0 else 1.0,
    }


def _entropy(counts: Mapping[str, int], total: int) -> float:
    """In nats."""
    return -fsum(n / total * log(n / total) for n in counts.values()) if len(counts) > 1 else 0.0
