"""Landing files and their companions as an operator's mistake or somebody's malice leaves them."""

import gzip
import io
import os
from pathlib import Path

import pytest

from nextbasket_assets import landing_text
from nextbasket_assets.catalogue import read_catalogue
from nextbasket_assets.landing import LandingError, inspect
from nextbasket_assets.missions.naming import read_names
from nextbasket_assets.resources.landing import calendar_of, files_of, refuse_changed
from nextbasket_assets.resources.landing_folders import LocalFolder
from nextbasket_assets.retail_calendar import read_calendar
from nextbasket_tests.transforms.plans import WEEK, header, line

NAME = "transactions_200607.csv"
HEADER = ",".join(header()) + "\n"
SOUND = (HEADER + line() + "\n").encode()


def said(content: bytes, name: str = NAME) -> str:
    with pytest.raises(LandingError) as refused:
        inspect(io.BytesIO(content), name)
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (SOUND.replace(b"\n", b"\r"), "last line has no newline"),
        (SOUND.replace(b"\n", b"\r") + b"\n", "a carriage return inside the first line"),
        (SOUND.replace(b",", b"\r", 1), "a carriage return inside the first line"),
        (SOUND.decode().encode("utf-16"), "not a text file"),
        (SOUND.replace(b",", b";"), "none of the column names"),
        ((line() + "\n").encode(), "none of the column names"),
        (HEADER.lower().encode() + SOUND[len(HEADER) :], "the nearest name found is 'shop_week'"),
        (SOUND.replace(b"PROD_CODE_10", b"PROD_CODE_20"), "is there more than once"),
        (SOUND + b"x" * (3 << 20) + b"\n", "line 3 is longer than 1048576 bytes"),
        (b"<html>\n<body>404 Not Found</body>\n</html>\n", "none of the column names"),
    ],
)
def test_what_is_no_weekly_file_is_refused_with_its_reason(content: bytes, why: str) -> None:
    """Line ends of a Mac, UTF-16, another separator, no header, an error page: one sentence that names file and reason."""
    assert why in said(content)
    assert said(content).startswith(NAME)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"\xef\xbb\xbf" + SOUND, 1),
        (SOUND.replace(b"\n", b"\r\n"), 1),
        ((",".join(f'"{name}"' for name in header()) + "\n" + line() + "\n").encode(), 1),
        ((HEADER.replace(",", " , ") + line() + "\n").encode(), 1),
    ],
)
def test_what_is_odd_but_sound_is_taken(content: bytes, lines: int) -> None:
    """A byte order mark, CRLF, quoted names, spaces around names."""
    assert inspect(io.BytesIO(content), NAME).lines == lines


def test_no_message_shows_a_line() -> None:
    """A file without a header: its first line is data, and no part of a customer's line is in the message."""
    for code in ("CUST_CODE7", "PROD_CODE_1", "CUST0000000001"):
        text = line(CUST_CODE=code, PROD_CODE=code) + "\n"
        assert code not in said((text + text).encode()).replace("PROD_CODE_10", "")


def test_members_of_a_gzip_are_one_text_and_garbage_is_refused() -> None:
    """Two compressed pieces put together are one file; bytes after the end are not."""
    packed = gzip.compress(SOUND) + gzip.compress((line() + "\n").encode())

    assert inspect(io.BytesIO(packed), NAME + ".gz").lines == 2
    for garbage in (b"garbage", b"\0" * 100):  # Python forgives zeros, Spark does not
        assert "not a sound gzip file" in said(packed + garbage, NAME + ".gz")


def test_a_gzip_bomb_is_left_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that expands beyond all measure is refused before it is unpacked."""
    monkeypatch.setattr(landing_text, "_FREE_BYTES", 4 << 20)
    bomb = gzip.compress(SOUND + (line() + "\n").encode() * 100_000)

    assert "expands to more than 200 times" in said(bomb, NAME + ".gz")


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to nothing", "link to itself"])
def test_what_only_bears_the_name_is_refused(tmp_path: Path, kind: str) -> None:
    """It is listed, so that somebody sees it; to take it is one sentence, and nobody waits for a pipe."""
    path = tmp_path / NAME
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / ("gone" if kind == "link to nothing" else NAME))
    folder = LocalFolder(tmp_path)

    assert [listed.name for listed in folder.list()] == [NAME]
    with pytest.raises(LandingError, match="no file, but a folder, a pipe, a link to nothing, or gone"):
        files_of(folder, [WEEK])


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file without permission is one refused file, not a sensor that fails for all."""

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / NAME).write_bytes(SOUND)
    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(LandingError, match=rf"{NAME}: cannot be opened \(Permission denied\)"):
        files_of(LocalFolder(tmp_path), [WEEK])


def test_a_file_replaced_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    """Same size, same time of change (`cp -p`), other content: the run says so and publishes nothing."""
    path, folder = tmp_path / NAME, LocalFolder(tmp_path)
    path.write_bytes(SOUND)
    before, files = folder.list(), files_of(folder, [WEEK])
    refuse_changed(folder, before, files)
    times = path.stat()
    (tmp_path / "new").write_bytes(SOUND.replace(b"0.93", b"9.30"))
    os.utime(tmp_path / "new", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "new").rename(path)

    with pytest.raises(LandingError, match="it changed while it was read"):
        refuse_changed(folder, before, files)


def test_companions_in_another_encoding_are_one_sentence(tmp_path: Path) -> None:
    """time.csv and products.csv with a byte order mark are read; in UTF-16, Latin-1 or with NULs they are refused."""
    assert read_calendar(io.BytesIO("\ufeffshop_week,date_from\n200607,20060410\n".encode())) == {WEEK}
    assert read_catalogue(io.BytesIO("\ufeffPROD_CODE,PROD_NAME\nP1,Tee\nP2\n".encode())).name("P2") == "P2"
    for content in ("shop_week,date_from\n".encode("utf-16"), b"shop_week,date_from\n\xe9\n"):
        (tmp_path / "time.csv").write_bytes(content)
        with pytest.raises(LandingError, match=r"time\.csv: no CSV file in UTF-8"):
            calendar_of(LocalFolder(tmp_path))
    with pytest.raises(ValueError, match="not YAML in UTF-8"):
        read_names("M01: Café".encode("latin-1"))
