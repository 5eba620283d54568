"""`nextbasket export` makes a folder of its own, whole or not at all."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from nextbasket_assets.exports import week
from nextbasket_assets.exports.week import export_week
from nextbasket_tests.cli.conftest import Run


def test_an_export_is_a_folder_with_a_manifest(on_lake: Run, tmp_path: Path) -> None:
    """The printed manifest is the file, and the files are as it says; nothing else is left beside the folder."""
    (tmp_path / "none.txt").write_text("b\nzzz\n")
    before = {path.name for path in tmp_path.iterdir()}
    result = on_lake("export", "--out=out/mailing", "--exclude=none.txt", "--k=2", "--json")
    manifest = json.loads(result.stdout)

    assert manifest == json.loads((tmp_path / "out/mailing/manifest.json").read_text())
    for file in manifest["files"]:
        content = (tmp_path / "out/mailing" / file["file"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
    rows = pq.read_table(tmp_path / "out/mailing/scores_long.parquet").to_pylist()
    assert [row["item"] for row in rows] == ["a", "c", "c", "d", "e", "a"]
    assert manifest["unknown_items"]["exclude"] == {"count": 1, "first": ["zzz"]}
    assert {path.name for path in tmp_path.iterdir()} == before | {"out"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"mailing"}


def test_options_beat_the_landing_folders(on_lake: Run, tmp_path: Path) -> None:
    """export.yaml holds unless the command says otherwise, and what is short is said in words."""
    (tmp_path / "landing" / "export.yaml").write_text("k: 3\nlength: own\ncampaign: spring\nholdout_share: 0.9\n")
    (tmp_path / "only.txt").write_text("a\nzzz\n")
    result = on_lake("export", "--out=x", "--length=fixed", "--allow=only.txt")

    assert result.exit_code == 0, result.output
    assert "Week 200607: 2 items for 3 customers in x" in result.stdout
    assert "3 lists are shorter than wanted, 1 of them empty" in result.stdout
    assert "held out of 'spring'" in result.stdout
    assert "1 codes of the allow list are unknown: zzz" in result.stdout
    assert json.loads((tmp_path / "x/manifest.json").read_text())["settings"]["k"] == 3


def test_a_folder_that_is_there_is_left_alone(on_lake: Run, tmp_path: Path) -> None:
    """No export writes into another one."""
    (tmp_path / "x").mkdir()
    result = on_lake("export", "--out=x")

    assert result.exit_code == 2
    assert "x is there already" in result.stderr
    assert not list((tmp_path / "x").iterdir())


def test_of_two_exports_to_one_place_the_second_is_refused(
    on_lake: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that appears while an export is made stays as it is, and nothing is put into it."""

    def meanwhile(folder: Path, *arguments: Any) -> dict[str, Any]:
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "manifest.json").write_text("theirs")
        return export_week(folder, *arguments)

    monkeypatch.setattr(week, "export_week", meanwhile)
    result = on_lake("export", "--out=x")

    assert result.exit_code == 2
    assert "x is there already" in result.stderr
    assert [(path.name, path.read_text()) for path in (tmp_path / "x").iterdir()] == [("manifest.json", "theirs")]


@pytest.mark.parametrize("by", ["lake", "link"])
def test_no_export_is_made_inside_the_lake(
    on_lake: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """The lake's folders are the runs' and the erasures', by whatever name the lake goes."""
    (tmp_path / "link").symlink_to("lake")
    monkeypatch.setenv("NEXTBASKET_LAKE", str(tmp_path / by))
    result = on_lake("export", "--out=lake/exports/spring")

    assert result.exit_code == 2
    assert "is inside the lake" in result.stderr
    assert not (tmp_path / "lake" / "exports").exists()


def test_a_bucket_is_no_folder(on_lake: Run, tmp_path: Path) -> None:
    """s3:// does not silently become a folder of that name."""
    result = on_lake("export", "--out=s3://bucket/mailing")

    assert result.exit_code == 2
    assert "is no folder of this machine" in result.stderr
    assert not (tmp_path / "s3:").exists()


def test_a_failed_export_leaves_nothing(on_lake: Run, tmp_path: Path) -> None:
    """A wrong list stops it before the folder is there."""
    (tmp_path / "none.txt").write_text("\n")
    result = on_lake("export", "--out=x", "--exclude=none.txt")

    assert result.exit_code == 4
    assert not (tmp_path / "x").exists()


def test_names_are_no_markup(on_lake: Run, tmp_path: Path) -> None:
    """Brackets in a campaign or in a folder's name are shown as they were given."""
    result = on_lake("export", "--out=o[red]3", "--campaign=spring [/2008]", "--holdout-share=0.9")

    assert result.exit_code == 0, result.output
    assert "for 3 customers in o[red]3" in result.stdout
    assert "held out of 'spring [/2008]'" in result.stdout
    assert (tmp_path / "o[red]3").is_dir()


def test_a_place_that_cannot_be_written_is_the_options(on_lake: Run, tmp_path: Path) -> None:
    """Where --out cannot be made, the remedy is another --out, and no setting."""
    (tmp_path / "file").touch()
    result = on_lake("export", "--out=file/sub/x")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error  Nothing was exported.",
        f"why    {Path('file/sub/x')}: Not a directory.",
        "to do  Name as --out a place that this process may make and write into, with room for it.",
    ]
