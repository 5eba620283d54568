import numpy as np
import pytest

from nextbasket_assets.recommender import histories, trends, vocabulary
from nextbasket_tests import shops

OLD, NEW = 2, 3  # ids


@pytest.fixture
def moving(tmp_path):
    """Eight weeks: ten customers buy the old item in weeks 0 to 3 and the new one in weeks 4 to 7."""
    shop = {f"C{n}": [["a old"]] * 4 + [["b new"]] * 4 for n in range(10)}
    sequences = histories.read([shops.write_sequences(tmp_path / "s.parquet", shop)])
    words = vocabulary.build(sequences.items, 1)
    return trends.of_histories(histories.encode(sequences, words, 0), words.rates(80))


def at(moving, number):
    week = trends.week_number(histories.day_number(shops.week(number)))
    return moving.lifts[moving.rows(np.array([week]))[0]]


def test_a_lift_compares_the_last_weeks_with_the_usual(moving):
    """At the start of week 6, two weeks back hold 20 of 20 baskets with the new item where 10 are usual."""
    shortest = at(moving, 6)[:, trends.WINDOWS.index((2, 0))]

    assert shortest[NEW] == pytest.approx(np.log((20 + 4) / (10 + 4)))
    assert shortest[OLD] == pytest.approx(np.log((0 + 4) / (10 + 4)))


def test_a_week_does_not_see_itself(moving):
    """At the start of week 4 nobody has bought the new item yet, and before week 0 there is no trend at all."""
    assert at(moving, 4)[NEW, :4] == pytest.approx(np.log(4 / (np.array([10, 20, 40, 40]) / 2 + 4)))
    assert (at(moving, 0) == 0).all()


def test_the_weeks_of_a_year_ago_are_seen(moving):
    """At the start of week 54 the weeks 1 to 3 are those of a year ago, and all their baskets hold the old item."""
    first = int(trends.week_number(histories.day_number(shops.week(0))))
    weekly = trends.Weekly.empty(first, first + 53, 4)
    weekly.baskets[:4], weekly.holding[:4, OLD] = 10, 10
    year_ago = trends.trends(weekly, np.array([0, 0, 0.5, 0.5])).lifts[54, :, trends.WINDOWS.index((53, 50))]

    assert year_ago[OLD] == pytest.approx(np.log((30 + 4) / (15 + 4)))


def test_after_the_last_week_the_trend_stays(moving):
    """A later week gets the trend of the end."""
    np.testing.assert_array_equal(at(moving, 8), at(moving, 30))


def test_the_trends_of_five_years_are_kept(tmp_path):
    """However long ago the first basket was, memory is that of the last 260 weeks; what was before is the usual."""
    sequences = histories.read([shops.write_sequences(tmp_path / "s.parquet", {"anna": [["a"]] * 3}, days=7_000)])
    words = vocabulary.build(sequences.items, 1)
    found = trends.of_histories(histories.encode(sequences, words, 0), words.rates(3))

    assert found.lifts.shape == (trends.MOST_WEEKS + 1, words.size, len(trends.WINDOWS))
    assert (found.lifts[found.rows(np.array([0]))[0]] == 0).all()


def test_weeks_that_are_not_counted_are_left_out(tmp_path):
    """A window of two weeks over a shop of eight counts the baskets of these two only."""
    sequences = histories.read([shops.write_sequences(tmp_path / "s.parquet", {"anna": [["a"]] * 8})])
    words = vocabulary.build(sequences.items, 1)
    first = int(trends.week_number(histories.day_number(shops.week(3))))
    weekly = trends.Weekly.empty(first, first + 1, words.size)
    weekly.add(histories.encode(sequences, words, 0))

    assert weekly.baskets.tolist() == [1, 1]
    assert weekly.holding[:, 2].tolist() == [1, 1]


def test_baskets_that_do_not_count_have_no_say(tmp_path):
    """Told by Anna's baskets alone, the trends are those of a shop in which Ben never was, whatever Ben buys."""
    shop = {"anna": [["a"], ["b"], ["a"]], "ben": [["b"], ["b"], ["b"]]}
    both, alone = (
        histories.read([shops.write_sequences(tmp_path / f"{len(one)}.parquet", one)])
        for one in (shop, {"anna": shop["anna"]})
    )
    words = vocabulary.build(alone.items, 1)
    of_both = trends.of_histories(histories.encode(both, words, 0), words.rates(3), np.arange(6) < 3)
    of_one = trends.of_histories(histories.encode(alone, words, 0), words.rates(3))

    np.testing.assert_array_equal(of_both.lifts, of_one.lifts)


def test_a_count_goes_on_beyond_what_a_short_float_holds():
    """Sixteen million baskets and one more are one more."""
    many, one = trends.Weekly.empty(0, 0, 3), trends.Weekly.empty(0, 0, 3)
    many.baskets[:], one.baskets[:] = 2**24, 1
    many.merge(one)

    assert many.baskets.tolist() == [2**24 + 1]


def test_a_week_is_from_monday_to_sunday():
    """1 January 1970, a Thursday, is of week 0; the week ends on the Sunday after and began on the Monday before."""
    assert trends.week_number(np.array([-4, -3, 0, 3, 4])).tolist() == [-1, 0, 0, 0, 1]
    assert [trends.first_day(week) for week in (0, 1)] == [-3, 4]
