"""What a record says about trips, worked by hand."""

import numpy as np
import pytest

from nextbasket_assets.recommender.histories import Histories
from nextbasket_assets.recommender.trips import GAP_SPANS, SIZE_SPANS, Trips, elapsed, next_trips

# Ben's one basket, then Anna's four, on the days 0, 4, 10 and 11.
DAYS, SIZES = np.array([50, 0, 4, 10, 11]), np.array([9, 1, 3, 2, 7])
MISSIONS = np.array([[0, 1], [1, 0], [0, 1], [1, 0], [0, 1]], np.float32)
RECORD = Histories(np.array([0, 1, 5]), DAYS, SIZES, np.zeros(6, int), np.zeros(0, np.int32), MISSIONS)
ANNA = np.array([1, 1])


def test_features_are_of_the_trips_before_and_of_no_other():
    """Before Anna's fourth trip: gaps of 6 and of 5 on average, 2 items, then 2 on average, the first mission on two of three."""
    one, three = Trips.of(RECORD).features(ANNA, np.array([1, 3]))
    log1p, gaps, sizes = np.log1p, len(GAP_SPANS), len(SIZE_SPANS)
    of_gaps, of_sizes = [log1p(6) * 0.5, *[log1p(5) * 0.5] * (gaps - 1)], [log1p(2) * 0.5] * sizes

    assert three == pytest.approx([log1p(3) * 0.3, 0, *of_gaps, *of_sizes, 1, 0, *[2 / 3, 1 / 3] * 2])
    assert one == pytest.approx([log1p(1) * 0.3, 1, *[0] * gaps, *[log1p(1) * 0.5] * sizes, *[1, 0] * 3])


def test_where_no_trip_is_known_to_follow_it_has_no_mission():
    """After her third trip Anna's fourth is of the second mission; after the fourth there is none, hers is not repeated."""
    found = next_trips(RECORD, ANNA, np.array([3, 4]), np.array([4, 4]), end=20)

    assert found.missions.tolist() == [[0, 1], [0, 0]]
    assert (found.days.tolist(), found.sizes.tolist()) == ([1, 9], [7, 0])


def test_the_day_that_begins_has_not_passed_without_a_trip():
    """Last seen on day 11, on the morning of day 20 Anna has been away for 8 whole days, and on that of day 12 for none."""
    assert [elapsed(RECORD, ANNA[:1], np.array([4]), today).tolist() for today in (20, 12)] == [[8], [0]]
