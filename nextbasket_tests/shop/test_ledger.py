"""A shop writes over its own files alone."""

import fcntl
import subprocess
from pathlib import Path

import pytest

from nextbasket_assets.shop import landing_files
from nextbasket_assets.shop.ledger import NAME, FolderTakenError, Ledger, lacks_a_shop
from nextbasket_assets.shop.shop import write_shop
from nextbasket_assets.shop.truth import planted_missions

FIRST, SECOND = "transactions_200607.csv.gz", "transactions_200608.csv.gz"


def write(out: Path, weeks: int = 2, seed: int = 1) -> None:
    write_shop(out, customers=20, weeks=weeks, seed=seed, products=300)


def interrupt(out: Path, weeks: int, after: int) -> None:
    """A shop whose writing is stopped after some weeks."""

    def stop(done: int, _: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shop(out, customers=20, weeks=weeks, seed=1, products=300, progress=stop)


@pytest.mark.parametrize("name", ["products.csv", "time.csv", FIRST, "transactions_200652.csv"])
def test_somebody_elses_file_is_never_written_over(tmp_path: Path, name: str) -> None:
    """A folder with a file of the retailer's own is refused by that file's name, and nothing in it changes."""
    (tmp_path / name).write_text("mine")
    with pytest.raises(FolderTakenError, match=rf"1 file.s. in .* were not written by a shop.*{name}"):
        write(tmp_path)

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


@pytest.mark.parametrize("name", ["products.csv", SECOND])
def test_a_file_that_was_changed_is_never_written_over(tmp_path: Path, name: str) -> None:
    """A corrected file of a finished shop is not of the shop any more, whichever shop is to be written."""
    write(tmp_path)
    (tmp_path / name).write_text("corrected")
    with pytest.raises(FolderTakenError, match=f"changed since, {name}"):
        write(tmp_path, seed=2)

    assert (tmp_path / name).read_text() == "corrected"


def test_an_unchanged_shop_may_be_written_over(tmp_path: Path) -> None:
    """Another seed, or more weeks, go over a shop that is as it was written, and leave what a new folder would have."""
    write(tmp_path / "old", weeks=1)
    write(tmp_path / "old", weeks=2, seed=2)
    write(tmp_path / "new", weeks=2, seed=2)

    for path in (tmp_path / "new").rglob("*"):
        if path.is_file():
            assert (tmp_path / "old" / path.relative_to(tmp_path / "new")).read_bytes() == path.read_bytes(), path


def test_an_interrupted_shop_knows_its_files(tmp_path: Path) -> None:
    """After an interruption the folder lacks a shop, and the same arguments write all of it."""
    assert lacks_a_shop(tmp_path)
    interrupt(tmp_path, weeks=3, after=2)
    assert lacks_a_shop(tmp_path)
    write(tmp_path, weeks=3)
    assert not lacks_a_shop(tmp_path)
    (tmp_path / "time.csv").unlink()  # as the calendar's own errors advise
    assert not lacks_a_shop(tmp_path)


def test_weeks_of_a_longer_shop_are_not_left_among_others(tmp_path: Path) -> None:
    """A shorter shop is refused, and told how long the one is that is there."""
    interrupt(tmp_path, weeks=6, after=3)
    with pytest.raises(FolderTakenError, match=rf"2 weekly file.s. in .* are of a shop of 6 weeks .*, {SECOND} first"):
        write(tmp_path, weeks=1)


def test_planted_missions_are_those_of_the_shop_that_is_there(tmp_path: Path) -> None:
    """Where weekly files were removed and a shorter shop was written, the truth of the removed weeks is gone."""
    write(tmp_path, weeks=2)
    (tmp_path / SECOND).unlink()
    write(tmp_path, weeks=1)

    assert {basket[:7] for basket in planted_missions(tmp_path)} == {"9941001"}


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before it is in place, a file that is written anew is still the old one."""
    path = tmp_path / "products.csv"
    path.write_text("old")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        landing_files.write_whole(path, b"new")

    assert [(left.name, left.read_text()) for left in tmp_path.iterdir()] == [("products.csv", "old")]


@pytest.mark.parametrize("written", [False, True], ids=["before", "after"])
def test_a_shop_killed_at_a_file_knows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bool) -> None:
    """Killed just before or just after a file is in place, a shop knows the old file or the new one as its own."""
    write(tmp_path)

    def killed(path: Path, content: bytes) -> None:
        if written or path.name in NAME:
            path.write_bytes(content)
        if path.name not in NAME:
            raise KeyboardInterrupt

    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr("nextbasket_assets.shop.ledger.write_whole", killed)
        write_shop(tmp_path, customers=20, weeks=2, seed=2, products=400)

    write(tmp_path, seed=3)


def test_two_shops_are_not_written_into_one_folder_at_once(tmp_path: Path) -> None:
    """While another process writes there, a shop is refused."""
    write(tmp_path)
    with (tmp_path / "ground_truth" / ".writing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(FolderTakenError, match="another process is writing a shop into"):
            write(tmp_path)


def test_the_ledger_says_which_shop_it_is(tmp_path: Path) -> None:
    """It has the arguments, and sha256sum finds every file as it is listed."""
    write(tmp_path, weeks=1)

    assert Ledger(tmp_path).arguments == {
        "customers": 20, "weeks": 1, "seed": 1, "strength": 0.5, "recency": 0.0, "products": 300, "header": "B",
    }  # fmt: skip
    checked = subprocess.run(["sha256sum", "-c", NAME], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert checked.stdout.count(": OK") == 4
