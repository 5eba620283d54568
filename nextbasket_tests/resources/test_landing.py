"""The landing folder, on a disk and in a bucket."""

import gzip
import os
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from itertools import count
from pathlib import Path
from stat import S_IFREG
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from nextbasket_assets.landing import FIELDS, LandingError
from nextbasket_assets.resources.landing import (
    LandingResource,
    files_of,
    files_with,
    refuse_changed,
    usable_calendar,
    usable_catalogue,
)
from nextbasket_assets.resources.landing_folders import Folder, LocalFolder, S3Folder, UnopenedError

WEEK = date(2006, 4, 10)
NAME = "transactions_200607.csv"
TEXT = ",".join(FIELDS).encode() + b"\n" + b",".join([b"x"] * len(FIELDS)) + b"\n"


@pytest.fixture(params=["local", "s3"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Folder, object]]:
    """A folder and a function that puts a file into it."""
    if request.param == "local":
        seconds = count(1)

        def write(name: str, data: bytes) -> None:
            (tmp_path / name).write_bytes(data)
            os.utime(tmp_path / name, (0, next(seconds)))  # two writes in one tick of the clock have one time

        yield LandingResource(uri=str(tmp_path)).folder(), write
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="shop")
        client.put_object(Bucket="shop", Key="other/transactions_200608.csv", Body=b"x")
        put = lambda name, data: client.put_object(Bucket="shop", Key=f"landing/{name}", Body=data)  # noqa: E731
        yield LandingResource(uri="s3://shop/landing").folder(), put


def test_listing_shows_the_folder_and_nothing_beside_it(place) -> None:  # type: ignore[no-untyped-def]
    """Names, sizes and fingerprints of the files directly inside, no landing's lock; other content has another fingerprint."""
    folder, put = place
    assert folder.list() == []

    put(".land-lock", b"")
    put(NAME, b"ab")
    [before] = folder.list()
    put(NAME, b"cd")
    [after] = folder.list()

    assert (before.name, before.size, after.size) == (NAME, 2, 2)
    assert before.fingerprint != after.fingerprint


def test_what_lies_deeper_is_not_listed(place) -> None:  # type: ignore[no-untyped-def]
    """Neither a folder nor what is in it is a landing file, nor the empty object that S3's console makes for a folder."""
    folder, put = place
    if isinstance(folder, LocalFolder):
        (folder.path / "old").mkdir()
    else:
        put("", b"")
        put("old/", b"")
    put(f"old/{NAME}", TEXT)

    assert folder.list() == []


def test_every_page_of_a_bucket_is_listed(place, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """S3 answers a thousand names at a time; here one."""
    folder, put = place
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "1")
    put(NAME, TEXT)
    put("transactions_200608.csv", TEXT)

    assert [listed.name for listed in folder.list()] == [NAME, "transactions_200608.csv"]


@pytest.mark.parametrize("uri", ["s3://shop", "s3://shop/", "s3://shop/landing", "s3://shop/landing/"])
def test_spark_is_told_the_key_of_an_object(uri: str) -> None:
    """One slash stands between bucket, prefix and name, however the place is written."""
    assert LandingResource(uri=uri).folder().uri(NAME) == f"{uri.rstrip('/')}/{NAME}"


def test_an_object_is_let_go_when_it_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its body holds a connection: one that is left in the middle is closed, too."""
    body = BytesIO(TEXT)
    client = SimpleNamespace(get_object=lambda **_: {"Body": body})
    monkeypatch.setattr(S3Folder, "_client", staticmethod(lambda: client))
    with S3Folder("shop", "landing/").open(NAME) as stream:
        stream.read(1)

    assert body.closed


def test_the_file_of_a_week_is_found_by_its_name(place) -> None:  # type: ignore[no-untyped-def]
    """A week's file is inspected wherever it is, compressed or not; the same content twice is one file."""
    folder, put = place
    put(NAME, TEXT)
    put(NAME + ".gz", gzip.compress(TEXT))
    put("notes.txt", b"x")

    [file] = files_of(folder, [WEEK])

    assert (file.week, file.lines) == (WEEK, 1)


def test_a_week_without_a_file_is_named(place) -> None:  # type: ignore[no-untyped-def]
    """A range over a week that nobody delivered says which week to leave out."""
    folder, put = place
    put(NAME, TEXT)

    with pytest.raises(LandingError, match=r"no landing file for 1 week\(s\): 200608 \(2006-04-17\)"):
        files_of(folder, [WEEK, date(2006, 4, 17)])


def test_a_week_of_no_lines_is_taken_where_it_is_allowed(place) -> None:  # type: ignore[no-untyped-def]
    """A header alone empties its week when somebody said so, and is refused otherwise."""
    folder, put = place
    put(NAME, TEXT.splitlines(keepends=True)[0])

    [file] = files_of(folder, [WEEK], allow_empty=True)
    assert file.lines == 0
    with pytest.raises(LandingError):
        files_of(folder, [WEEK])


def test_two_files_for_one_week_are_refused(place) -> None:  # type: ignore[no-untyped-def]
    """Two files with different content for one week: neither is chosen."""
    folder, put = place
    put(NAME, TEXT)
    put(NAME + ".gz", gzip.compress(TEXT + b",".join([b"y"] * len(FIELDS)) + b"\n"))

    with pytest.raises(LandingError, match="is another file for week 200607"):
        files_of(folder, [WEEK])


def test_a_file_that_came_or_went_while_it_was_read_is_noticed(place, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """What was inspected must have been there before and be there after; a file beside it may come and go."""
    folder, put = place
    put(NAME, TEXT)
    before, files = folder.list(), files_of(folder, [WEEK])
    put("transactions_200608.csv", TEXT)

    refuse_changed(folder, before, files)
    with pytest.raises(LandingError, match=f"{NAME}: it changed while it was read"):
        refuse_changed(folder, [], files)
    monkeypatch.setattr(type(folder), "list", lambda _: [])
    with pytest.raises(LandingError, match=f"{NAME}: it changed while it was read"):
        refuse_changed(folder, before, files)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A landing folder that does not exist is an error, not an empty one."""
    with pytest.raises(LandingError, match="no such landing folder"):
        LandingResource(uri=str(tmp_path / "absent")).folder().list()


def test_a_growing_upload_is_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A multipart upload shows up when it is complete, as one object with one ETag; until then there is no file."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="shop")
        folder = LandingResource(uri="s3://shop/landing").folder()
        place = {"Bucket": "shop", "Key": f"landing/{NAME}"}
        upload = client.create_multipart_upload(**place)["UploadId"]
        halves = [TEXT.ljust(5 << 20, b"x"), b"x\n"]
        parts = []
        for number, half in enumerate(halves, 1):
            part = client.upload_part(**place, UploadId=upload, PartNumber=number, Body=half)
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
            assert folder.list() == []
        client.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})

        assert [(file.name, file.size) for file in folder.list()] == [(NAME, sum(map(len, halves)))]


def test_a_whole_code_is_searched_for(place) -> None:  # type: ignore[no-untyped-def]
    """Wherever a plain or a compressed file has the code, a kilobyte's end included; a longer code is another customer's."""
    folder, put = place
    across = b"x" * 1020 + b",CUST000000003,x\n"
    put("transactions_200607.csv", across)
    put("transactions_200608.csv.gz", gzip.compress(across))
    put("transactions_200609.csv", b"CUST0000000031,x\n")
    put("products.csv", across)

    assert files_with(folder, "CUST000000003") == (["transactions_200607.csv", "transactions_200608.csv.gz"], [])


def test_what_landings_left_is_searched(place) -> None:  # type: ignore[no-untyped-def]
    """Refused rows, and the files of a landing that was killed, are named by an erasure as the weekly files are."""
    folder, put = place
    if isinstance(folder, LocalFolder):
        (folder.path / "land-report").mkdir()
        (folder.path / ".land-x1").mkdir()
    put("land-report/refused_lines.csv", b"s.csv,2,why,ANN\n")
    put(".land-x1/transactions_200607.csv", b"x,ANN\n")
    put(".land-x1/transactions_200608.csv", b"x,BOB\n")

    assert files_with(folder, "ANN") == ([".land-x1/transactions_200607.csv", "land-report/refused_lines.csv"], [])


def test_a_name_that_goes_meanwhile_is_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is renamed between the listing and the look at it is left out; a link to nothing is listed by its week."""
    (tmp_path / NAME).write_bytes(TEXT)
    (tmp_path / f"{NAME}.gz").symlink_to("nothing")
    (tmp_path / "half").write_bytes(b"x")
    found = list(os.scandir(tmp_path))
    (tmp_path / "half").unlink()
    monkeypatch.setattr(os, "scandir", lambda _: found)

    assert [listed.name for listed in LocalFolder(tmp_path).list()] == [NAME, f"{NAME}.gz"]


def test_a_file_that_was_replaced_with_its_date_kept_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cp -p` keeps the size and the time of the last change; when the file itself changed it cannot keep."""
    found = []
    for changed in (1, 2):
        stat = SimpleNamespace(st_mode=S_IFREG, st_size=9, st_mtime_ns=7, st_ctime_ns=changed)
        entry = SimpleNamespace(name=NAME, stat=lambda stat=stat: stat)
        monkeypatch.setattr(os, "scandir", lambda _, entry=entry: [entry])
        found += LocalFolder(tmp_path).list()

    assert found[0].fingerprint != found[1].fingerprint


def test_a_pipe_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would wait for ever for somebody who writes into it."""
    os.mkfifo(tmp_path / NAME)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("opened"))

    with pytest.raises(LandingError, match="no file, but a folder, a pipe"), LocalFolder(tmp_path).open(NAME):
        raise AssertionError


def test_what_cannot_be_searched_is_named(tmp_path: Path) -> None:
    """A cut file, a folder with a file's name, and a folder that is not there: nothing is raised, and nothing called clean."""
    folder = LandingResource(uri=str(tmp_path)).folder()
    (tmp_path / "transactions_200607.csv.gz").write_bytes(gzip.compress(b"x,y\n" * 100)[:-9])
    (tmp_path / "transactions_200608.csv").mkdir()
    absent = LandingResource(uri=str(tmp_path / "absent")).folder()

    assert files_with(folder, "ANN") == ([], ["transactions_200607.csv.gz", "transactions_200608.csv"])
    assert files_with(absent, "ANN") == ([], [str(tmp_path / "absent")])


def test_what_anybody_put_below_the_folder_is_searched(place) -> None:  # type: ignore[no-untyped-def]
    """Copies in another folder or under another name hold the customer, too; what is no text is not called clean."""
    folder, put = place
    if isinstance(folder, LocalFolder):
        (folder.path / "old").mkdir()
    put("old/transactions_200607.csv", b"x,ANN\n")
    put("old/sales.parquet", b"PAR1\0ANN")
    put("sales 2006.csv", b"x;ANN\n")
    put("products.csv", b"ANN,apples\n")

    assert files_with(folder, "ANN") == (["old/transactions_200607.csv", "sales 2006.csv"], ["old/sales.parquet"])


def test_a_file_that_cannot_be_opened_is_one_sentence(place) -> None:  # type: ignore[no-untyped-def]
    """A name that is there no more, or that nobody may read, is refused like any other file, wherever it is."""
    folder, _ = place

    with pytest.raises(UnopenedError, match=r"no file, but|cannot be opened \(NoSuchKey\)"), folder.open(NAME):
        raise AssertionError


def test_companions_that_cannot_be_read_are_said_and_not_used(place) -> None:  # type: ignore[no-untyped-def]
    """A broken time.csv is no calendar, a broken products.csv has no names, and the log has each one's fault."""
    folder, put = place
    said: list[str] = []
    put("time.csv", b"shop_week,date_from\n200607,20060411\n")
    put("products.csv", b"CODE,NAME\nb,bread\n")

    assert usable_calendar(folder, said.append) is None
    assert usable_calendar(folder, lambda _: None, unreadable=frozenset()) == frozenset()
    assert usable_catalogue(folder, said.append).name("b") == "b"
    assert [sentence.split(":")[0] for sentence in said] == ["time.csv", "products.csv"]
