import pytest

from nextbasket_assets.recommender.sequence_files import batches
from nextbasket_tests import shops


@pytest.mark.parametrize(("customers", "sizes"), [(5, [5]), (6, [6]), (7, [4, 3]), (13, [5, 5, 3]), (18, [6, 6, 6])])
def test_batches_are_about_equally_large(tmp_path, customers, sizes):
    """Of at most six customers: thirteen make three batches, none of which is a single customer."""
    file = shops.write_sequences(tmp_path / "s.parquet", {f"c{n:02}": [["tea"]] for n in range(customers)})

    assert [batch.num_rows for batch in batches([file], 6)] == sizes


def test_files_are_read_in_the_order_of_their_names(tmp_path):
    """However they are listed; a file without customers gives no batch."""
    files = [
        shops.write_sequences(tmp_path / f"{name}.parquet", {name: [["tea"]]} if name != "b" else {}) for name in "cab"
    ]

    assert [batch["customer"].to_pylist() for batch in batches(files, 6)] == [["a"], ["c"]]
