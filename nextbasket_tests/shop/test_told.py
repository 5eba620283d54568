"""The classifier that was told the planted mixture: worked by hand, and as good as a shop's missions allow."""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from nextbasket_assets.shop.faults import Faults
from nextbasket_assets.shop.missions import MISSIONS, MissionMix
from nextbasket_assets.shop.shop import write_shop
from nextbasket_assets.shop.standing import found
from nextbasket_assets.shop.told import drawn, likeliest_missions, posterior
from nextbasket_assets.shop.truth import normalised_mutual_information, planted_missions
from nextbasket_assets.shop.weeks import retail_week
from nextbasket_tests.shop.conftest import shop_rows


def test_the_posterior_is_worked_by_hand() -> None:
    """Half the lines from the core, products 0 and 1 of one mission each, 2 of the base, 3 (a bag) of neither."""
    of_row = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0.2, 0.2, 0.6, 0]])
    mix = MissionMix(0.5, np.array([0.5, 0.5]), of_row, of_row > 0)
    taste = np.array([[0.5, 0.5], [0.5, 0.5], [0.9, 0.1], [0.5, 0.5]])
    basket, product = np.array([0, 0, 1, 2, 3, 3]), np.array([0, 3, 2, 1, 0, 1])

    probable = posterior(mix, of_row, taste, basket, product)

    one = (0.5 + 0.5 * 0.2) / (0.5 + 0.5 * 0.2 + 0.5 * 0.2)  # 6 of 7 by one line of the core
    other = 0.9 * 0.1 / (0.9 * 0.1 + 0.1 * 0.6)
    np.testing.assert_allclose(probable[:, 0], [one, 0.5, other, 0.5])
    np.testing.assert_allclose(probable.sum(axis=1), 1.0)


def test_one_line_of_many_says_less() -> None:
    """In a basket of 14 lines a line is from the core with half the strength to the power .55, not with all of it."""
    of_row = np.array([[1.0, 0, 0], [0, 1.0, 0], [0.5, 0.5, 0]])
    mix = MissionMix(0.5, np.array([0.5, 0.5]), of_row, of_row > 0)

    probable = posterior(mix, of_row, np.full((1, 2), 0.5), np.zeros(14, dtype=np.int64), np.array([0] + 13 * [2]))

    core = 0.5 * 0.5**0.55
    np.testing.assert_allclose(probable[0, 0], core + (1 - core) * 0.5)


def test_what_is_not_on_the_shelf_is_not_drawn() -> None:
    """The weights are those of the week: nothing of what is sold in other weeks, and more of what is in season."""
    standing, week = found(20, 1000, seed=1, strength=0.5), retail_week(36)
    weights = drawn(standing.mix, standing.catalogue, week)
    seasonal = np.array([",G00029," in levels for levels in standing.catalogue.levels])

    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert not weights[:, ~standing.catalogue.on_shelf(36)].any()
    assert (
        weights[-1, seasonal].sum() > 2 * drawn(standing.mix, standing.catalogue, retail_week(10))[-1, seasonal].sum()
    )


def most_lines(folder: Path) -> dict[str, str]:
    """The naive guess: the mission in whose core most of a basket's lines are."""
    names = defaultdict(list)
    departments = {row.split(",")[0]: row for row in (folder / "products.csv").read_text().splitlines()}
    cores = {
        code: [m.name for m in MISSIONS if any(f",{d}," in row for d in m.core)] for code, row in departments.items()
    }
    for row in shop_rows(folder):
        names[row["BASKET_ID"]] += cores[row["PROD_CODE"]]
    return {basket: Counter(cores or [MISSIONS[0].name]).most_common(1)[0][0] for basket, cores in names.items()}


def agreement(tags: dict[str, str], planted: dict[str, str]) -> float:
    return normalised_mutual_information([tags[b] for b in tags], [planted[b] for b in tags])


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
