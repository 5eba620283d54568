"""A place that takes no writing: one sentence with the place and the need, whichever engine met it first."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from nextbasket_assets.lake.tables import LakeError

_FULL = (
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG},
    ("No space left on device", "Disk quota exceeded", "File too large"),
)
_CLOSED = (
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR},
    ("Permission denied", "Read-only file system", "Not a directory"),
)
_MEGABYTE = 1 << 20


@contextmanager
def room(place: str, need: int) -> Iterator[None]:
    """Explain an error of the disk in the block.

    Args:
        place: what is being written, by its path or URI.
        need: bytes that it took the last time; 0 when nobody knows.

    Raises:
        LakeError: there was no space left, or the place takes no files of this process.
    """
    try:
        yield
    except Exception as error:
        if _is(error, _CLOSED):
            raise LakeError(
                f"cannot write {place} ({_first(error)}). Nothing was published, the last good version stays. "
                "Let this process write there, or move the lake (NEXTBASKET_LAKE), and run again."
            ) from error
        if not _is(error, _FULL):
            raise
        wanted = f"need ~{max(need // _MEGABYTE, 1)} MB" if need else "its size is not known yet"
        raise LakeError(
            f"no space left writing {place} ({wanted}). Nothing was published, the last good version stays. "
            "Free some space, or move the lake (NEXTBASKET_LAKE), and run again."
        ) from error


def _is(error: BaseException | None, kind: tuple[set[int], tuple[str, ...]]) -> bool:
    numbers, words = kind
    while error is not None:
        if isinstance(error, OSError) and error.errno in numbers:
            return True
        if any(word in str(error) for word in words):
            return True
        error = error.__cause__ or error.__context__
    return False


def _first(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
