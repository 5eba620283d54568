import numpy as np
import pytest

from nextbasket_assets.recommender import purchases
from nextbasket_assets.recommender.batches import Prefixes, Slices
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

BASKETS = [["milk", "tea"], ["bread"], ["milk"], ["bread", "milk"], ["tea"]]
BREAD, MILK, TEA = 2, 3, 4


@pytest.fixture
def prefixes(tmp_path):
    """One customer, five weekly baskets."""
    return small.prefixes_of(shops.write_sequences(tmp_path / "s.parquet", {"anna": BASKETS}))[0]


def test_each_prefix_sees_each_item_bought_before_it_once(prefixes):
    """Before basket p the pairs are the items of baskets 0 to p - 1, each with its last purchase among them."""
    batch = small.all_rows(prefixes, 0)
    positions = prefixes.purchases.positions[batch.pair_events.numpy()]
    pairs = list(zip(batch.pair_rows.tolist(), batch.pair_items.tolist(), positions.tolist(), strict=True))
    seen = [{(item, position) for r, item, position in pairs if r == row} for row in range(5)]

    assert seen == [
        {(MILK, 0), (TEA, 0)},
        {(BREAD, 1), (MILK, 0), (TEA, 0)},
        {(BREAD, 1), (MILK, 2), (TEA, 0)},
        {(BREAD, 3), (MILK, 3), (TEA, 0)},
        {(BREAD, 3), (MILK, 3), (TEA, 4)},
    ]


def test_decayed_sums_are_the_sums_worked_by_hand(prefixes):
    """Milk in baskets 0, 2 and 3 at rate 0.5: after the third purchase 1 + 0.5 + 0.5**3; in days, seven halve it."""
    states = prefixes.purchases
    third_milk = int(np.flatnonzero((states.items == MILK) & (states.counts == 3))[0])
    week = purchases.DAY_HALF_LIVES.index(7.0)

    assert states.decayed[0, third_milk] == pytest.approx(1 + 0.5 + 0.125)
    assert states.decayed[len(purchases.BASKET_RATES) + week, third_milk] == pytest.approx(1 + 0.5 + 0.125)


def test_the_latest_purchases_tell_the_ends_of_histories_what_all_of_them_do(tmp_path):
    """Two customers, one with one basket: before the next basket the pairs and their features are the same."""
    file = shops.write_sequences(tmp_path / "s.parquet", {"anna": BASKETS, "ben": [["tea"]]})
    every, _ = small.prefixes_of(file)
    latest = Prefixes.of(every.histories, purchases.latest(every.histories), every.trends)
    ends = Slices(np.array([0, 1]), np.array([5, 1]), np.array([5, 1]))
    one, other = (prefixes.batch(ends, context=8, week=small.WEEK) for prefixes in (every, latest))

    assert other.pair_items.tolist() == one.pair_items.tolist() == [BREAD, MILK, TEA, TEA]
    assert other.row_features.tolist() == one.row_features.tolist()
    np.testing.assert_allclose(other.pair_features, one.pair_features, rtol=1e-6)


def test_decayed_share_is_one_for_an_item_in_every_basket(tmp_path):
    """The decayed features are shares of the decayed trips: always bought is 1 at every rate and length."""
    prefixes, _ = small.prefixes_of(shops.write_sequences(tmp_path / "s.parquet", {"anna": [["milk"]] * 6}))
    features = small.all_rows(prefixes, 0).pair_features.numpy()

    np.testing.assert_allclose(features[:, 12 : 12 + len(purchases.BASKET_RATES)], 1, rtol=1e-5)


def test_features_of_a_prefix_do_not_depend_on_what_follows(tmp_path, prefixes):
    """The pairs of the first three prefixes are the same when the history ends there."""
    short, _ = small.prefixes_of(shops.write_sequences(tmp_path / "short.parquet", {"anna": BASKETS[:3]}))
    full, cut = small.all_rows(prefixes, 0), small.all_rows(short, 0)

    np.testing.assert_array_equal(full.pair_features[full.pair_rows < 3], cut.pair_features)


def test_what_the_repeat_term_reads_is_worked_by_hand(prefixes):
    """After five weekly trips bread was on two, the second and the fourth: two trips since, a usual gap of a trip and a half."""
    batch = small.all_rows(prefixes, 0)
    features = {
        (row, item): values
        for row, item, values in zip(
            batch.pair_rows.tolist(), batch.pair_items.tolist(), batch.pair_features.numpy(), strict=True
        )
    }
    log, log1p = np.log, np.log1p
    counts = [log1p(2) * 0.5, 2 / 5, 2 / 4]
    since = [log(2) * 0.5, log1p(7) * 0.3, log1p(4) * 0.3]
    gaps = [log1p(3 / 2) * 0.5, log(2 / (3 / 2)) * 0.5, log1p(7 / ((14 + 7) / 2)) * 0.5, log1p(2) * 0.5]

    assert features[4, BREAD][:12] == pytest.approx([*counts, *since, *gaps, 0, 0], rel=1e-5)
    assert features[4, TEA][10:12].tolist() == [True, False]  # on the last trip, and not for the first time
    assert features[0, TEA][10:12].tolist() == [True, True]
    assert features[1, TEA][10:12].tolist() == [False, True]
