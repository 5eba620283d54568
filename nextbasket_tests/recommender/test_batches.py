"""What the network reads of a prefix, worked by hand."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from nextbasket_assets.recommender import histories, vocabulary
from nextbasket_assets.recommender.batches import UNASSIGNED, Slices, targets
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

SHOP = {"anna": [["a"], ["a"]], "ben": [["a", "b"], ["b"], ["b", "c", "d"], ["a"]]}
MISSIONS = {"anna": [[1.0], [1.0]], "ben": [[1.0], [], [1.0], [1.0]]}
BEN = Slices(np.array([1]), np.array([1]), np.array([3]))


@pytest.fixture
def prefixes(tmp_path):
    """Anna with two weekly baskets and Ben with four, of which the second has no mission."""
    return small.prefixes_of(shops.write_sequences(tmp_path / "s.parquet", SHOP, missions=MISSIONS))[0]


def test_a_basket_is_the_days_before_it_its_size_and_whether_it_has_a_mission(prefixes):
    """Ben's first basket has no days before it, though Anna's last one is a week later."""
    features = prefixes.batch(BEN, 32).basket_features.numpy()

    assert features[:, 0] == pytest.approx(np.log1p([0, 7, 7]) * 0.5)
    assert features[:, 1] == pytest.approx(np.log1p([2, 1, 3]) * 0.5)
    assert features[:, UNASSIGNED].tolist() == [0, 1, 0]


def test_a_customer_is_what_the_prefix_tells_of_them(prefixes):
    """After three baskets Ben bought six items, four for the first time, in 14 days; the last basket held three."""
    features = prefixes.batch(BEN, 32).row_features.numpy()
    log1p = np.log1p

    assert features[0] == pytest.approx([log1p(1) * 0.3, log1p(2) * 0.5, 0, log1p(2) * 0.2, 0, log1p(2) * 0.5])
    assert features[2] == pytest.approx(
        [log1p(3) * 0.3, log1p(2) * 0.5, 1 - 4 / 6, log1p(4) * 0.2, log1p(14 / 3) * 0.3, log1p(3) * 0.5]
    )


def test_the_network_reads_as_many_baskets_as_the_context_holds(tmp_path):
    """Of 14 baskets, prefixes 10 to 12 with a context of 4: baskets 6 to 11; prefix 2 has no more than two."""
    prefixes, _ = small.prefixes_of(shops.write_sequences(tmp_path / "s.parquet", {"anna": [["a"]] * 14}))
    read = [
        prefixes.batch(Slices(np.array([0]), np.array([first]), np.array([last])), 4).length
        for first, last in ((10, 12), (2, 2))
    ]

    assert read == [6, 2]


def test_what_is_learned_from_sees_the_trends_of_the_targets_week(prefixes):
    """Ben's targets lie in weeks 1, 2 and 3; where the week is given, as in scoring, it holds for every row."""
    assert prefixes.batch(BEN, 32).row_weeks.tolist() == [1, 2, 3]
    assert prefixes.batch(BEN, 32, small.WEEK + 2).row_weeks.tolist() == [2, 2, 2]


def test_unknown_items_of_a_target_count_in_its_size(tmp_path):
    """Of a next basket with one known item and two unknown ones the known one is wanted, and the size is three."""
    sequences = histories.read([shops.write_sequences(tmp_path / "s.parquet", {"anna": [["a"], ["a", "odd", "rare"]]})])
    encoded = histories.encode(sequences, vocabulary.Vocabulary(pa.array(["a"]), np.array([2])), 0)
    wanted = targets(encoded, np.array([0]), np.array([1]))

    assert (wanted.rows.tolist(), wanted.items.tolist(), wanted.sizes.tolist()) == ([0], [2], [3])


def test_rows_that_are_kept_are_what_they_are_among_all(prefixes):
    """Of Anna's one prefix and Ben's three the second and the fourth are kept: each is as in the batch of all rows."""
    both = Slices(np.array([0, 1]), np.array([1, 1]), np.array([1, 3]))
    whole, part = prefixes.batch(both, 32), prefixes.batch(both, 32, kept=np.array([False, True, False, True]))
    of_pairs = torch.isin(whole.pair_rows, torch.tensor([1, 3]))

    for name in ("row_cells", "row_features", "row_weeks"):
        assert torch.equal(getattr(part, name), getattr(whole, name)[[1, 3]])
    for name in ("pair_items", "pair_features", "pair_events"):
        assert torch.equal(getattr(part, name), getattr(whole, name)[of_pairs])
    assert part.pair_rows.tolist() == [0, 0, 1, 1, 1, 1]
    assert part.row_offsets.tolist() == [0, 2]
    assert torch.equal(part.basket_items, whole.basket_items)
