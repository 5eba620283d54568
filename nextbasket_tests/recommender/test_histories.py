import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nextbasket_assets.recommender import histories, vocabulary
from nextbasket_assets.recommender.sequence_files import batches
from nextbasket_tests import shops

SHOP = {"ben": [["tea"]], "anna": [["milk", "bread"], [], ["eggs", "odd", "rare"]], "carl": []}


def read(tmp_path, shop=SHOP, **options):
    return histories.read([shops.write_sequences(tmp_path / "s.parquet", shop, **options)])


def test_sequences_are_sorted_by_customer_and_keep_the_order_of_baskets(tmp_path):
    """Anna's three baskets (one of them empty) come before Ben's one; Carl has none."""
    sequences = read(tmp_path)

    assert sequences.customers.to_pylist() == ["anna", "ben", "carl"]
    assert sequences.basket_offsets.tolist() == [0, 3, 4, 4]
    assert sequences.item_offsets.tolist() == [0, 2, 2, 5, 6]
    assert np.diff(sequences.days[:3]).tolist() == [7, 7]


def test_the_order_of_the_files_does_not_matter(tmp_path):
    """Two files read in either order give the same arrays."""
    first = shops.write_sequences(tmp_path / "1.parquet", {"zoe": [["a"]], "ben": [["b"]]})
    second = shops.write_sequences(tmp_path / "2.parquet", {"anna": [["c"], ["a"]]})
    one, two = histories.read([first, second]), histories.read([second, first])

    assert one.customers.equals(two.customers)
    assert one.items.equals(two.items)


@pytest.mark.parametrize("customer", list(SHOP))
def test_one_customer_is_read_as_among_all(tmp_path, customer):
    """From the second of two files: the days, items and missions that stand there, and nobody else's."""
    weights = {"ben": [[0.25, 0.75]], "anna": [[1.0, 0.0], [], [0.0, 1.0]], "carl": []}
    other = shops.write_sequences(tmp_path / "1.parquet", {"zoe": [["a"], ["b"]]}, missions={"zoe": [[1.0, 0.0], []]})
    file = shops.write_sequences(tmp_path / "2.parquet", SHOP, missions=weights)
    alone = shops.write_sequences(tmp_path / "3.parquet", {customer: SHOP[customer]}, missions=weights)
    found, wanted = histories.read_customer([other, file], customer), histories.read([alone])

    assert found is not None
    assert found.customers.to_pylist() == [customer]
    assert found.items.equals(wanted.items)
    for name in ("basket_offsets", "item_offsets", "days", "missions"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name
    assert histories.read_customer([other, file], "nobody") is None


def test_unknown_items_of_a_basket_are_one_unknown(tmp_path):
    """Two items outside the vocabulary become one id 1, and the basket's size still counts both."""
    sequences = read(tmp_path)
    words = vocabulary.Vocabulary(pa.array(["bread", "eggs", "milk", "tea"]), np.array([1, 1, 1, 1]))
    encoded = histories.encode(sequences, words, 0)

    assert encoded.items.tolist() == [2, 4, 1, 3, 5]
    assert encoded.sizes.tolist() == [2, 0, 3, 1]
    assert encoded.item_offsets.tolist() == [0, 2, 2, 4, 5]


@pytest.mark.parametrize("written", [{}, {"use_dictionary": False}, {"row_group_size": 1}])
def test_items_get_the_same_ids_however_the_file_was_written(tmp_path, written):
    """Streamed two by two from a file with one dictionary, none or one per customer; an item without a code is unknown."""
    file = shops.write_sequences(tmp_path / "s.parquet", {**SHOP, "dora": [["tea", None]]})
    pq.write_table(pq.read_table(file), file, **written)
    words = vocabulary.Vocabulary(pa.array(["bread", "eggs", "milk", "tea"]), np.array([1, 1, 1, 1]))
    ids = [words.encode(histories.of_batch(batch).items).tolist() for batch in batches([file], 2, in_dictionaries=True)]

    assert [i for part in ids for i in part] == [5, 4, 2, 3, 1, 1, 5, 1]


def test_an_unassigned_basket_has_no_mission(tmp_path):
    """Empty weights are a row of zeros, which no assigned basket has."""
    sequences = read(tmp_path, missions={"ben": [[0.25, 0.75]], "anna": [[1.0, 0.0], [], [0.0, 1.0]], "carl": []})

    assert sequences.missions.tolist() == [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.25, 0.75]]


def test_another_number_of_missions_is_refused(tmp_path):
    """Two missions for a model of three: an error that says what to do."""
    sequences = read(tmp_path, {"ben": [["tea"]]}, missions={"ben": [[0.25, 0.75]]})
    with pytest.raises(histories.SequenceError, match=r"2 missions and the model takes 3.*train rnn_model again"):
        histories.encode(sequences, vocabulary.build(sequences.items, 1), 3)


def test_missing_column_duplicate_customer_and_wrong_order_are_refused(tmp_path):
    """Each gets an error that names the fault."""
    pq.write_table(pa.table({"customer": ["anna"]}), tmp_path / "short.parquet")
    with pytest.raises(histories.SequenceError, match="no column baskets"):
        histories.read([str(tmp_path / "short.parquet")])
    twice = [shops.write_sequences(tmp_path / f"{n}.parquet", {"anna": [["a"]]}) for n in (1, 2)]
    with pytest.raises(histories.SequenceError, match="two rows"):
        histories.read(twice)
    backwards = shops.write_sequences(tmp_path / "b.parquet", {"anna": [["a"], ["b"]]}, days=-7)
    with pytest.raises(histories.SequenceError, match="not oldest first"):
        histories.read([backwards])


def test_a_row_without_a_customer_is_refused(tmp_path):
    """Nobody's sequence is an error that says how many there are, and so are baskets with one mission weight and with two."""
    with pytest.raises(histories.SequenceError, match="1 rows have no customer: make customer_sequences"):
        read(tmp_path, {"anna": [["a"]], None: [["b"]]})
    with pytest.raises(histories.SequenceError, match="different numbers of mission weights: tag all of them"):
        read(tmp_path, {"anna": [["a"], ["b"]]}, missions={"anna": [[1.0], [0.5, 0.5]]})


def test_mission_weights_have_one_sum_in_any_order(tmp_path):
    """Tenths are read to a millionth, in whole numbers of steps, so that sums of parts are the sum of all to the last bit."""
    sequences = read(tmp_path, {"anna": [["a"]] * 3}, missions={"anna": [[0.1, 0.9], [0.3, 0.7], [0.2, 0.8]]})
    steps = sequences.missions * histories.MISSION_STEPS

    assert (steps == np.rint(steps)).all()
    assert sequences.missions == pytest.approx(np.array([[0.1, 0.9], [0.3, 0.7], [0.2, 0.8]]), abs=1e-6)


def test_rare_items_are_unknown():
    """With a minimum of two, an item in one basket is not in the vocabulary, and codes are sorted."""
    words = vocabulary.build(pa.array(["tea", "milk", "tea", "milk", "rare"]), 2)

    assert words.codes.to_pylist() == ["milk", "tea"]
    assert words.encode(pa.array(["rare", "tea", "milk"])).tolist() == [1, 3, 2]
    with pytest.raises(IndexError, match="padding and unknown"):
        words.decode(np.array([2, 1]))
