import numpy as np
import pyarrow as pa
import pytest

from nextbasket_assets.missions.documents import documents, from_table


def test_a_sample_is_read_column_by_column() -> None:
    """Two baskets of two items and of one, the first held out, the second in the second half."""
    table = pa.table({"items": [[2, 0], [1]], "held_out": [True, False], "half": [0, 1]})
    found = from_table(table, 3)

    assert (found.items_T.tolist(), found.sizes_D.tolist(), found.vocabulary) == ([2, 0, 1], [2, 1], 3)
    assert (found.held_out_D.tolist(), found.half_D.tolist()) == ([True, False], [0, 1])


def test_an_item_that_nobody_bought_has_a_share() -> None:
    """Half an item more for everybody: of three purchases two, one and none are shares of 2.5, 1.5 and 0.5 in 4.5."""
    assert documents([[0], [0, 1]], 3).item_share() == pytest.approx(np.array([2.5, 1.5, 0.5]) / 4.5)
