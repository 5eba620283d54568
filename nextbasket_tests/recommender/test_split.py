"""Who is learned from, who chooses and who judges."""

import datetime

import numpy as np
import pyarrow as pa

from nextbasket_assets.recommender.histories import Sequences, day_number
from nextbasket_assets.recommender.split import first_held_out_day, in_validation, split
from nextbasket_tests import shops

START = first_held_out_day(shops.week(3), 2)
DAYS = {"anna": [-14, -1, 0, 7], "ben": [-1], "carl": [0, 7]}  # from the first held-out day


def parts(validation_share: float):
    """Anna comes before and after the day, Ben only before, Carl only after."""
    offsets = np.cumsum([0, *(len(days) for days in DAYS.values())])
    days = START + np.array([day for of_one in DAYS.values() for day in of_one])
    empty = np.zeros((len(days), 0), np.float32)
    none = Sequences(
        pa.array(list(DAYS)), offsets, days, np.zeros(len(days) + 1, int), pa.array([], pa.string()), empty
    )
    return split(none, START, validation_share)


def test_a_target_wants_a_basket_before_and_one_after():
    """Anna's third basket is a target; Ben is watched though he never came again, and Carl, new then, is in no hand."""
    found = parts(0.0)

    assert found.trained.tolist() == [2, 1, 0]
    assert (found.test.customers.tolist(), found.test.prefixes.tolist()) == ([0], [2])
    assert (found.judged.customers.tolist(), found.judged.prefixes.tolist()) == ([0, 1], [2, 1])
    assert not len(found.validation.customers) + len(found.watched.customers)


def test_both_hands_are_dealt_alike():
    """With everybody in validation its rows are those that test had, and nobody is left to judge."""
    found, other = parts(1.0), parts(0.0)

    assert found.validation.customers.tolist() == other.test.customers.tolist()
    assert found.watched.customers.tolist() == other.judged.customers.tolist()
    assert not len(found.test.customers) + len(found.judged.customers)


def test_a_customer_keeps_their_hand_for_ever():
    """These four codes have been dealt so since the first model; dealt anew, the test customers would have been learned from."""
    codes = pa.array(["CUST0000000001", "CUST0000000002", "CUST0000000003", "CUST0000000004"])

    assert in_validation(codes, 0.2).tolist() == [True, False, True, True]


def test_held_out_weeks_begin_on_a_monday():
    """Two weeks held out as of the week of 1 May 2006 begin on Monday, 24 April."""
    assert day_number(datetime.date(2006, 4, 24)) == START
