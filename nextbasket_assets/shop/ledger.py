"""What a shop wrote into its folder, so that nobody else's file is written over.

`ground_truth/written.sha256` names the shop's arguments, then each file with its digest, listed before the file is
written: an interrupted shop knows its own files. The last line says that it is finished. `sha256sum -c` reads it.
"""

import fcntl
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nextbasket_assets.shop.landing_files import TRUTH, packed, write_whole

NAME = f"{TRUTH}/written.sha256"
_LOCK = f"{TRUTH}/.writing"
_FINISHED = "# finished"
_FILE = re.compile(r"([0-9a-f]{64})  (.+)")


class FolderTakenError(ValueError):
    """A folder has files that a shop may not write over, or that would be left among its own."""


class Ledger:
    """The files of a folder that a shop wrote, and `arguments` and state of the last shop; empty where none began."""

    def __init__(self, out: Path) -> None:
        self._out, self._path = out, out / NAME
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        self.begun = bool(lines)
        self.finished = bool(lines) and lines[-1] == _FINISHED
        self.arguments: dict[str, Any] = json.loads(lines[0].removeprefix("# ")) if lines else {}
        self._listed: dict[str, set[str]] = {}
        for found in filter(None, map(_FILE.fullmatch, lines)):
            self._listed.setdefault(found[2], set()).add(found[1])

    def check(self, names: list[str]) -> None:
        """That a shop of these files may be written here.

        Raises:
            FolderTakenError: one of them, or a weekly file, is there and is not as a shop wrote it; or a week would be left over.
        """
        weekly = {path.name for path in self._out.glob("transactions_*")}
        others = [name for name in sorted(weekly | self._truths() | set(names)) if self._is_foreign(name)]
        if others:
            raise FolderTakenError(
                f"{len(others)} file(s) in {self._out} were not written by a shop, or were changed since, {others[0]} "
                "first: move them away"
            )
        left = sorted(weekly - set(names))
        if left:
            longer = self.arguments["weeks"]
            raise FolderTakenError(
                f"{len(left)} weekly file(s) in {self._out} are of a shop of {longer} weeks and would be left among those "
                f"of this one, {left[0]} first: remove them, or write {longer} weeks"
            )

    @contextmanager
    def writing(self, arguments: dict[str, Any], names: list[str]) -> Iterator[None]:
        """While a shop of these files is written; it is finished when nothing was raised.

        Raises:
            FolderTakenError: another process is writing a shop here.
        """
        (self._out / TRUTH).mkdir(parents=True, exist_ok=True)
        with _alone(self._out):
            for name in self._truths() - set(names):
                (self._out / name).unlink()
            begun = f"# {json.dumps(arguments)}\n"
            known = [f"{digest}  {name}\n" for name in names for digest in sorted(self._listed.get(name, ()))]
            write_whole(self._path, (begun + "".join(known)).encode())
            yield
            there = [name for name in names if (self._out / name).exists()]
            files = [f"{_digest((self._out / name).read_bytes())}  {name}\n" for name in there]
            write_whole(self._path, (begun + "".join(files) + _FINISHED + "\n").encode())

    def write(self, name: str, text: str) -> None:
        """Write a file of the shop, gzipped if its name says so."""
        content = packed(name, text)
        with self._path.open("a", encoding="utf-8") as ledger:
            ledger.write(f"{_digest(content)}  {name}\n")
        write_whole(self._out / name, content)

    def _truths(self) -> set[str]:
        return {f"{TRUTH}/{path.name}" for path in (self._out / TRUTH).glob("missions_*")}

    def _is_foreign(self, name: str) -> bool:
        path = self._out / name
        return path.exists() and (path.is_dir() or _digest(path.read_bytes()) not in self._listed.get(name, ()))


def lacks_a_shop(out: Path) -> bool:
    """Whether a folder has no weekly file, or a shop whose writing was interrupted."""
    ledger = Ledger(out)
    return not any(out.glob("transactions_*")) or (ledger.begun and not ledger.finished)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """While no other process writes a shop into this folder; the lock ends with the process."""
    with (out / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderTakenError(f"another process is writing a shop into {out}: wait for its end") from error
        yield


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
