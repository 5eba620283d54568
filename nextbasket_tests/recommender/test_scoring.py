import dataclasses
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest

from nextbasket_assets import columns
from nextbasket_assets.errors import BAD_INPUT
from nextbasket_assets.recommender import artifact, histories, lists, ranking, scorer, scoring
from nextbasket_assets.recommender.everybody import LostError
from nextbasket_assets.recommender.ranking import ScoreError
from nextbasket_assets.recommender.tally import Tally
from nextbasket_assets.recommender.vocabulary import FIRST_ITEM
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

BRIEF = dataclasses.replace(small.SETTINGS, epochs=2)
ODD = {
    "no baskets": [],
    "one basket": [["P001"]],
    "only unknown": [["never sold"], ["never sold either"]],
    "an empty basket": [[], ["P002"]],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of the planted shop."""
    folder = tmp_path_factory.mktemp("planted")
    return small.trained(folder, shops.planted(customers=40), BRIEF)


def scored(files, model_dir, out, k=5, **options):
    report = scoring.score(files, small.AS_OF, model_dir, str(out), k, **options)
    return report, pq.read_table(out).to_pylist()


def test_everybody_gets_exactly_k_rows_and_fallbacks_say_so(tmp_path, model):
    """No basket, one, only unknown items, an empty one: five distinct items each, ranked, by falling probability."""
    file = shops.write_sequences(tmp_path / "odd.parquet", ODD)
    report, rows = scored([file], model[1], tmp_path / "out")
    by_customer = {c: [r for r in rows if r["customer"] == c] for c in ODD}

    for list_ in by_customer.values():
        assert [r["rank"] for r in list_] == [1, 2, 3, 4, 5]
        assert len({r["item"] for r in list_}) == 5
        chances = [r["probability"] for r in list_]
        assert chances == sorted(chances, reverse=True)
        assert all(0 < chance < 1 for chance in chances)
    assert {c: by_customer[c][0]["source"] for c in ODD} == {
        "no baskets": "fallback",
        "one basket": "model",
        "only unknown": "fallback",
        "an empty basket": "model",
    }
    assert "no purchases known" in by_customer["no baskets"][0]["reason"]
    assert "only unknown items" in by_customer["only unknown"][0]["reason"]
    assert (report.customers_read, report.customers, report.rows, report.fallback_customers) == (4, 4, 20, 2)
    assert report.rows_per_source == {"model": 10, "fallback": 10}
    assert report.mean_probability == pytest.approx(sum(r["probability"] for r in rows) / 20)


def test_a_customer_with_ten_thousand_baskets_gets_a_list_from_the_model(tmp_path, model):
    """10,000 baskets beside one of a single basket: both get five distinct items and probabilities by the model."""
    shop = {"often": [["P001", "P002"]] * 10_000, "once": [["P003"]]}
    file = shops.write_sequences(tmp_path / "often.parquet", shop, days=0)
    report, rows = scored([file], model[1], tmp_path / "out")

    assert (report.customers, report.fallback_customers) == (2, 0)
    for customer in shop:
        assert len({r["item"] for r in rows if r["customer"] == customer}) == 5
    assert all(0 < r["probability"] < 1 for r in rows)


def test_columns_are_those_of_the_table_without_the_week(tmp_path, model):
    """The file has next_basket_scores' columns in their order; the week is the partition."""
    scored([model[0]], model[1], tmp_path / "out")

    assert ("week", *pq.read_schema(tmp_path / "out" / "part-00000.parquet").names) == columns.names(
        "next_basket_scores"
    )


def test_without_a_model_everybody_gets_the_combined_frequency(tmp_path):
    """Bread on 2 of 2 trips and 3 of the shop's 4 baskets: (2 + 5 * 3/4) / (2 + 5)."""
    shop = {"anna": [["bread"], ["bread", "tea"]], "ben": [["bread"], ["milk"]], "carl": []}
    file = shops.write_sequences(tmp_path / "s.parquet", shop)
    report, rows = scored([file], None, tmp_path / "out", k=3)

    assert rows[0] | {"probability": 0, "probability_7_days": 0} == {
        "customer": "anna",
        "rank": 1,
        "item": "bread",
        "probability": 0,
        "probability_7_days": 0,
        "reason": "bought on 2 of 2 trips; no model yet",
        "source": "fallback",
        "model_version": "top-frequency",
    }
    assert rows[0]["probability"] == pytest.approx((2 + 5 * 3 / 4) / 7)
    assert (report.fallback_customers, report.model_version) == (3, "top-frequency")


def test_each_customers_rows_carry_their_own_item(tmp_path):
    """Alignment: with one item per customer that nobody else buys, every list names its own and nobody else's first.

    Regression: the original wrote the scores of 2,998 of 3,000 customers beside another customer's code.
    """
    shop = shops.unique_items()
    half = len(shop) // 2
    reversed_shop = dict(reversed(shop.items()))
    files = [
        shops.write_sequences(tmp_path / "2.parquet", dict(list(reversed_shop.items())[:half])),
        shops.write_sequences(tmp_path / "1.parquet", dict(list(reversed_shop.items())[half:])),
    ]
    small.train_quietly(
        files, tmp_path / "model", dataclasses.replace(small.SETTINGS, epochs=6, held_out_weeks=2), shops.week(7)
    )
    _, rows = scored(files, str(tmp_path / "model"), tmp_path / "out", k=2)

    assert len(rows) == 2 * len(shop)
    for customer in shop:
        assert {r["item"] for r in rows if r["customer"] == customer} == {"bread", customer.replace("C", "only-")}


def test_the_size_of_the_batch_changes_no_score(tmp_path, model, monkeypatch):
    """Three customers in memory at a time give the rows that all at once give, bit for bit."""
    _, whole = scored([model[0]], model[1], tmp_path / "whole")
    monkeypatch.setattr(scorer, "CUSTOMERS", 3)
    _, pieces = scored([model[0]], model[1], tmp_path / "pieces")

    assert pieces == whole


def test_customers_who_bought_very_much_keep_their_own_reasons(tmp_path, model, monkeypatch):
    """Ranked 64 at a time instead of 512, as where a batch would take gigabytes: the same rows, reasons included.

    Regression: reasons were looked up as if every batch were 512 long.
    """
    file = shops.write_sequences(tmp_path / "s.parquet", shops.planted(customers=130, seed=1))
    _, whole = scored([file], model[1], tmp_path / "whole")
    monkeypatch.setattr(ranking, "BATCH_EVENTS", 0)
    _, pieces = scored([file], model[1], tmp_path / "pieces")

    assert pieces == whole


def test_scoring_twice_gives_the_same_bytes(tmp_path, model):
    """Save, load, predict again: one file, bit for bit."""
    scored([model[0]], model[1], tmp_path / "a")
    scored([model[0]], model[1], tmp_path / "b")

    assert (tmp_path / "a" / "part-00000.parquet").read_bytes() == (tmp_path / "b" / "part-00000.parquet").read_bytes()


def test_too_few_items_and_too_new_a_model_are_errors(tmp_path, model):
    """Each says what is wrong and what to do."""
    with pytest.raises(scoring.ScoreError, match="31 items per customer are wanted and 30 are known"):
        scored([model[0]], model[1], tmp_path / "out", k=31)
    with pytest.raises(artifact.ArtifactError, match="after the week"):
        scoring.score([model[0]], shops.week(3), model[1], str(tmp_path / "out"), 5)


@pytest.mark.parametrize("known", [False, True], ids=["no model", "a model"])
@pytest.mark.parametrize("files", [0, 1])
def test_a_week_of_nobody_is_refused(tmp_path, model, files, known):
    """No sequences, or a file without any: with a model, too, for an empty week breaks no claim about its rows."""
    nobody = [shops.write_sequences(tmp_path / "none.parquet", {})][:files]
    with pytest.raises(histories.SequenceError, match=r"no customer sequences.*Land a week with customer codes"):
        scored(nobody, model[1] if known else None, tmp_path / "out")
    with pytest.raises(histories.SequenceError, match=r"no customer sequences.*Land a week with customer codes"):
        scoring.foretell(nobody, small.AS_OF, model[1] if known else None, str(tmp_path / "outlook"))


def test_a_batch_that_is_lost_ends_the_scoring(tmp_path, model, monkeypatch):
    """Ten customers at a time, the second ten lost on the way to the file: no claim about the rows written would tell."""
    monkeypatch.setattr(scorer, "CUSTOMERS", 10)
    whole = scorer.on_all_cores
    monkeypatch.setattr(
        scorer,
        "on_all_cores",
        lambda files, work: (
            part for place, part in enumerate(whole(files, work)) if place != 1 or isinstance(part, Tally)
        ),
    )
    with pytest.raises(LostError, match=r"40 customers were read and 30 were written.*Run again"):
        scored([model[0]], model[1], tmp_path / "lists")
    with pytest.raises(LostError, match="40 customers were read and 30 were written"):
        scoring.foretell([model[0]], small.AS_OF, model[1], str(tmp_path / "outlook"))


def test_reasons_can_be_left_out(tmp_path, model):
    """Without reasons the rows are the same and the reason is empty."""
    _, told = scored([model[0]], model[1], tmp_path / "a")
    _, untold = scored([model[0]], model[1], tmp_path / "b", reasons=False)

    assert untold == [row | {"reason": ""} for row in told]


def test_lists_that_are_longer_than_the_items_known_are_a_wrong_input() -> None:
    """Asking for more items than there are is the asker's to correct, and no failure of the model."""
    few: Any = SimpleNamespace(words=SimpleNamespace(size=FIRST_ITEM + 3))
    lists.require(few, 3)

    with pytest.raises(ScoreError, match="4 items per customer are wanted and 3 are known") as error:
        lists.require(few, 4)
    assert error.value.exit_code == BAD_INPUT
