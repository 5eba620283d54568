import dataclasses
import datetime
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from nextbasket_assets.recommender import artifact, evaluation, histories, scoring
from nextbasket_assets.recommender.split import in_validation
from nextbasket_tests import shops
from nextbasket_tests.recommender import small


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A learned planted shop: its sequences, the good model, and one that learned from the shuffled twin for a moment."""
    folder = tmp_path_factory.mktemp("shop")
    file, good = small.trained(folder / "shop", shops.planted())
    brief = dataclasses.replace(small.SETTINGS, epochs=1)
    _, poor = small.trained(folder / "twin", shops.shuffled(shops.planted()), brief)
    return file, good, poor


def test_a_model_that_knows_more_is_promoted_and_the_rows_say_why(shop):
    """The good model beats champion and baselines; every method has every metric over the same customers."""
    file, good, poor = shop
    report = evaluation.evaluate([file], small.AS_OF, good, poor)
    methods = {row["method"] for row in report.rows}

    assert report.decision.promote, report.decision.why
    assert methods == {
        "challenger",
        "champion",
        "global top-frequency",
        "personal top-frequency",
        "combined top-frequency",
    }
    assert {(r["metric"], r["k"]) for r in report.rows} >= {
        (m, k) for m in ("recall", "precision", "ndcg", "phr", "recall_repeat", "recall_explore") for k in (5, 10, 20)
    }
    assert {r["customers"] for r in report.rows if r["metric"] == "recall"} == {report.customers}


def test_a_challenger_that_is_not_ahead_of_the_champion_is_refused(shop):
    """The poor model against the good one, and the good one against itself."""
    file, good, poor = shop

    assert not evaluation.evaluate([file], small.AS_OF, poor, good).decision.promote
    against_itself = evaluation.evaluate([file], small.AS_OF, good, good).decision
    assert not against_itself.promote
    assert "champion" in against_itself.why


@pytest.mark.parametrize("value", [float("nan"), 0.0])
def test_a_model_of_nonsense_is_refused(shop, tmp_path, value):
    """All weights NaN or all zero: refused with the reason, and the baselines' rows are still there."""
    loaded = artifact.load(shop[1])
    with torch.no_grad():
        for parameter in loaded.model.network.parameters():
            parameter.fill_(value)
    artifact.save(loaded.model, str(tmp_path / "nonsense"), "", {})
    report = evaluation.evaluate([shop[0]], small.AS_OF, str(tmp_path / "nonsense"))

    assert not report.decision.promote
    assert "do not promote" in report.decision.why
    assert {row["method"] for row in report.rows} >= {"combined top-frequency"}


def staged(path, rows):
    line = pa.struct([("item", pa.string()), ("quantity", pa.int32()), ("spend", pa.decimal128(14, 2))])
    kinds = {
        "basket": pa.string(),
        "customer": pa.string(),
        "date": pa.date32(),
        "hour": pa.int32(),
        "items": pa.list_(line),
    }
    schema = pa.schema(list(kinds.items()))
    table = [
        dict(zip(schema.names, (b, c, d, h, [{"item": i, "quantity": 1, "spend": None} for i in items]), strict=True))
        for b, c, d, h, items in rows
    ]
    pq.write_table(pa.Table.from_pylist(table, schema=schema), path)
    return str(path)


def test_scores_are_judged_by_the_first_later_basket_with_merchandise(tmp_path):
    """Anna's 9 o'clock basket is empty, so her 10 o'clock one counts: one hit of two at rank 1. Ben never came."""
    shop = {"anna": [["bread"], ["bread", "tea"]], "ben": [["milk"]]}
    file = shops.write_sequences(tmp_path / "s.parquet", shop)
    scoring.score([file], shops.week(1), None, str(tmp_path / "out"), 3)
    monday = shops.week(2)
    later = staged(
        tmp_path / "staged.parquet",
        [
            ("3", "anna", monday + datetime.timedelta(days=1), 8, ["milk"]),
            ("2", "anna", monday, 10, ["bread", "cake"]),
            ("1", "anna", monday, 9, []),
            ("4", None, monday, 9, ["milk"]),
            ("5", "stranger", monday, 9, ["milk"]),
        ],
    )
    rows = evaluation.retrospective([str(tmp_path / "out" / "part-00000.parquet")], [later], [file])
    values = {(r["method"], r["metric"], r["k"]): (r["value"], r["customers"]) for r in rows}

    assert values["published scores", "recall", 5] == (0.5, 1)
    assert values["published scores", "phr", 5] == (1.0, 1)
    assert values["published scores", "recall_explore", 5] == (0.0, 1)
    assert values["personal top-frequency", "recall", 5] == (0.5, 1)
    assert values["global top-frequency", "recall", 5] == (0.5, 1)
    assert {r["model_version"] for r in rows} == {"top-frequency"}
    assert json.dumps(rows)


def test_the_first_basket_of_a_day_is_that_of_the_first_hour(tmp_path):
    """Anna's bread of 9 o'clock counts, on her list of one, and not the cake of 10, whatever the number of the basket."""
    file = shops.write_sequences(tmp_path / "s.parquet", {"anna": [["bread"]], "ben": [["tea"]]})
    scoring.score([file], shops.week(0), None, str(tmp_path / "out"), 1)
    baskets = [("1", "anna", shops.week(1), 10, ["cake"]), ("2", "anna", shops.week(1), 9, ["bread"])]
    published = str(tmp_path / "out" / "part-00000.parquet")
    rows = evaluation.retrospective([published], [staged(tmp_path / "b.parquet", baskets)], [file])
    found = {row["metric"]: row["value"] for row in rows if row["method"] == "published scores"}
    chance, _ = pq.read_table(published)["probability"].to_pylist()

    assert found["recall"] == 1.0
    assert found["calibration_error"] == pytest.approx(1 - chance)
    assert chance == pytest.approx(3.5 / 6)


def test_customers_with_too_short_a_history_can_be_left_out(tmp_path):
    """With at least two baskets wanted, Ben's one is not enough."""
    file = shops.write_sequences(tmp_path / "s.parquet", {"anna": [["bread"], ["tea"]], "ben": [["milk"]]})
    scoring.score([file], shops.week(1), None, str(tmp_path / "out"), 3)
    later = staged(tmp_path / "b.parquet", [(c, c, shops.week(2), 9, ["bread"]) for c in ("anna", "ben")])
    files = [str(tmp_path / "out" / "part-00000.parquet")]

    def judged(minimum):
        rows = evaluation.retrospective(files, [later], [file], minimum)
        return next(r["customers"] for r in rows if r["metric"] == "recall")

    assert (judged(1), judged(2)) == (2, 1)


def test_the_baselines_of_the_evaluation_are_the_counts_worked_by_hand(tmp_path):
    """Two customers, target in the held-out week: personal finds Anna's bread, global only what all buy."""
    shop = {"anna": [["bread"], ["bread"], ["bread"]], "ben": [["tea"], ["tea"], ["milk"]]}
    sequences = histories.read([shops.write_sequences(tmp_path / "s.parquet", shop)])
    rows = evaluation.split(sequences, evaluation.first_held_out_day(shops.week(2), 1), 0.0).test
    values = evaluation.frequency_baselines(evaluation.bench(sequences, rows, rows, int(sequences.days[2])))

    assert values["personal top-frequency"]["recall", 5].tolist() == [1.0, 0.0]
    assert values["combined top-frequency"]["recall", 5].tolist() == [1.0, 0.0]


def test_words_about_a_week_are_judged_by_whoever_came_in_it(shop, tmp_path):
    """Of 60 customers a third comes in the first held-out week, a third in the second alone, a third no more.

    All items of all customers of the test hand are pairs; what the first third bought in the week has happened.
    """
    kept = {0: lambda b: b, 1: lambda b: [*b[:8], [], *b[9:]], 2: lambda b: b[:8]}
    customers = {name: kept[n % 3](baskets) for n, (name, baskets) in enumerate(shops.planted(customers=60).items())}
    report = evaluation.evaluate([shops.write_sequences(tmp_path / "s.parquet", customers)], small.AS_OF, shop[1])
    hand = ~in_validation(pa.array(list(customers)), small.SETTINGS.validation_share)
    came = [baskets[8] for n, baskets in enumerate(customers.values()) if hand[n] and n % 3 == 0]

    def happened(what):
        table = report.reliability[what]
        return int(table.pairs.sum()), pytest.approx(float((table.observed * table.pairs).sum()))

    assert happened("visit") == (hand.sum(), len(came))
    assert happened("within_week") == (30 * hand.sum(), sum(len(basket) for basket in came))
