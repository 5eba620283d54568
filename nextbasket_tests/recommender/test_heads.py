import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from nextbasket_assets.recommender import heads, histories, scoring, trip_fitting
from nextbasket_assets.recommender.batches import Slices
from nextbasket_assets.recommender.heads import TripHeads, exposure
from nextbasket_assets.recommender.split import Rows, Split
from nextbasket_assets.recommender.trips import MISSION_SPANS, NextTrips, Trips, next_trips, width
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

START = histories.day_number(shops.week(20))


def visits(days: dict[str, list[int]], path) -> str:
    """Sequences of customers who buy bread on these days, counted from the first Monday."""
    rows = [
        {
            "customer": customer,
            "baskets_seen": len(on),
            "baskets": [
                {
                    "date": shops.FIRST_MONDAY + datetime.timedelta(days=int(d)),
                    "hour": 9,
                    "items": ["bread"],
                    "mission_weights": [],
                }
                for d in on
            ],
        }
        for customer, on in days.items()
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=shops.SCHEMA), path)
    return str(path)


def fitted(path, days, steps=400):
    """A network whose heads learned from these days, and the rows of everybody's whole record."""
    prefixes, words = small.prefixes_of(visits(days, path))
    network = small.random_network(words)
    lengths = prefixes.histories.lengths
    everyone = Rows(np.arange(len(lengths)), lengths)
    nobody = Rows(np.zeros(0, np.int64), np.zeros(0, np.int64))
    parts = Split(lengths, nobody, nobody, nobody, nobody, small.WEEK, START)
    trip_fitting.fit_heads(network, prefixes, parts, steps, 0)
    states = trip_fitting.ranking.states(network, prefixes, Slices(*(everyone.customers, lengths, lengths)))
    known = trip_fitting.inputs(states, Trips.of(prefixes.histories), everyone)
    return network.trips, known


def test_days_without_a_trip_and_the_day_it_came_are_counted_by_hand():
    """A gap of 9 days: one quiet day in each of the first 8 spans, one of the span 8-10, which ends it.

    Without a trip by day 2, the days 0, 1 and 2 were quiet and nothing ended.
    """
    wanted = NextTrips(np.array([9, 2]), np.array([True, False]), np.zeros(2), np.zeros((2, 0)))
    survived, ended = exposure(wanted)

    assert survived[0].tolist() == [1] * 9 + [0] * (len(heads.SPANS) - 9)
    assert np.flatnonzero(ended[0]).tolist() == [heads.SPANS.index(8)]
    assert survived[1].tolist() == [1, 1, 1] + [0] * (len(heads.SPANS) - 3)
    assert not ended[1].any()


def test_a_constant_hazard_gives_the_geometric_numbers():
    """With a chance of 0.1 a day whatever the day, a trip within a week has 1 - 0.9^7, and comes after 10 days on average."""
    head = TripHeads(hidden=2, missions=0)
    with torch.no_grad():
        head.output.weight.zero_()
        head.output.bias.fill_(np.log(0.1 / 0.9))
    told = head.forecast(torch.zeros(2, 2 + width(0)), np.array([0, 40]))

    assert told.within_week == pytest.approx([1 - 0.9**7] * 2, abs=1e-6)
    assert told.days == pytest.approx([10, 10], abs=1e-3)
    assert told.missions.shape == (2, 0)


def test_forecasts_in_parts_are_those_at_once(monkeypatch):
    """Three customers away for 0, 3 and 40 days, foretold two at a time: the numbers of all three together."""
    torch.manual_seed(0)
    head, inputs = TripHeads(hidden=2, missions=2), torch.randn(3, 2 + width(2))
    whole = head.forecast(inputs, np.array([0, 3, 40]))
    monkeypatch.setattr(heads, "FORETOLD_ROWS", 2)
    parts = head.forecast(inputs, np.array([0, 3, 40]))

    for name in ("within_week", "days", "size", "missions"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-6)


def test_the_loss_is_the_likelihood_worked_by_hand():
    """Even chances: three days of the first customer and two of the second; only who came has a size, 3 for 2, and a mission."""
    head = TripHeads(hidden=2, missions=2)
    with torch.no_grad():
        head.output.weight.zero_()
        head.output.bias.zero_()
        head.output.bias[-1] = np.log(2)
    missions = np.array([[1.0, 0.0], [0.0, 0.0]])
    wanted = NextTrips(np.array([2, 1]), np.array([True, False]), np.array([3, 0]), missions)

    loss = head.loss(torch.zeros(2, 2 + width(2)), wanted).item()
    assert loss == pytest.approx(5 * np.log(2) / 2 + (2 - 3 * np.log(2)) + np.log(2))


def test_a_span_that_nobody_was_seen_in_is_as_the_one_before():
    """Ten customers, all on their second day: 10 of 20 days end with a trip, shrunk by 20 days from span to span."""
    wanted = NextTrips(np.ones(10, int), np.ones(10, bool), np.ones(10), np.zeros((10, 0)))
    first = 20 * 0.5 / (10 + 20)
    second = (10 + 20 * first) / (10 + 20)

    assert heads.usual_hazards(wanted) == pytest.approx([first] + [second] * (len(heads.SPANS) - 1))


def test_punctual_customers_are_foretold_to_the_day(tmp_path):
    """Half come every 3 days, half every 20; each came yesterday. Within 7 days the first ones come, the others do not."""
    ends = [START - 1 - histories.day_number(shops.FIRST_MONDAY) - c % 2 for c in range(120)]
    days = {
        f"C{c:03d}": list(range(ends[c] % gap, ends[c] + 1, gap)) for c in range(120) for gap in [3 if c < 60 else 20]
    }
    head, known = fitted(tmp_path / "s.parquet", days)
    told = head.forecast(known, np.ones(120, np.int64))

    assert told.within_week[:60].min() > 0.9
    assert told.within_week[60:].max() < 0.1
    assert told.days[:60] == pytest.approx(2, abs=1)
    assert told.days[60:] == pytest.approx(19, abs=6)


def test_those_who_stay_away_are_not_taken_for_those_who_come(tmp_path):
    """Censoring: half the customers came every 5 days and then never again for 60. With them in, a long absence goes on.

    A model of the gaps that were completed would call everybody back within 5 days.
    """
    end = START - histories.day_number(shops.FIRST_MONDAY)
    days = {f"C{c:03d}": list(range(end % 5, end - (65 if c % 2 else 0), 5)) for c in range(120)}
    head, known = fitted(tmp_path / "s.parquet", days)
    gone = head.forecast(known[1::2], np.full(60, 65))

    assert gone.within_week.max() < 0.1
    assert gone.days.min() > 60


def test_the_next_trip_is_the_next_basket_or_the_end_of_the_record(tmp_path):
    """Days 0, 4 and 10 known, the record ends on day 12: gaps of 4 and 6 days, then 2 quiet days without an end."""
    prefixes, _ = small.prefixes_of(visits({"anna": [0, 4, 10, 30]}, tmp_path / "s.parquet"))
    first = histories.day_number(shops.FIRST_MONDAY)
    found = next_trips(prefixes.histories, np.zeros(3, int), np.array([1, 2, 3]), np.full(3, 3), first + 12)

    assert found.days.tolist() == [4, 6, 2]
    assert found.came.tolist() == [True, True, False]
    assert found.sizes.tolist() == [1, 1, 0]


def alternating(customers=80, baskets=16):
    """Customers whose trips are of mission 0 and 1 in turn; half of them begin with the other one."""
    shop = {f"C{c:03d}": [[f"P{(t + c) % 2}{(t + 3 * c) % 4}"] for t in range(baskets)] for c in range(customers)}
    weights = {f"C{c:03d}": [[1.0 - (t + c) % 2, float((t + c) % 2)] for t in range(baskets)] for c in range(customers)}
    return shop, weights


def test_the_next_mission_is_foretold_where_trips_alternate_and_not_where_they_are_dealt_anew(tmp_path):
    """After 16 trips of two missions in turn the next one is sure; with the missions dealt anew it is even."""
    shop, weights = alternating()
    random = np.random.default_rng(0)
    dealt = {c: [w[::-1] if random.random() < 0.5 else w for w in given] for c, given in weights.items()}
    means = []
    for name, given in (("planted", weights), ("dealt", dealt)):
        file = shops.write_sequences(tmp_path / f"{name}.parquet", shop, missions=given)
        small.train_quietly([file], tmp_path / name, small.SETTINGS, shops.week(15))
        scoring.foretell([file], shops.week(15), str(tmp_path / name), str(tmp_path / f"{name}-out"), ["M01", "M02"])
        rows = pq.read_table(tmp_path / f"{name}-out").to_pylist()
        nexts = [row["mission_probabilities"][int(row["customer"][1:]) % 2] for row in rows]  # trip 16 is like trip 0
        means.append(np.mean(nexts))
        assert all(row["mission"] == f"M0{1 + int(np.argmax(row['mission_probabilities']))}" for row in rows)

    assert means[0] > 0.9
    assert abs(means[1] - 0.5) < 0.1


def test_heads_do_without_missions_that_are_forgotten(tmp_path):
    """A share of the rows is learned from without their missions; nothing else of the row changes."""
    inputs = torch.ones(1000, 5 + len(MISSION_SPANS) * 2)
    known = trip_fitting.without_missions(inputs, 2, np.random.default_rng(0))
    forgotten = known[:, -1] == 0

    assert 60 < int(forgotten.sum()) < 140
    assert bool((known[forgotten, 5:] == 0).all())
    assert bool((known[:, :5] == 1).all())
    assert bool((known[~forgotten] == 1).all())
