"""The ids of the missions that a version's weights are of."""

import datetime
from pathlib import Path

import pyarrow as pa

from nextbasket_assets.columns import TABLES
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.missions import mission_ids
from nextbasket_assets.lake.publish import Provenance, publish, stage, write_staged
from nextbasket_assets.lake.registry import PROMOTED, Decision
from nextbasket_assets.lake.tables import Lake, arrow_schema

WEEK = datetime.date(2006, 5, 1)


def test_ids_are_the_living_missions_by_number(tmp_path: Path) -> None:
    """M02, M11 and M100 live, M01 retired; another version's missions are not in it, and no version has none."""
    lake = Lake(str(tmp_path))
    missions = [
        ("v1", "M100", "new"),
        ("v1", "M11", "new"),
        ("v1", "M02", "kept"),
        ("v1", "M01", "retired"),
        ("v0", "M07", "new"),
    ]
    rows = [
        {"mission_model": version, "mission": mission, "name": mission, "status": status, "share": 0.5}
        for version, mission, status in missions
    ]
    schema = arrow_schema(tuple(column for column in TABLES["mission_identities"] if column.name != "week"))
    with stage(lake, "mission_identities", "run-1") as folder:
        write_staged(lake, "mission_identities", folder, WEEK, pa.Table.from_pylist(rows, schema=schema))
        publish(lake, "mission_identities", folder, [WEEK], Provenance("run-1", "c", {}))
    registry.record(
        lake, Decision(
            week=WEEK, name="mission_model", version="v1", decision=PROMOTED, why="so", metrics={}, artifact="a",
            digest="d", inputs={}, run_id="r",
        ),
    )  # fmt: skip

    assert mission_ids(lake, "v1") == ["M02", "M11", "M100"]
    assert mission_ids(lake, "v9") == []
    assert mission_ids(lake, None) == []
