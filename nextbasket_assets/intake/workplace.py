"""Where a landing makes its files: one landing at a time, and nothing of a killed one stays."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nextbasket_assets.landing import UNFINISHED, LandingError

_LOCK = f"{UNFINISHED}lock"


@contextmanager
def workplace(out: Path) -> Iterator[Path]:
    """A folder to make files in, on the disk of the landing folder, while no other landing may.

    Raises:
        LandingError: another one is at work; its plan and this one's could each lose lines that the other brings.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LandingError(f"{out}: another landing into it is at work. Land again when it has ended.") from error
        for left in out.glob(f"{UNFINISHED}*"):
            if left.is_dir():
                shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=out) as name:
            yield Path(name)
