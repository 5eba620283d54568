"""The retailer's export.yaml, and what one export changes of it."""

from pathlib import Path

import pytest

from nextbasket_assets.exports.settings import ExportError
from nextbasket_assets.resources.export_settings import export_settings
from nextbasket_assets.resources.landing_folders import LocalFolder


def test_what_was_given_changes_the_folders_options(tmp_path: Path) -> None:
    """An option that was not given is the file's; the list that it names lies beside it."""
    (tmp_path / "export.yaml").write_text("k: 3\nallow: ''\nexclude: alcohol.txt\ncsv_guard: false\n")
    (tmp_path / "alcohol.txt").write_text("gin\n")
    found = export_settings(LocalFolder(tmp_path), {"k": 2, "shortest": None, "csv_guard": None})

    assert (found.k, found.shortest, found.csv_guard) == (2, 3, False)
    assert found.allow is None
    assert found.as_json()["allow"] is None
    assert found.exclude is not None
    assert found.exclude.items == {"gin"}


def test_an_option_that_was_given_as_no_is_given(tmp_path: Path) -> None:
    """False is an answer, and no answer is None."""
    (tmp_path / "export.yaml").write_text("csv_guard: true\n")

    assert export_settings(LocalFolder(tmp_path), {"csv_guard": False}).csv_guard is False


def test_a_list_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    """A name with a path is no file of the landing folder."""
    (tmp_path / "secret.txt").write_text("x\n")
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "export.yaml").write_text("allow: ../secret.txt\n")

    with pytest.raises(ExportError, match=r"names '../secret.txt', which is not in the landing folder"):
        export_settings(LocalFolder(tmp_path / "landing"), {})
