"""The classifier that was told the planted mixture: worked by hand, and as good as a shop's missions allow."""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from nextbasket_assets.shop.faults import Faults
from nextbasket_assets.shop.missions import MISSIONS, MissionMix
from nextbasket_assets.shop.shop import write_shop
from nextbasket_assets.shop.told import likeliest_missions, posterior
from nextbasket_assets.shop.truth import normalised_mutual_information, planted_missions
from nextbasket_tests.shop.conftest import shop_rows


def test_the_posterior_is_worked_by_hand() -> None:
    """Half the lines from the core, products 0 and 1 of one mission each, 2 of the base, 3 (a bag) of neither."""
    drawn = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0.2, 0.2, 0.6, 0]])
    mix = MissionMix(0.5, np.array([0.5, 0.5]), drawn, drawn > 0)
    taste = np.array([[0.5, 0.5], [0.5, 0.5], [0.9, 0.1], [0.5, 0.5]])
    basket, product = np.array([0, 0, 1, 2, 3, 3]), np.array([0, 3, 2, 1, 0, 1])

    found = posterior(mix, drawn, taste, basket, product)

    one = (0.5 + 0.5 * 0.2) / (0.5 + 0.5 * 0.2 + 0.5 * 0.2)  # 6 of 7 by one line of the core
    other = 0.9 * 0.1 / (0.9 * 0.1 + 0.1 * 0.6)
    np.testing.assert_allclose(found[:, 0], [one, 0.5, other, 0.5])
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def most_lines(folder: Path) -> dict[str, str]:
    """The naive guess: the mission in whose core most of a basket's lines are."""
    names = defaultdict(list)
    departments = {row.split(",")[0]: row for row in (folder / "products.csv").read_text().splitlines()}
    cores = {
        code: [m.name for m in MISSIONS if any(f",{d}," in row for d in m.core)] for code, row in departments.items()
    }
    for row in shop_rows(folder):
        names[row["BASKET_ID"]] += cores[row["PROD_CODE"]]
    return {basket: Counter(found or [MISSIONS[0].name]).most_common(1)[0][0] for basket, found in names.items()}


def agreement(found: dict[str, str], planted: dict[str, str]) -> float:
    return normalised_mutual_information([found[b] for b in found], [planted[b] for b in found])


@pytest.mark.parametrize(("strength", "least"), [(0.5, 0.45), (0.9, 0.85)])
def test_who_was_told_does_better_than_a_naive_guess(tmp_path: Path, strength: float, least: float) -> None:
    """Counting lines finds less than the mixture does, which is near the truth when missions are strong."""
    write_shop(tmp_path, customers=200, weeks=5, seed=1, strength=strength)
    planted, told = planted_missions(tmp_path), likeliest_missions(tmp_path)

    assert told.keys() == planted.keys()
    assert agreement(told, planted) > max(least, agreement(most_lines(tmp_path), planted) + 0.01)


def test_who_was_told_reads_every_dialect(tmp_path: Path) -> None:
    """The documented header, plain files and a week that never arrived: a mission for every basket that is there."""
    write_shop(tmp_path, customers=40, weeks=3, seed=1, header="A", compress=False, faults=Faults(missing_weeks=(2,)))

    assert likeliest_missions(tmp_path).keys() == {row["BASKET_ID"] for row in shop_rows(tmp_path)}
