"""What a commit says of a staged file: what readers skip files by, and nobody's code."""

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from nextbasket_assets.lake.staged_files import rows_by_week, staged_files
from nextbasket_assets.lake.tables import Lake

ROWS = {"customer": ["ANN", "BOB", "CAT"], "item": ["b", "a", "c"], "rank": [2, 3, 1], "probability": [0.5, 0.4, 0.3]}


def test_statistics_are_of_the_whole_file_and_of_no_person(tmp_path: Path) -> None:
    """Lowest and highest over all row groups, of text and whole numbers alone; a customer's code would outlive its file."""
    lake = Lake(str(tmp_path))
    folder = Path(lake.uri("next_basket_scores", "run-1", "week=2006-04-10"))
    folder.mkdir(parents=True)
    pq.write_table(pa.table(ROWS), folder / "part.parquet", row_group_size=1)
    (folder / "_SUCCESS").touch()
    [action] = found = staged_files(lake, "next_basket_scores", lake.uri("next_basket_scores", "run-1"))

    assert json.loads(action.stats) == {
        "numRecords": 3,
        "minValues": {"item": "a", "rank": 1},
        "maxValues": {"item": "c", "rank": 3},
    }
    assert rows_by_week(found) == {date(2006, 4, 10): 3}
