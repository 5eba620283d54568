"""When people come, by counting, worked by hand."""

import numpy as np
import pyarrow as pa
import pytest

from nextbasket_assets.recommender.habits import Habits
from nextbasket_assets.recommender.heads import Forecast
from nextbasket_assets.recommender.histories import Sequences

NOBODY = Sequences(
    pa.array(["new"]), np.zeros(2, int), np.zeros(0, int), np.zeros(1, int), pa.array([], pa.string()), np.zeros((0, 0))
)


def of_somebody_new(habits: Habits) -> Forecast:
    """What is said of a customer without a basket."""
    return habits.forecast(NOBODY)


def test_the_expected_days_end_with_the_year():
    """One trip in a thousand days: a chance of 1 - exp(-1/1000) a day, of which the days after the 365th are not counted."""
    told, away = of_somebody_new(Habits(today=0, trips=1.0, days=1000.0)), np.exp(-1 / 1000)

    assert told.within_week == pytest.approx([1 - away**7])
    assert told.days == pytest.approx([sum(away**day for day in range(365))])


def test_where_nobody_has_come_twice_it_is_once_a_month():
    """No trip after a first one, no item sold: a trip in 30 days, of one item."""
    told = of_somebody_new(Habits(today=0, days=50.0))

    assert told.within_week == pytest.approx([1 - np.exp(-7 / 30)])
    assert told.size == pytest.approx([1.0])
