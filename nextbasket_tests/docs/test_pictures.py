"""The README's pictures are small, and a script makes every one of them."""

import struct
from pathlib import Path

import pytest

from nextbasket_tests.docs.commands import ROOT

PICTURES = ROOT / "docs" / "pictures"


@pytest.mark.parametrize("picture", sorted(PICTURES.glob("*.png")), ids=lambda picture: picture.name)
def test_a_picture_is_small_shown_and_made_by_the_script(picture: Path) -> None:
    """At most 1,400 points wide and 150 kB; the README shows it; `make.py` writes it."""
    width = struct.unpack(">I", picture.read_bytes()[16:20])[0]

    assert width <= 1400
    assert picture.stat().st_size < 150_000
    assert f"docs/pictures/{picture.name}" in (ROOT / "README.md").read_text()
    assert f'"{picture.name}"' in (PICTURES / "make.py").read_text()
