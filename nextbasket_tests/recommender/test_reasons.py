import dataclasses
import re

import pyarrow.parquet as pq
import pytest

from nextbasket_assets.recommender import scoring
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
    regular = [["P001" if t in (0, 2, 4, 6) else "P002"] for t in range(9)]
    row = lists(tmp_path, {"anna": regular}, model)["anna", "P001"]

    assert row["reason"] in (
        "usually every 14 days, last 41 days ago",
        "bought on 3 of the last 8 trips",
    )
