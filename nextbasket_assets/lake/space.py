"""No space left: one sentence with the place and the need, whichever engine met it first."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from nextbasket_assets.lake.tables import LakeError

_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_WORDS = ("No space left on device", "Disk quota exceeded", "File too large")
_MEGABYTE = 1 << 20


@contextmanager
def room(place: str, need: int) -> Iterator[None]:
    """Explain an error of the disk in the block.

    Args:
        place: what is being written, by its path or URI.
        need: bytes that it took the last time; 0 when nobody knows.

    Raises:
        LakeError: there was no space left.
    """
    try:
        yield
    except Exception as error:
        if not _is_full(error):
            raise
        wanted = f"need ~{max(need // _MEGABYTE, 1)} MB" if need else "its size is not known yet"
        raise LakeError(
            f"no space left writing {place} ({wanted}). Nothing was published, the last good version stays. "
            "Free some space, or move the lake (NEXTBASKET_LAKE), and run again."
        ) from error


def _is_full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in _NUMBERS:
            return True
        if any(words in str(error) for words in _WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False
