"""Keyed pseudonyms: one code one pseudonym, no plain code anywhere, one lake one key, and commands that take plain codes."""

import hmac
import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner
from pyspark.sql import SparkSession

from nextbasket_assets.cli.main import main
from nextbasket_assets.columns import TABLES
from nextbasket_assets.intake import values
from nextbasket_assets.lake.pseudonyms import read_key, recorded
from nextbasket_assets.pseudonyms import PseudonymError, fingerprint, key_of, pads, pseudonym
from nextbasket_assets.settings.places import SettingsError
from nextbasket_assets.settings.reading import settings
from nextbasket_assets.transforms.pseudonyms import pseudonymised
from nextbasket_tests.faults import shop
from nextbasket_tests.faults.test_privacy import raw_bytes
from nextbasket_tests.platforms import WEEKS, Platform, failure

KEY, OTHER = "canary-key-0123456789abcdef0123456789", "another-key-0123456789abcdef012345678"
CUSTOMER = "CUST0000000001"
ALLOW = {"nextbasket/allow": "few_lines_are_rejected"}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    (tmp_path / "secret").mkdir()
    path = tmp_path / "secret" / "pseudonym.key"
    path.write_text(KEY + "\n")
    return path


def hidden(platform: Platform, key: Path) -> Platform:
    platform.environment = {"NEXTBASKET_PSEUDONYM_KEY": str(key)}
    return platform


def test_a_pseudonym_is_hmac_sha256(spark: SparkSession) -> None:
    """Python's hmac, ours and Spark's agree, for keys longer than a block too; a missing code stays missing."""
    for secret in (KEY.encode(), b"k" * 100):
        wanted = hmac.new(secret, CUSTOMER.encode(), "sha256").hexdigest()
        lines = spark.createDataFrame(
            [(CUSTOMER, "1", "raw"), (None, "2", "raw"), (wanted, "3", "raw")],
            "customer string, basket string, raw_text string",
        )
        found = pseudonymised(spark, lines, secret)
        rows = [row["customer"] for row in found.collect()]
        plan = found._jdf.queryExecution().toString()

        assert pseudonym(secret, CUSTOMER) == wanted
        assert rows == [wanted, None, pseudonym(secret, wanted)], "a code may look like a pseudonym"
        assert not any(
            pad.hex() in plan.lower() or pad[:32].decode("latin-1") in plan for pad in (secret, *pads(secret))
        )


def test_a_basket_id_does_not_name_the_customer(spark: SparkSession) -> None:
    """An id of which the code is a part, cut short or not, is hidden as the code is; any other stays as it was delivered.

    One that a spreadsheet damaged can be seen to be damaged all the same.
    """
    long = "C" * 40 + "D" * 24
    ids = {
        f"{CUSTOMER}~20060410~08~S1": CUSTOMER,
        f"S1~{CUSTOMER}": CUSTOMER,
        CUSTOMER: CUSTOMER,
        "346~100514~20060410~08~S1": "346~100514",
        values.joined([long, "20060410", "08", "S1"]): long,
        values.joined(["20060410", "S1", long]): long,
    }
    damaged = {
        f"{CUSTOMER}~9.94E+14": CUSTOMER,
        f"9%2C94e+14~{CUSTOMER}~S1": CUSTOMER,
        "1E+15~20240108~08~S1": "1E+15",
        "4711.0": "4711.0",
        "346~9.94E+14": CUSTOMER,
    }
    others = {"994100100000001": CUSTOMER, f"{CUSTOMER}7~20060410": CUSTOMER, "1207~31": "07", "S1~4": None}
    lines = spark.createDataFrame(
        [(customer, basket, "raw") for basket, customer in {**ids, **others, **damaged}.items()],
        "customer string, basket string, raw_text string",
    )
    found = [row["basket"] for row in pseudonymised(spark, lines, KEY.encode()).collect()]

    hidden = [pseudonym(KEY.encode(), basket) for basket in ids]
    assert found == [*hidden, *others, "0E+0", "0E+0", "0E+0", "0E+0", "346~9.94E+14"]


@pytest.mark.parametrize("text", ["", "short", "x" * 31, "  " + "x" * 31 + "\n"])
def test_a_short_key_is_refused(text: str) -> None:
    """A key that can be guessed is none, and the message does not show it."""
    with pytest.raises(PseudonymError, match=r"expected at least 32.*openssl rand -hex 32") as said:
        key_of(text)
    assert "xxx" not in str(said.value)


def test_the_key_lies_apart(tmp_path: Path) -> None:
    """In the landing folder or the lake it is refused, and so is a file of this machine for EMR; a missing one is named."""
    places = {"NEXTBASKET_LANDING": str(tmp_path / "landing"), "NEXTBASKET_LAKE": str(tmp_path / "lake")}
    for inside in places.values():
        with pytest.raises(SettingsError, match="keep the key apart"):
            settings({**places, "NEXTBASKET_PSEUDONYM_KEY": f"{inside}/key"})
    with pytest.raises(SettingsError, match="NEXTBASKET_PSEUDONYM_KEY is s3://keys/key: the deployment 'local' needs"):
        settings({**places, "NEXTBASKET_PSEUDONYM_KEY": "s3://keys/key"})
    with pytest.raises(PseudonymError, match="gone: the pseudonym key cannot be read"):
        read_key(str(tmp_path / "gone"))


@pytest.mark.slow
def test_no_plain_code_is_written_anywhere(
    empty: Callable[[str], Platform], key: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Tables, rejected lines, logs, events: pseudonyms only, and no key; rows are those of plain codes but for the code."""
    plain, other = empty("plain"), hidden(empty("hidden"), key)
    lines = shop.lines(WEEKS[0])
    broken = [*lines, lines[0].replace(",1.5,", ",NaN,"), f"{CUSTOMER},1"]
    (tmp_path / "home").mkdir()
    for one in (plain, other):
        one.deliver(WEEKS[0], broken)
    assert plain.run("score_week", WEEKS[0], tags=ALLOW).success
    capfd.readouterr()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
        other.instance = instance
        refused, allowed = other.run("score_week", WEEKS[0]), other.run("score_week", WEEKS[0], tags=ALLOW)
    assert not refused.success
    assert allowed.success, failure(allowed)
    events = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())
    written = raw_bytes(other) + events + "".join(capfd.readouterr()).encode()

    assert CUSTOMER.encode() in raw_bytes(plain)
    for word in ("CUST0000", KEY, *(pad[:16].decode("latin-1") for pad in pads(KEY.encode()))):
        assert word.encode() not in written
    assert recorded(other.lake) == fingerprint(KEY.encode())
    assert [row["rule"] for row in other.rows("rejected_lines", WEEKS[0])] == ["spend", "field_count"]
    for table in ("raw_transactions", "staged_baskets", "customer_sequences", "next_basket_scores"):
        shown = [{**row, "customer": pseudonym(KEY.encode(), row["customer"])} for row in plain.rows(table, WEEKS[0])]
        assert sorted(shown, key=str) == other.rows(table, WEEKS[0]), table


@pytest.mark.slow
def test_another_key_and_no_key_are_refused(empty: Callable[[str], Platform], key: Path) -> None:
    """A lake's second week under another key, or plain, is red in one sentence, and the lake is what it was."""
    one = hidden(empty("one-key"), key)
    for week in WEEKS[:2]:
        one.deliver(week, shop.lines(week))
    assert one.run("score_week", WEEKS[0]).success
    before = shop.contents(one.lake)
    key.write_text(OTHER)
    for environment in (one.environment, {}):
        one.environment = environment
        result = one.run("score_week", WEEKS[1])
        assert not result.success
        assert "the lake's customers are pseudonyms under the key" in failure(result)
        assert KEY not in failure(result)
        assert OTHER not in failure(result)
        assert shop.contents(one.lake) == before
    assert shop.leftovers(one.lake) == []
    key.write_text(KEY)
    assert hidden(one, key).run("score_week", WEEKS[1]).success


def test_a_lake_of_plain_codes_stays_one(trained: Platform, key: Path) -> None:
    """A key that comes later is refused: one customer would be two."""
    result = hidden(trained, key).run("score_week", WEEKS[4])

    assert not result.success
    assert "the lake's customers are plain codes, and this run's are pseudonyms" in failure(result)


@pytest.mark.slow
def test_commands_take_the_plain_code(
    empty: Callable[[str], Platform], key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`customer` and `erase` find the person by the plain code; the landing file is searched for it; without the key: refused."""
    one = hidden(empty("commands"), key)
    one.deliver(WEEKS[0], shop.lines(WEEKS[0]))
    assert one.run("score_week", WEEKS[0]).success
    for name, value in {
        "NEXTBASKET_LANDING": str(one.root / "landing"),
        "NEXTBASKET_LAKE": one.lake.root,
        **one.environment,
    }.items():
        monkeypatch.setenv(name, value)
    shown = CliRunner().invoke(main, ["customer", CUSTOMER])
    erased = CliRunner().invoke(main, ["erase", "-", "--yes"], input=CUSTOMER + "\n")
    again = CliRunner().invoke(main, ["customer", CUSTOMER])
    monkeypatch.delenv("NEXTBASKET_PSEUDONYM_KEY")
    keyless = CliRunner().invoke(main, ["erase", CUSTOMER, "--yes"])

    assert shown.exit_code == 0, shown.output
    assert pseudonym(KEY.encode(), CUSTOMER) in shown.output
    assert erased.exit_code == 0, erased.output
    receipt = json.loads(erased.output[: erased.output.rindex("}") + 1])
    assert receipt["rows"]["staged_baskets"] == 2
    assert receipt["landing_files_that_still_hold_the_customer"] == ["transactions_200607.csv.gz"]
    assert again.exit_code != 0
    assert "this run's are plain codes" in keyless.output
    assert all(
        pseudonym(KEY.encode(), CUSTOMER) not in str(one.rows(table, week))
        for table in TABLES
        for week in one.lake.weeks(table)
    )
