"""Results are joined, compared and written as hand-made numbers say."""

import dataclasses
import json

import numpy as np
import pytest

from benchmarks import results
from benchmarks.results import CUTS, OURS, SHOWN, Protocol, Result
from nextbasket_assets.recommender import metrics

NAN = float("nan")


def result(recall: list[float], ndcg: list[float] | None = None, seconds: float = 1.0, peak_mb: float = 1.0) -> Result:
    """A method with this recall@10 and nDCG@10 of customers 0, 1, ...; nobody's target holds anything new."""
    values = {key: np.full(len(recall), NAN if "explore" in key[0] else 0.5) for key in SHOWN}
    values |= {("recall", 10): np.array(recall), ("ndcg", 10): np.array(ndcg or recall)}
    return Result(values, seconds, peak_mb, np.arange(len(recall)))


METHODS = {
    "bad": result([0.1, 0.1], [0.4, 0.2]),
    "good": result([0.3, 0.5], [0.2, 0.2], seconds=0.5, peak_mb=300.0),
    "good tuned": result([0.2, 0.5], [0.1, 0.1]),
    OURS: result([0.4, 0.6], [0.7, 0.2]),
}
PROTOCOL = Protocol(True, [0, 1], [0], 14, 2, 3)


def test_folds_are_joined_by_rows() -> None:
    """Two customers of one fold and one of the next are three; the seconds are the mean, the peak is the highest."""
    parts = [result([0.1, 0.2], seconds=2.0, peak_mb=300.0), result([0.6], seconds=4.0, peak_mb=200.0)]
    found = results.merged(parts, np.concatenate)

    assert found.values["recall", 10].tolist() == [0.1, 0.2, 0.6]
    assert found.values["phr", 20].tolist() == [0.5, 0.5, 0.5]
    assert found.customers.tolist() == [0, 1, 0]
    assert (found.seconds, found.peak_mb) == (3.0, 300.0)


def test_seeds_are_averaged_by_customer() -> None:
    """Two customers under two seeds are two: each has its mean, and stays itself; over nothing the mean is nothing."""
    found = results.merged([result([0.0, 1.0]), result([0.5, 0.0])], results.mean_of_seeds)

    assert found.values["recall", 10].tolist() == [0.25, 0.5]
    assert np.isnan(found.values["recall_explore", 10]).tolist() == [True, True]
    assert found.customers.tolist() == [0, 1]


def test_the_interval_is_that_of_a_mean_of_normal_differences() -> None:
    """400 differences of mean 3 and deviation 2: 95 % of their means lie within 1.96 * 2 / 20 of 3."""
    drawn = np.random.default_rng(0).normal(size=400)
    difference = 3 + 2 * (drawn - drawn.mean()) / drawn.std()
    low, high = results.interval(difference, np.arange(400))

    assert low == pytest.approx(3 - 1.96 * 0.1, abs=0.015)
    assert high == pytest.approx(3 + 1.96 * 0.1, abs=0.015)


def test_who_is_tested_in_several_folds_is_one_customer() -> None:
    """Every customer three times, with the same difference: the interval is that of each once, not a narrower one."""
    difference = np.random.default_rng(0).normal(size=200)
    once = results.interval(difference, np.arange(200))
    thrice = results.interval(np.tile(difference, 3), np.tile(np.arange(200), 3))

    assert thrice == pytest.approx(once)


def test_we_are_compared_with_the_best_of_the_others_in_each_metric() -> None:
    """Recall: 0.5 beside 0.4 of `good`, +25 %; nDCG: 0.45 beside 0.3 of `bad`, +50 %; the interval is of both customers' own."""
    recall, ndcg = (dataclasses.astuple(one) for one in results.differences(METHODS))

    assert recall == ("recall@10", "good", *(pytest.approx(number) for number in (0.1, 0.1, 0.1, 0.25)))
    assert ndcg == ("ndcg@10", "bad", *(pytest.approx(number) for number in (0.15, 0, 0.3, 0.5)))


def test_the_json_has_every_number_and_null_over_nobody() -> None:
    """What the protocol was, the differences, each method's means and costs, the rate; where nothing is new, null."""
    found = json.loads(json.dumps(results.as_json("shop", METHODS, 12.5, PROTOCOL), allow_nan=False))
    good = found["methods"]["good"]

    assert set(found) == {"dataset", "protocol", "differences", "methods", "scoring"}
    assert found["dataset"] == "shop"
    assert found["protocol"] == dataclasses.asdict(PROTOCOL)
    assert [(one["metric"], one["rival"]) for one in found["differences"]] == [
        ("recall@10", "good"),
        ("ndcg@10", "bad"),
    ]
    assert list(found["methods"]) == list(METHODS)
    assert (good["recall@10"], good["ndcg@10"]) == (pytest.approx(0.4), pytest.approx(0.2))
    assert (good["seconds"], good["peak_mb"]) == (0.5, 300.0)
    assert [good[f"recall_explore@{k}"] for k in CUTS] == [None, None]
    assert found["scoring"] == {"customers_per_second": 12.5}


def test_the_table_has_a_line_for_each_method_and_our_differences() -> None:
    """A method's means, a dash over nobody, seconds and memory; below, what we gain on whom."""
    lines = results.table(METHODS).splitlines()
    good = [cell.strip() for cell in lines[3].strip("|").split("|")]
    shown = dict(zip(SHOWN, good[1:], strict=False))

    assert good[0] == "good"
    assert good[-2:] == ["0.5", "300"]
    assert (shown["recall", 10], shown["ndcg", 10], shown["recall_explore", 10]) == ("0.4000", "0.2000", "-")
    assert "recall@10: +0.1000 [+0.1000, +0.1000] (+25.0%) against good" in lines


def test_rates_are_of_peers_whose_seconds_are_all_scoring() -> None:
    """Two customers in half a second are four a second; what tunes or trains in its seconds is not told."""
    assert results.peers_rates(METHODS) == "bad 2, good 4"


def test_the_protocol_says_what_was_learned_from() -> None:
    """Strict runs learn nothing of test users; others learn their histories, and never a target."""
    assert "learned from: nothing of test users" in str(PROTOCOL)
    assert "2 test users of folds [0, 1] judged, 3 without a history left out" in str(PROTOCOL)
    everyone = str(Protocol(False, [0], [0, 1], 14, 2, 3))
    assert "everyone's history, no target of validation and test users" in everyone


def test_every_shown_metric_is_one_that_lists_are_judged_by() -> None:
    """The table's columns are keys of what the metrics give."""
    nobody = metrics.Truth(np.zeros(0, int), np.zeros(0, int), np.zeros(0, bool), 1)

    assert set(SHOWN) <= set(metrics.per_customer(np.zeros((1, 20), int), nobody, CUTS))
