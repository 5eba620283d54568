import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import next_basket
from nextbasket_tests import shops

PEERS = {
    "global top-frequency",
    "personal top-frequency",
    "combined top-frequency",
    "TIFUKNN published",
    "TIFUKNN tuned",
    "UP-CF@r published",
    "UP-CF@r tuned",
}


def packed_folder(folder, dated, parts):
    """A shop of habits as a packed folder, its users dealt into `parts` in turn."""
    rows = [
        {"user": user, "basket": basket, "item": int(item[1:]), "is_target": basket == len(baskets) - 1}
        | ({"day": 7 * basket + user % 5} if dated else {})
        for user, baskets in enumerate(shops.habits(customers=30, baskets=8).values())
        for basket, items in enumerate(baskets)
        for item in items
    ]
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(rows), folder / "baskets.parquet")
    dealt = [parts[user % len(parts)] for user in range(30)]
    pq.write_table(pa.table({"user": np.arange(30), "fold0": dealt}), folder / "splits.parquet")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("dated", [True, False], ids=["dates", "no dates"])
@pytest.mark.parametrize("parts", [("train", "train", "val", "test"), ("val", "test")], ids=["train users", "none"])
def test_any_folder_of_the_format_gives_every_method_in_one_json(tmp_path, monkeypatch, capsys, dated, parts):
    """With days or without, with train users or without: all methods, metrics at 10 and 20, costs, and the rate."""
    folder = packed_folder(tmp_path / "habits", dated, parts)
    out = tmp_path / "out.json"
    monkeypatch.setattr(sys, "argv", ["next_basket.py", str(folder), "--epochs", "1", "--json", str(out)])
    next_basket.main()
    found = json.loads(out.read_text())

    assert set(found) == {"dataset", "methods", "scoring"}
    assert found["dataset"] == "habits"
    assert set(found["methods"]) == PEERS | {"nextbasket"}
    for numbers in found["methods"].values():
        assert {f"{m}@{k}" for m in ("recall", "ndcg", "phr") for k in (10, 20)} | {"seconds", "peak_mb"} <= set(
            numbers
        )
        assert 0 < numbers["recall@20"] <= 1
    assert found["scoring"]["customers_per_second"] > 0
    assert "| nextbasket |" in capsys.readouterr().out
