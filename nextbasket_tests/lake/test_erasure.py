"""Erasure reaches what killed runs left."""

from pathlib import Path

from nextbasket_assets.lake.erasure import erase_customer
from nextbasket_tests.report.weekly.weeks import WEEKS, code, small_lake


def test_a_file_that_was_never_renamed_is_erased(tmp_path: Path) -> None:
    """Killed between writing a file and its rename: the rows lie under the unfinished name, and go; another's stay."""
    lake = small_lake(str(tmp_path / "lake"), WEEKS[:2])
    whole = Path(lake.files("next_basket_scores", [WEEKS[1]])[0])
    left = whole.with_name(f".{whole.name}.partial")
    left.write_bytes(whole.read_bytes())
    receipt = erase_customer(lake, code(1), "run")

    assert not left.exists()
    assert receipt.remaining == []
    assert receipt.rows["next_basket_scores"] == 2
    assert code(2) in lake.read("next_basket_scores", [WEEKS[1]])["customer"].to_pylist()
