"""The small shop of the fault tests: five weeks, sixteen customers, models that fit it in a second; and what its lake holds."""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from nextbasket_assets.columns import TABLES
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.tables import Lake
from nextbasket_tests.faults.recorded import RecordedSpark
from nextbasket_tests.platforms import WEEKS, Platform, week_lines
from nextbasket_tests.small_spark import QUICK

CUSTOMERS = 16
AS_OF = WEEKS[3]
MODELS = ("mission_model", "rnn_model")
SMALL: dict[str, Any] = {
    "mission_model": {"config": {"k": 2, "restarts": 2, "sweeps": 5, "min_item_baskets": 2}},
    "rnn_model": {
        "config": {
            **{"epochs": 1, "trip_steps": 100, "held_out_weeks": 1, "minimum_count": 1},
            **{"hidden": 8, "embedding": 8, "pair_hidden": 8},
        }
    },
}


def platform(root: Path, recordings: Path, *, record: bool = False) -> Platform:
    """A platform in a folder, on recorded Spark."""
    spark = RecordedSpark(
        folder=str(recordings),
        record=record,
        master="local[2]",
        driver_memory="1g",
        java_options=QUICK,
    )
    return Platform(root, dg.DagsterInstance.ephemeral(), {"spark": spark})


def lines(week: date, seed: int = 0) -> list[str]:
    """The week's lines; another seed is a correction."""
    return week_lines(week, seed, CUSTOMERS)


def contents(lake: Lake) -> dict[str, str]:
    """Digest of every table's week and of every champion: two lakes that hold the same are equal."""
    found = {}
    for table in TABLES:
        for week in lake.weeks(table):
            rows = sorted(map(str, lake.read(table, [week]).to_pylist()))
            found[f"{table} {week}"] = hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]
    for name in MODELS:
        for week in WEEKS[:5]:
            champion = registry.promoted(lake, name, week)
            found[f"{name} {week}"] = f"{champion.version} {champion.digest}" if champion else "none"
    return found


def leftovers(lake: Lake) -> list[str]:
    """Folders that no version of a table and no decision names: what should not lie about."""
    lying = []
    for table in TABLES:
        snapshot = lake.snapshot(table)
        commits = snapshot.delta.history() if snapshot else []
        named = {commit.get("staged") for commit in commits}
        folders = [path for path in Path(lake.uri(table)).glob("*-*") if path.is_dir()]
        lying += [f"{table}/{path.name}" for path in folders if path.name not in named]
    for name in MODELS:
        named = {Path(decision.artifact).name for decision in registry.decisions(lake, name)}
        lying += [f"{name}/{path.name}" for path in Path(lake.uri("models", name)).glob("*") if path.name not in named]
    for manifest in Path(lake.uri("exports")).glob("week=*/*"):
        named = {"manifest.json", json.loads(manifest.with_name("manifest.json").read_text())["folder"]}
        lying += [str(manifest)] if manifest.name not in named else []
    lying += [f"scratch/{path.name}" for path in Path(lake.uri("scratch")).glob("*")]
    return lying
