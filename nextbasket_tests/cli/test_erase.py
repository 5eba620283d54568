"""`nextbasket erase`: what was erased is told, whatever the landing folder is like."""

import json
import shutil
from pathlib import Path

import pytest

from nextbasket_assets.intake.values import joined
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.pseudonyms import pseudonym
from nextbasket_tests.cli.conftest import Run
from nextbasket_tests.report.weekly.weeks import FIRST, basket, put


def test_the_receipt_says_which_landing_files_were_not_searched(on_lake: Run, tmp_path: Path) -> None:
    """A folder with a weekly file's name cannot be searched: the erasure is complete, and the receipt names it."""
    (tmp_path / "landing" / "transactions_200607.csv").write_text("x,BOB\n")
    (tmp_path / "landing" / "transactions_200608.csv").write_text("x,BOBBY\n")
    (tmp_path / "landing" / "transactions_200609.csv").mkdir()
    result = on_lake("erase", "BOB", "--yes")
    receipt = json.loads(result.stdout)

    assert result.exit_code == 0, result.output
    assert receipt["rows"]["next_basket_scores"] == 4
    assert receipt["landing_files_that_still_hold_the_customer"] == ["transactions_200607.csv"]
    assert receipt["landing_files_not_searched"] == ["transactions_200609.csv"]
    assert "Remove the customer from these landing files" in result.stderr
    assert "Search the files that were not searched" in result.stderr


def test_the_receipt_says_what_in_the_lake_was_not_searched(on_lake: Run, tmp_path: Path) -> None:
    """Notes that somebody put beside the exports stop no erasure, and are named."""
    (tmp_path / "lake" / "exports").mkdir()
    (tmp_path / "lake" / "exports" / "notes.txt").write_text("BOB\n")
    result = on_lake("erase", "BOB", "--yes")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["not_searched"] == ["exports/notes.txt"]
    assert "Search the files that were not searched" in result.stderr


def test_a_receipt_is_printed_without_a_landing_folder(on_lake: Run, tmp_path: Path) -> None:
    """When the landing folder is gone, the customer is erased all the same, and the receipt names the folder."""
    shutil.rmtree(tmp_path / "landing")
    result = on_lake("erase", "BOB", "--yes")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["landing_files_not_searched"] == [str(tmp_path / "landing")]


def test_by_a_pseudonym_no_landing_file_is_called_clean(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Landing files hold plain codes: who gives the pseudonym that the lake shows is told that they were not searched."""
    key, landing, code = tmp_path / "key", tmp_path / "landing", pseudonym(b"k" * 32, "BOB")
    key.write_text("k" * 32)
    landing.mkdir()
    put(Lake(str(tmp_path / "lake")), "staged_baskets", FIRST, [basket(1, FIRST, ["bread"], customer=code)])
    for name, value in (("LANDING", landing), ("LAKE", tmp_path / "lake"), ("PSEUDONYM_KEY", key)):
        monkeypatch.setenv(f"NEXTBASKET_{name}", str(value))
    receipt = json.loads(run("erase", code, "--yes").stdout)

    assert receipt["rows"]["staged_baskets"] == 1
    assert receipt["landing_files_not_searched"] == [str(landing)]


def test_a_code_that_nobody_has_is_said(on_lake: Run) -> None:
    """The receipt is printed all the same; the exit code is that of no such customer."""
    result = on_lake("erase", "DAN", "--yes")

    assert result.exit_code == 3
    assert not any(json.loads(result.stdout)["rows"].values())
    assert "error  Nothing was found for this code." in result.stderr
    assert "to do  Check it:" in result.stderr


@pytest.mark.parametrize(
    ("given", "landed"),
    [
        ("AB 12", "AB%2012"),
        ("Müller", "M%C3%BCller"),
        ("50%", "50%25"),
        ("A~B", "A~B"),
        ("AB 12~7", "AB%2012~7"),
        (f"{'x' * 40}~{'y' * 40}", joined(["x" * 40, "y" * 40])),
    ],
)
def test_the_retailers_own_code_is_turned_into_the_landed_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, landed: str
) -> None:
    """Who gives the code that the retailer's system shows need not know what `land` made of it; stderr names that."""
    (tmp_path / "landing" / "land-report").mkdir(parents=True)
    (tmp_path / "landing" / "transactions_200607.csv").write_text(f"x,{landed}\n")
    refused = f'a.csv,3,PROD_CODE is empty,"{{""member"": ""{given}""}}"\n'
    (tmp_path / "landing" / "land-report" / "refused_lines.csv").write_text(refused)
    put(Lake(str(tmp_path / "lake")), "staged_baskets", FIRST, [basket(1, FIRST, ["bread"], customer=landed)])
    for name in ("LANDING", "LAKE"):
        monkeypatch.setenv(f"NEXTBASKET_{name}", str(tmp_path / name.lower()))
    result = run("erase", given, "--yes")
    receipt = json.loads(result.stdout)

    assert receipt["rows"]["staged_baskets"] == 1
    named = ["land-report/refused_lines.csv", "transactions_200607.csv"]
    assert receipt["landing_files_that_still_hold_the_customer"] == named
    assert f"Looked for the code as the landing files have it: {landed}\n" in result.stderr


@pytest.mark.parametrize("given", ["MÜLLER 12", "C" * 70])
def test_a_line_that_was_rejected_for_its_code_goes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    """A file that was delivered as it is may hold a code that none can be: the lake has it in a rejected line alone."""
    lake = Lake(str(tmp_path / "lake"))
    (tmp_path / "landing").mkdir()
    line = {"source_file": "transactions_200607.csv", "line_number": 2, "rule": "customer", "detail": "no code"}
    others = [f"200607,{given}X,1.50", "200607,BOB,1.50"]
    put(lake, "rejected_lines", FIRST, [{**line, "raw_text": text} for text in (f"200607,{given},1.50", *others)])
    for name in ("LANDING", "LAKE"):
        monkeypatch.setenv(f"NEXTBASKET_{name}", str(tmp_path / name.lower()))
    first, second = run("erase", given, "--yes"), run("erase", given, "--yes")

    assert (first.exit_code, second.exit_code) == (0, 3), first.output
    assert json.loads(first.stdout)["rows"]["rejected_lines"] == 1
    assert lake.read("rejected_lines", [FIRST])["raw_text"].to_pylist() == others


def test_a_code_that_land_leaves_alone_is_not_repeated(on_lake: Run) -> None:
    """Most codes have one form, and stderr does not show them."""
    assert "BOB" not in on_lake("erase", "BOB", "--yes").stderr


def test_erasing_again_changes_nothing(on_lake: Run, tmp_path: Path) -> None:
    """Who was erased before is known only by a landing file that still holds them: without one, nothing is found."""
    lake, landed = Lake(str(tmp_path / "lake")), tmp_path / "landing" / "transactions_200607.csv"
    landed.write_text("x,BOB\n")
    codes = [on_lake("erase", "BOB", "--yes").exit_code]
    version = lake.version("next_basket_scores")
    codes.append(on_lake("erase", "BOB", "--yes").exit_code)
    landed.unlink()
    codes.append(on_lake("erase", "BOB", "--yes").exit_code)

    assert codes == [0, 0, 3]
    assert lake.version("next_basket_scores") == version


def test_an_erasure_that_goes_on_has_found_somebody(
    on_lake: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older version that still holds the customer is found, though the newest one does not."""
    monkeypatch.setattr("nextbasket_assets.lake.erasure._purge", lambda *_: [])
    assert on_lake("erase", "BOB", "--yes").exit_code == 5
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    for name in ("landing", "lake"):
        monkeypatch.setenv(f"NEXTBASKET_{name.upper()}", str(tmp_path / name))

    assert on_lake("erase", "BOB", "--yes").exit_code == 0
