"""What each row judges, from planted figures: which number is divided by which, its bound, and the side it is held from."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks import inputs
from benchmarks.outcome import Goal
from benchmarks.rows import backfill, engines, growth, loading, scoring, staging, training, week


def numbers(goals: list[Goal]) -> list[tuple[float, str, float]]:
    """Value, side and bound of each goal."""
    return [(pytest.approx(goal.value), ">=" if goal.at_least else "<=", goal.bound) for goal in goals]


def test_row_1_is_the_wall_time_of_spark_over_duckdb_and_of_the_original_over_ours() -> None:
    """30 s of staging beside 10, and 40 s of sequences by the original's way beside 2; CPU and the other step say nothing."""
    goals = staging.goals(
        {"staging": (30.0, 1.0), "sequences": (7.0, 1.0)},
        {"staging": (10.0, 1.0), "sequences": (3.0, 1.0)},
        {"staging": (5.0, 1.0), "sequences": (2.0, 1.0)},
        {"staging": (6.0, 1.0), "sequences": (40.0, 1.0)},
    )

    assert numbers(goals) == [(3.0, "<=", 4.0), (20.0, ">=", 10.0)]


def test_row_2_is_the_week_without_its_work_and_the_week() -> None:
    """A week of 50 s with 38 s of work has 12 s of overhead."""
    assert numbers(week.goals(50.0, 38.0)) == [(12.0, "<=", 15.0), (50.0, "<=", 90.0)]


def test_row_3_is_a_week_of_the_backfill_over_a_run_of_one() -> None:
    """100 weeks in 200 s are 2 s each, beside 40."""
    assert numbers(backfill.goals(200.0, 100, 40.0)) == [(0.05, "<=", 0.1)]


def test_row_4_divides_the_peers_cpu_by_ours_and_our_perplexity_by_theirs() -> None:
    """Spark's EM beside the whole choice, gensim and scikit-learn beside the quick one, our tagging beside Spark's."""
    fits = {
        "ours": {"cpu_seconds": 100.0, "perplexity": 2_000.0},
        "ours-quick": {"cpu_seconds": 40.0, "perplexity": 2_200.0},
        "spark-em": {"cpu_seconds": 200.0, "perplexity": 3_000.0},
        "spark-em-once": {"cpu_seconds": 48.0, "perplexity": 5_000.0},
        "gensim": {"cpu_seconds": 120.0, "perplexity": 2_750.0},
        "scikit-learn": {"cpu_seconds": 160.0, "perplexity": 2_500.0},
    }
    goals = engines.goals(fits, {"ours": (9.0, 18.0), "spark": (8.0, 20.0)})

    assert numbers(goals) == [
        (6.8, ">=", 5.0),  # 200 + 60 more iterations of (200 - 48) / 19
        (3.0, ">=", 1.0),
        (4.0, ">=", 1.0),
        (0.8, "<=", 1.0),
        (0.88, "<=", 1.0),
        (0.9, "<=", 1.0),
    ]


def test_what_a_fit_pays_once_is_not_multiplied() -> None:
    """10 s once and 2 s an iteration: 50 s for 20 of them, 170 for 80."""
    assert engines.original_seconds(50.0, 12.0) == pytest.approx(170.0)


def test_row_5_is_the_way_to_the_plain_grus_best_and_an_epoch() -> None:
    """Its best recall, .3, comes after 60 s; ours is there after its second epoch, 12 s. An epoch takes it 20 s and us 5."""
    found = {"ours": {"seconds": (9.0, 5.0)}, "plain GRU": {"seconds": (9.0, 20.0)}}
    curves: dict[str, training.Curve] = {
        "plain GRU": [((9.0, 30.0), 0.2), ((9.0, 60.0), 0.3), ((9.0, 90.0), 0.25)],
        "ours": [((9.0, 6.0), 0.29), ((9.0, 12.0), 0.3), ((9.0, 18.0), 0.4)],
    }

    assert numbers(training.goals_of("shop", found, curves)) == [(5.0, ">=", 5.0), (4.0, ">=", 5.0)]
    curves["ours"] = [((9.0, 6.0), 0.29)]
    assert training.goals_of("shop", found, curves)[0].value == 0.0, "a recall that is not reached"


def test_row_6_is_our_rate_its_ratio_to_tifuknns_and_the_growth_of_memory() -> None:
    """6,000 customers in a second beside 2,000; 100,000 customers take a twentieth more memory than 1,000."""
    ours = {"customers": 6_000, "seconds": (1.0, 2.0), "peak_mb": 700}
    peer = {"customers": 3_000, "seconds": (1.5, 1.5), "peak_mb": 650}
    widest = [{"customers": 1_000, "peak_mb": 600}, {"customers": 100_000, "peak_mb": 630}]

    assert numbers(scoring.goals(ours, widest, peer)) == [
        (6_000.0, ">=", 5_000),
        (3.0, ">=", 1.0),
        (1.05, "<=", 1.1),
    ]
    assert scoring.by_cpu(ours, peer) == (
        "TIFUKNN keeps 1.0 cores busy, ours 2.0: by CPU seconds a customer takes 500 microseconds there and 333 here, "
        "so our rate is 1.5 times its"
    )


def test_row_7_is_the_steepest_stage_between_the_two_largest_shops() -> None:
    """Four times the lines: one stage takes twice the CPU, another four times; the smallest shop counts for memory alone."""

    def one(lines: int, raw: float, staged: float, python_mb: int) -> dict[str, Any]:
        return {"lines": lines, "stages": {"raw": (1.0, raw), "staged": (1.0, staged)}, "python_mb": python_mb}

    goals = growth.goals([one(100, 9.0, 9.0, 200), one(400, 10.0, 10.0, 210), one(1_600, 20.0, 40.0, 220)])

    assert numbers(goals) == [(1.0, "<=", 1.05), (1.1, "<=", 1.25)]
    assert "(staged)" in goals[0].what


def test_row_8_is_ours_over_dagsters_own() -> None:
    """Our location beside an empty one, our import and our help beside Dagster's import."""
    cpu = {loading.DAGSTER: 1.0, loading.OURS: 1.2, loading.BARE: 0.8, loading.IMPORT: 0.88, loading.HELP: 0.08}

    assert numbers(loading.goals(cpu)) == [(1.2, "<=", 1.25), (1.1, "<=", 1.25), (0.1, "<=", 1.25)]


@pytest.mark.parametrize("row", [training, scoring], ids=["row 5", "row 6"])
def test_without_the_packed_datasets_a_row_says_what_is_missing(
    row: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message with the folder and the way out, before anything is measured; a folder without its files is none."""
    monkeypatch.setattr(inputs, "PACKED", tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("something was started"))
    for dataset in ("tafeng", "lgsr_dev"):
        (tmp_path / dataset).mkdir()

    with pytest.raises(SystemExit, match=rf"{tmp_path}/\w+: the packed dataset \w+ is not there.* --small without it"):
        row.measure(False)
