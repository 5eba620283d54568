import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from nextbasket_assets.recommender import reasons, scoring
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

SETTINGS = dataclasses.replace(small.SETTINGS, epochs=6, learning_rate=0.01)
FILLER = "P000"


@pytest.fixture(scope="module")
def habits(tmp_path_factory):
    """A shop of habits and a model of it."""
    folder = tmp_path_factory.mktemp("habits")
    shop = shops.habits()
    return shop, small.trained(folder, shop, SETTINGS)[1]


def lists(tmp_path, shop, model, k=30):
    file = shops.write_sequences(tmp_path / "sequences.parquet", shop)
    scoring.score([file], small.AS_OF, model, str(tmp_path / "scores"), k)
    rows = pq.read_table(tmp_path / "scores").to_pylist()
    return {(row["customer"], row["item"]): row for row in rows}


def without(baskets, item, places):
    """The baskets with the item taken out of these places; an emptied basket gets the filler."""
    return [[i for i in b if i != item] or [FILLER] if t in places else b for t, b in enumerate(baskets)]


def test_the_trips_a_reason_names_are_the_trips_of_the_record(tmp_path, habits):
    """ "bought on 6 of the last 8 trips" is what a count of the last 8 baskets gives, for every such row."""
    shop, model = habits
    rows = lists(tmp_path, shop, model)
    checked = 0
    for (customer, item), row in rows.items():
        if found := re.fullmatch(r"bought on (\d+) of the last (\d+) trips?", row["reason"]):
            recent = shop[customer][-8:]
            assert (sum(item in basket for basket in recent), len(recent)) == tuple(map(int, found.groups()))
            checked += 1

    assert checked > 500


def test_every_reason_of_an_item_never_bought_speaks_of_others(tmp_path, habits):
    """A reason names own purchases exactly when there are some."""
    shop, model = habits
    for (customer, item), row in lists(tmp_path, shop, model).items():
        own = any(item in basket for basket in shop[customer])

        assert own == bool(re.match("bought|usually", row["reason"])), row["reason"]


def test_without_the_trips_it_names_the_score_falls(tmp_path, habits):
    """Taking the named purchases out of the last 8 trips lowers the item's probability, for 30 customers' first items."""
    shop, model = habits
    rows = lists(tmp_path / "before", shop, model)
    first = {c: row for (c, _), row in rows.items() if row["rank"] == 1 and "of the last 8 trips" in row["reason"]}
    chosen = dict(list(first.items())[:30])
    poorer = {c: without(shop[c], row["item"], range(4, 12)) for c, row in chosen.items()}
    after = lists(tmp_path / "after", poorer, model)

    assert len(chosen) == 30
    for customer, row in chosen.items():
        assert after[customer, row["item"]]["probability"] < 0.7 * row["probability"]


def test_an_item_that_goes_with_the_baskets_falls_when_they_change(tmp_path):
    """In the planted shop the next item goes with the last baskets: with another customer's baskets it falls."""
    shop = shops.planted()
    file, model = small.trained(tmp_path, shop)
    rows = lists(tmp_path / "before", shop, model)
    fitting = {c: row for (c, _), row in rows.items() if row["rank"] <= 2 and row["reason"].startswith("goes with")}
    customers = list(fitting)[:30]
    others = {c: list(shop.values())[n] for n, c in enumerate(customers[1:] + customers[:1])}
    after = lists(tmp_path / "after", others, model)
    falls = [after[c, fitting[c]["item"]]["probability"] < fitting[c]["probability"] for c in customers]

    assert file
    assert len(customers) == 30
    assert sum(falls) >= 27  # a few customers get baskets that lead to the same item


def test_a_usual_gap_is_the_mean_of_the_gaps(tmp_path, habits):
    """Bought every two weeks but not of late: "usually every 14 days", with the days since the last one."""
    _, model = habits
    regular = [["P001" if t in (3, 5, 7) else "P002"] for t in range(12)]
    row = lists(tmp_path, {"anna": regular}, model)["anna", "P001"]

    assert row["reason"] == "usually every 14 days, last 34 days ago"


def test_an_item_that_is_due_falls_when_it_was_just_bought(tmp_path):
    """In a shop where everything is bought every fourth Monday, what was last bought 27 days before the Sunday is due.

    With the same item bought again on the last Monday it is not, and its score falls.
    """
    random = np.random.default_rng(0)
    shop = {}
    for c in range(150):
        phases = {f"P{i:03d}": int(random.integers(4)) for i in random.choice(np.arange(1, 30), 4, replace=False)}
        baskets = [[item for item, phase in sorted(phases.items()) if t % 4 == phase] or [FILLER] for t in range(12)]
        shop[f"C{c:04d}"] = baskets
    _, model = small.trained(tmp_path, shop, SETTINGS)
    rows = lists(tmp_path / "before", shop, model)
    due = {
        c: item
        for (c, item), row in rows.items()
        if row["reason"] == "usually every 28 days, last 27 days ago" and item != FILLER
    }
    chosen = dict(list(due.items())[:30])
    bought = {c: [*shop[c][:-1], sorted({*shop[c][-1], item})] for c, item in chosen.items()}
    after = lists(tmp_path / "after", bought, model)

    assert len(chosen) == 30
    for customer, item in chosen.items():
        assert [t for t, basket in enumerate(shop[customer]) if item in basket] == [0, 4, 8]
        assert after[customer, item]["probability"] < 0.7 * rows[customer, item]["probability"]


def test_without_the_only_purchase_it_names_the_score_falls(tmp_path, habits):
    """ "Bought once, last 10 trips ago": that purchase taken away, the item's probability falls for nearly everybody."""
    shop, model = habits
    rows = lists(tmp_path / "before", shop, model)
    once = {}
    for (c, item), row in rows.items():
        if found := re.fullmatch(r"bought once, last (\d+) trips ago", row["reason"]):
            (place,) = (t for t, basket in enumerate(shop[c]) if item in basket)
            assert int(found[1]) == 12 - place
            once.setdefault(c, (item, place))
    chosen = dict(list(once.items())[:40])
    after = lists(tmp_path / "after", {c: without(shop[c], i, {p}) for c, (i, p) in chosen.items()}, model)
    falls = [after[c, i]["probability"] < rows[c, i]["probability"] for c, (i, _) in chosen.items()]

    assert len(chosen) == 40
    assert sum(falls) >= 36  # one more filler in a basket moves everything a little


def test_what_is_popular_falls_when_the_others_do_not_buy_it(tmp_path):
    """Bread is in most baskets of others, so it is on Anna's list, who never bought any; in a shop that hardly sells it,
    it is not.
    """
    random = np.random.default_rng(0)
    chances = {}
    for name, share in (("liked", 0.7), ("disliked", 0.05)):
        shop = {
            f"C{c:03d}": [
                sorted({f"P{random.integers(20):03d}", "bread" if random.random() < share else FILLER})
                for _ in range(12)
            ]
            for c in range(120)
        }
        _, model = small.trained(tmp_path / name, shop, SETTINGS)
        rows = lists(tmp_path / f"{name}-lists", {**shop, "anna": [["P001"], ["P002"]]}, model, k=20)
        chances[name] = rows["anna", "bread"]

    assert chances["liked"]["reason"].startswith("popular")
    assert chances["disliked"]["probability"] < 0.5 * chances["liked"]["probability"]


def test_what_is_popular_now_falls_when_it_did_not_sell_of_late(tmp_path):
    """Another item is on offer every three weeks and in half the baskets. The last offer is popular now; with the others'
    last three baskets undone, it is not, and falls for those who never bought it.
    """
    random = np.random.default_rng(0)
    shop = {
        f"C{c:03d}": [
            sorted({f"P{random.integers(20):03d}", f"P{t // 3 * 5:03d}" if random.random() < 0.5 else FILLER})
            for t in range(12)
        ]
        for c in range(200)
    }
    offer = "P015"  # of weeks 9 to 11
    _, model = small.trained(tmp_path, shop, SETTINGS)
    rows = lists(tmp_path / "before", shop, model, k=20)
    calm = {c: [*b[:9], *b[6:9]] for c, b in shop.items()}
    never = [c for c, b in shop.items() if not any(offer in basket for basket in [*b, *calm[c]])][:10]
    after = lists(tmp_path / "after", {c: shop[c] if c in never else calm[c] for c in shop}, model, k=20)

    assert len(never) == 10
    for customer in never:
        assert rows[customer, offer]["reason"] == "popular now"
        assert after[customer, offer]["reason"] != "popular now"
        assert after[customer, offer]["probability"] < 0.7 * rows[customer, offer]["probability"]


def test_the_fallbacks_reason_is_its_count(tmp_path):
    """Without a model "bought on 2 of 3 trips" is the evidence: on one trip less, the probability is lower."""
    shop = {"anna": [["tea"], ["tea"], ["milk"]]}
    poorer = {"anna": [["tea"], ["milk"], ["milk"]]}
    before, after = (lists(tmp_path / str(n), s, None, k=2)["anna", "tea"] for n, s in enumerate((shop, poorer)))

    assert before["reason"] == "bought on 2 of 3 trips; no model yet"
    assert after["probability"] < before["probability"]


def last_bought(days_ago, count=3, recent=0):
    """The reason of an item bought `count` times in 20 days, by a customer with 12 trips, four of them since."""
    values = {"counts": count, "first_days": 0, "days": 20, "positions": 8}
    bought = SimpleNamespace(**{name: np.array([value]) for name, value in values.items()})
    told = reasons.of_repeats(bought, np.array([0]), np.array([12]), np.array([recent]), 20 + days_ago + 1)
    return reasons.sentences(told).to_pylist()[0]


def test_an_item_is_due_from_four_fifths_of_its_gap_to_three_of_them():
    """Bought on days 0, 10 and 20: due from the 8th day after to the 30th, unless it was on three of the last trips."""
    due = {days: last_bought(days) for days in (7, 8, 30, 31)}

    assert due[8] == "usually every 10 days, last 8 days ago"
    assert due[30] == "usually every 10 days, last 30 days ago"
    assert {due[7], due[31]} == {"bought 3 times, last 4 trips ago"}
    assert last_bought(8, recent=2) == due[8]
    assert last_bought(8, recent=3) == "bought on 3 of the last 8 trips"


def test_two_purchases_are_no_habit():
    """One gap of 20 days is not called usual, on whatever day the next one would be."""
    assert last_bought(20, count=2) == "bought 2 times, last 4 trips ago"
    assert last_bought(20, count=2, recent=1) == "bought on 1 of the last 8 trips"


def test_what_was_never_bought_is_there_by_its_largest_term():
    """What everybody buys and what sells just now count together against what goes with the baskets."""
    popular, trend = np.array([1.0, 1.0, 1.0]), np.array([0.2, 0.5, 0.2])
    kinds = reasons.of_others(popular, trend, fits=np.array([1.1, 1.1, 1.3]))

    assert kinds.tolist() == [reasons.POPULAR, reasons.POPULAR_NOW, reasons.FITTING]
