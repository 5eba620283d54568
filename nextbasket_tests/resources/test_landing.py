"""The landing folder, on a disk and in a bucket."""

import gzip
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from nextbasket_assets.landing import FIELDS, LandingError
from nextbasket_assets.resources.landing import Folder, LandingResource, files_of

WEEK = date(2006, 4, 10)
NAME = "transactions_200607.csv"
TEXT = ",".join(FIELDS).encode() + b"\n" + b",".join([b"x"] * len(FIELDS)) + b"\n"


@pytest.fixture(params=["local", "s3"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Folder, object]]:
    """A folder and a function that puts a file into it."""
    if request.param == "local":
        yield LandingResource(uri=str(tmp_path)).folder(), lambda name, data: (tmp_path / name).write_bytes(data)
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
    """Names, sizes and fingerprints of the files directly inside; other content has another fingerprint."""
    folder, put = place
    assert folder.list() == []

    put(NAME, b"ab")
    [before] = folder.list()
    put(NAME, b"cde")
    [after] = folder.list()

    assert (before.name, before.size, after.size) == (NAME, 2, 3)
    assert before.fingerprint != after.fingerprint


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


def test_two_files_for_one_week_are_refused(place) -> None:  # type: ignore[no-untyped-def]
    """Two files with different content for one week: neither is chosen."""
    folder, put = place
    put(NAME, TEXT)
    put(NAME + ".gz", gzip.compress(TEXT + b",".join([b"y"] * len(FIELDS)) + b"\n"))

    with pytest.raises(LandingError, match="is another file for week 200607"):
        files_of(folder, [WEEK])


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
