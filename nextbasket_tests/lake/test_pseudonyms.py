"""How the lake writes a customer code, when codes look like pseudonyms, too."""

import hashlib
from pathlib import Path

import pytest

from nextbasket_assets.lake import erasure
from nextbasket_assets.lake.erasure import erase_customer
from nextbasket_assets.lake.pseudonyms import code_in
from nextbasket_assets.lake.publish import ERASED, Provenance, publish, stage
from nextbasket_assets.lake.staged_files import write_rows
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.pseudonyms import PseudonymError, fingerprint, pseudonym
from nextbasket_tests.report.weekly.weeks import FIRST, basket, put

KEY = "k" * 32
DIGEST = hashlib.sha256(b"4711").hexdigest()  # the code of a retailer that delivers digests
HIDDEN = pseudonym(KEY.encode(), DIGEST)


@pytest.fixture
def key(tmp_path: Path) -> str:
    (tmp_path / "key").write_text(KEY)
    return str(tmp_path / "key")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake under the key, with one customer."""
    lake = Lake(str(tmp_path / "lake"))
    with stage(lake, "raw_transactions", "run") as folder:
        write_rows(lake, "raw_transactions", folder, FIRST, [])
        made = Provenance("run", "code", {}, pseudonyms=fingerprint(KEY.encode()))
        publish(lake, "raw_transactions", folder, [FIRST], made)
    put(lake, "staged_baskets", FIRST, [basket(1, FIRST, ["bread"], customer=HIDDEN)])
    return lake


def test_a_code_may_look_like_a_pseudonym(lake: Lake, key: str) -> None:
    """A plain code of 64 hexadecimal digits is translated like any other, known or not."""
    assert code_in(lake, DIGEST, key) == HIDDEN
    assert code_in(lake, "0" * 64, key) == pseudonym(KEY.encode(), "0" * 64)
    assert code_in(lake, "4711", key) == pseudonym(KEY.encode(), "4711")


def test_a_pseudonym_of_the_lake_may_be_given(lake: Lake, key: str) -> None:
    """What the lake shows is taken as it is, also when a killed run left a file that nobody can read."""
    Path(lake.path("staged_baskets"), "stump.parquet").write_bytes(b"PAR1")

    assert code_in(lake, HIDDEN, key) == HIDDEN
    assert code_in(lake, DIGEST, key) == HIDDEN


def test_the_code_of_one_may_be_the_pseudonym_of_another(lake: Lake, key: str) -> None:
    """Of the two whom the lake then has, the one is meant whose code it is."""
    put(
        lake,
        "staged_baskets",
        FIRST,
        [basket(n, FIRST, ["tea"], customer=one) for n, one in enumerate((HIDDEN, DIGEST))],
    )

    assert code_in(lake, DIGEST, key) == HIDDEN


def test_a_lake_keeps_its_key(lake: Lake, key: str) -> None:
    """Plain codes and another key are refused, after an erasure too; a lake of plain codes refuses every key."""
    erase_customer(lake, HIDDEN, "erasing")
    with stage(lake, "raw_transactions", "erasing") as folder:
        publish(lake, "raw_transactions", folder, [FIRST], Provenance("erasing", "code", {}, ERASED))
    Path(key).write_text("o" * 32)
    for other in (None, key):
        with pytest.raises(PseudonymError, match="the lake's customers are pseudonyms under the key"):
            code_in(lake, DIGEST, other)
    with stage(lake, "raw_transactions", "run") as folder:
        publish(lake, "raw_transactions", folder, [FIRST], Provenance("run", "code", {}))

    with pytest.raises(PseudonymError, match="the lake's customers are plain codes"):
        code_in(lake, DIGEST, key)
    assert code_in(lake, "4711", None) == "4711"


def test_an_erasure_that_died_knows_its_pseudonym_again(lake: Lake, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest version is without the customer, an old file is not: the pseudonym, given again, erases the rest."""

    def stopped(*_: object) -> None:
        raise RuntimeError("stopped")

    with monkeypatch.context() as broken, pytest.raises(RuntimeError, match="stopped"):
        broken.setattr(erasure, "_purge", stopped)
        broken.setattr(erasure, "personal_tables", lambda: ["staged_baskets"])
        erase_customer(lake, HIDDEN, "run-two")
    receipt = erase_customer(lake, code_in(lake, HIDDEN, key), "run-three")

    assert len(receipt.deleted["staged_baskets"]) == 1
    assert not erasure.knows(lake, HIDDEN)
