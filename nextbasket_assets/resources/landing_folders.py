"""A folder of weekly files on a disk or in a bucket: listed and opened by the same calls."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO, Protocol, cast

from nextbasket_assets.arrivals import COMPANIONS, Listed
from nextbasket_assets.errors import NextbasketError
from nextbasket_assets.lake.storage import Bucket
from nextbasket_assets.landing import UNFINISHED, LandingError, week_of
from nextbasket_assets.resources.emr.calls import passing


class UnopenedError(LandingError):
    """A file that could not be opened. Another time it may be, though the listing shows it as it was."""


class BrokenOffError(NextbasketError):
    """A file whose bytes ended before it did. The file is as it was: read from its first byte it may be whole."""


class Folder(Protocol):
    """What a landing folder can do, wherever it is."""

    def list(self) -> list[Listed]:
        """Every name directly inside it, with size and fingerprint, but those that a landing is at work under."""

    def beside(self) -> Iterator[str]:
        """Every other file below it, the companions aside: what landings left there, and what anybody else did."""

    def uri(self, name: str) -> str:
        """How Spark names a file of it."""

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A file of it, as bytes."""


@dataclass(frozen=True)
class LocalFolder:
    """A landing folder on a disk."""

    path: Path

    def list(self) -> list[Listed]:
        """Files, and what only bears a weekly file's name; the fingerprint changes with content, whatever `cp -p` keeps."""
        if not self.path.is_dir():
            raise LandingError(
                f"{self.path}: no such landing folder. Create it, or set NEXTBASKET_LANDING to the right one."
            )
        entries = sorted(os.scandir(self.path), key=lambda entry: entry.name)
        found = {entry.name: _stat(entry) for entry in entries if not entry.name.startswith(UNFINISHED)}
        listed = {name: stat for name, stat in found.items() if stat and (S_ISREG(stat.st_mode) or week_of(name))}
        return [Listed(name, stat.st_size, f"{stat.st_mtime_ns} {stat.st_ctime_ns}") for name, stat in listed.items()]

    def beside(self) -> Iterator[str]:
        """The report of the last landing, the files of a killed one, and whatever else lies there."""
        names = (str(path.relative_to(self.path)) for path in sorted(self.path.rglob("*")) if path.is_file())
        yield from filter(_may_tell, names)

    def uri(self, name: str) -> str:
        """Absolute path of a file."""
        return str(self.path / name)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A file's bytes.

        Raises:
            UnopenedError: it is no file, or this process may not read it.
        """
        if not (self.path / name).is_file():  # to open a pipe would wait for ever
            raise UnopenedError(
                f"{name}: no file, but a folder, a pipe, a link to nothing, or gone. Put the file itself there."
            )
        try:
            stream = (self.path / name).open("rb")
        except OSError as error:
            raise UnopenedError(f"{name}: cannot be opened ({error.strerror}). Let this process read it.") from error
        with stream:
            yield stream


def _may_tell(name: str) -> bool:
    """Whether a name is no week's and no companion's, which tell nobody."""
    return bool(name) and not name.endswith("/") and not week_of(name) and name not in COMPANIONS


def _stat(entry: os.DirEntry[str]) -> os.stat_result | None:
    """Of the file, of a link that leads nowhere, or of nothing when the name went meanwhile."""
    with suppress(OSError):
        return entry.stat()
    with suppress(FileNotFoundError):
        return entry.stat(follow_symlinks=False)
    return None


@dataclass(frozen=True)
class S3Folder:
    """A landing prefix of a bucket. Only whole objects are ever listed: S3 shows a multipart upload when it is complete."""

    bucket: str
    prefix: str

    def list(self) -> list[Listed]:
        """Objects directly below the prefix; the fingerprint is the ETag."""
        objects = {item["Key"].removeprefix(self.prefix): item for item in self._objects(Delimiter="/")}
        names = [name for name in objects if name and not name.startswith(UNFINISHED)]
        return [Listed(name, objects[name]["Size"], objects[name]["ETag"]) for name in names]

    def beside(self) -> Iterator[str]:
        """Whatever else was copied there."""
        yield from filter(_may_tell, (item["Key"].removeprefix(self.prefix) for item in self._objects()))

    def _objects(self, **how: str) -> Iterator[dict[str, Any]]:
        pages = self._client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix, **how):
            yield from page.get("Contents", ())

    def uri(self, name: str) -> str:
        """URI of an object."""
        return f"s3://{self.bucket}/{self.prefix}{name}"

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """An object's bytes, streamed.

        Raises:
            UnopenedError: it is gone, archived, or this process may not read or decrypt it.
            BrokenOffError: the connection ended in the middle of it.
            botocore.exceptions.ClientError: S3 did not answer for about a minute.
        """
        from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

        try:
            body = self._client().get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"]
        except ClientError as error:
            if passing(error):
                raise
            code = error.response.get("Error", {}).get("Code", "no code")
            raise UnopenedError(f"{name}: cannot be opened ({code}). Let this process read it.") from error
        try:
            yield cast(BinaryIO, body)
        except (HTTPClientError, IncompleteReadError) as error:
            raise BrokenOffError(f"{name}: S3 broke off while it was read. Run again.") from error
        finally:
            body.close()

    @staticmethod
    def _client() -> Any:  # boto3 builds its clients at run time
        """The lake's, which waits for S3 as long as it must."""
        return Bucket().client
