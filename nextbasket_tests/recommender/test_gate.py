"""The gate promotes what is ahead by more than chance, and nothing else."""

import numpy as np

from nextbasket_assets.recommender import gate

BASE = np.full(100, 0.5)
RECALL, NDCG = ("recall", 10), ("ndcg", 10)


def decision(recall, ndcg=None, base=BASE) -> gate.Decision:
    """Of a model with this recall, and this nDCG if it is another, against a champion."""
    values = {RECALL: recall, NDCG: recall if ndcg is None else ndcg}
    return gate.decide({"model": values, "champion": {RECALL: base, NDCG: base}}, "model")


def ahead(customers: int) -> np.ndarray:
    """Twice as good for so many customers, and as good for the others."""
    return np.where(np.arange(100) < customers, 1.0, 0.5)


def test_the_gate_wants_more_than_luck():
    """Ahead for all of 100 customers, or for four, is promoted; for one or two it is not: 0.98 ** 100 is 13 %."""
    assert decision(BASE + 0.01).promote
    assert [decision(ahead(customers)).promote for customers in (1, 2, 4)] == [False, False, True]
    assert decision(ahead(1)) == decision(ahead(1))


def test_recall_and_ndcg_must_both_be_ahead():
    """Ahead in one of them and as good in the other is refused, and the sentence names the one that was not ahead."""
    no_better, not_sooner = decision(BASE, ndcg=ahead(50)), decision(ahead(50), ndcg=BASE)

    assert not no_better.promote
    assert no_better.why.endswith("recall@10 0.5000 against 0.5000 of champion (p 1.000)")
    assert not not_sooner.promote
    assert not_sooner.why.endswith("ndcg@10 0.5000 against 0.5000 of champion (p 1.000)")


def test_customers_without_a_value_have_no_say():
    """One customer with a target, for whom the model is ahead, and 99 without one: it was ahead for everybody there is."""
    nobody = np.full(99, np.nan)

    assert decision(np.append(1.0, nobody), base=np.append(0.5, nobody)).promote


def test_without_customers_to_judge_by_nothing_is_promoted():
    """No held-out basket at all is a refusal, not a division by zero; nor are five customers with nothing in theirs."""
    nobody, undefined = np.zeros(0), np.full(5, np.nan)

    assert not decision(nobody, base=nobody).promote
    assert not decision(undefined, base=undefined).promote
