"""A place that takes no writing is one sentence, however deep the disk's own error lies."""

import errno

import pytest

from nextbasket_assets.lake.space import room
from nextbasket_assets.lake.tables import LakeError


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "no space left writing PLACE"),
        (errno.EDQUOT, "no space left writing PLACE"),
        (errno.EACCES, "cannot write PLACE"),
        (errno.EROFS, "cannot write PLACE"),
    ],
)
def test_the_number_of_an_error_tells(number: int, said: str) -> None:
    """Without a word of it, behind an error of another engine."""
    with pytest.raises(LakeError, match=said), room("PLACE", 0):
        try:
            raise OSError(number, "")
        except OSError as error:
            raise ValueError("a stage failed") from error


@pytest.mark.parametrize(
    ("need", "said"), [(0, "its size is not known yet"), (1, "need ~1 MB"), (3 << 20, "need ~3 MB")]
)
def test_the_need_is_said(need: int, said: str) -> None:
    """What the week took the last time, in megabytes, one at least."""
    with pytest.raises(LakeError, match=said), room("PLACE", need):
        raise OSError(errno.ENOSPC, "")
