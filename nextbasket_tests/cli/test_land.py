"""`nextbasket land`: an account of every row, and errors in a sentence."""

import json
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from nextbasket_assets.cli import land as land_module
from nextbasket_assets.cli.main import main
from nextbasket_assets.intake.weekly import Weekly
from nextbasket_tests.intake.grocer import write_grocer

ALL = "--allow-refused=1"


def test_the_account_names_every_row_and_what_comes_next(tmp_path: Path) -> None:
    """Rows in, landed and refused with reasons, the weeks, and the settings for these years."""
    source, mapping = write_grocer(tmp_path / "export")
    result = CliRunner().invoke(main, ["land", str(source), f"--mapping={mapping}", f"--out={tmp_path / 'shop'}", ALL])

    assert result.exit_code == 0, result.output
    assert "sales.csv: 8 rows = 3 landed + 5 refused" in result.output
    assert "refused 1: QUANTITY is no number" in result.output
    assert "1 quantities were no whole number and count as the next one" in result.output
    assert "2 weeks in" in result.output
    assert "202404 (from 2024-02-26) to 202405 (from 2024-03-04): 2 new" in result.output
    assert "NEXTBASKET_FIRST_WEEK=2024-02-26 NEXTBASKET_LAST_WEEK=open nextbasket demo" in result.output


def test_a_program_reads_json(tmp_path: Path) -> None:
    """--json prints the report that is in land-report, and nothing else."""
    source, mapping = write_grocer(tmp_path / "export")
    arguments = ["land", str(source), f"--mapping={mapping}", f"--out={tmp_path / 'shop'}", ALL, "--json"]
    result = CliRunner().invoke(main, arguments)

    assert json.loads(result.output) == json.loads((tmp_path / "shop" / "land-report" / "report.json").read_text())


def test_no_row_is_of_the_future(tmp_path: Path) -> None:
    """A day later than tomorrow, which would be the shop's newest week, is refused with the rest of what is odd."""
    source, mapping = write_grocer(tmp_path / "export")
    source.write_text(source.read_text() + "2999-12-31T09:30:00,2,9,bo,4001,ignored,1,1,small\n")
    result = CliRunner().invoke(main, ["land", str(source), f"--mapping={mapping}", f"--out={tmp_path / 'shop'}", ALL])

    assert "sales.csv: 9 rows = 3 landed + 6 refused" in result.output
    assert "refused 1: sold_at is in the future" in result.output
    assert "2 weeks in" in result.output


def test_tomorrow_is_today_somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day that has begun in some zone is landed, the one after it is refused."""
    source, mapping = write_grocer(tmp_path / "export")  # rows of 3 and 4 March 2024
    for today, count in ((date(2024, 3, 3), "3 landed"), (date(2024, 3, 2), "1 landed")):
        monkeypatch.setattr(land_module, "date", SimpleNamespace(today=lambda today=today: today))
        arguments = ["land", str(source), f"--mapping={mapping}", f"--out={tmp_path / str(today)}", ALL]

        assert f"sales.csv: 8 rows = {count}" in CliRunner().invoke(main, arguments).output


def test_an_error_is_a_sentence(tmp_path: Path) -> None:
    """What, why and what to do, without a traceback; nothing is made."""
    result = CliRunner().invoke(main, ["land", str(tmp_path), f"--out={tmp_path / 'shop'}"])

    assert result.exit_code == 4
    assert "no transactions_YYYYWW.csv[.gz] there" in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "shop").exists()


def test_weeks_of_other_years_name_the_settings_they_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo on files of 2024 without settings says which to set, before it makes anything."""
    source, mapping = write_grocer(tmp_path / "export")
    CliRunner().invoke(main, ["land", str(source), f"--mapping={mapping}", f"--out={tmp_path / 'shop'}", ALL])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEXTBASKET_LANDING", "shop")
    for name in ("NEXTBASKET_LAKE", "NEXTBASKET_FIRST_WEEK", "NEXTBASKET_LAST_WEEK", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(main, ["demo"])

    assert result.exit_code == 4
    assert "2 landed week(s), the first 202404 (2024-02-26), lie outside the weeks wanted" in result.output
    assert "Set NEXTBASKET_FIRST_WEEK=2024-02-26 and NEXTBASKET_LAST_WEEK=open" in result.output
    assert not (tmp_path / ".nextbasket" / "shop" / "lake").exists()


def test_what_lies_beside_the_weeks_is_landed_alone(tmp_path: Path) -> None:
    """Without a weekly file the files are told, and no weeks; the next command is named when weeks are there."""
    (tmp_path / "products.csv").write_text("PROD_CODE,PROD_NAME\n1,x\n")
    arguments = ["land", str(tmp_path / "products.csv"), f"--out={tmp_path / 'shop'}"]
    first, again = (CliRunner().invoke(main, arguments) for _ in range(2))

    assert first.exit_code == again.exit_code == 0
    assert f"products.csv in {tmp_path / 'shop'}: new" in first.output
    assert f"products.csv in {tmp_path / 'shop'}: unchanged" in again.output
    assert "Next:" not in first.output


def test_what_the_machine_refuses_is_told(tmp_path: Path) -> None:
    """A file where the landing folder should be: the place, what the machine said, and what to do."""
    source, mapping = write_grocer(tmp_path / "export")
    result = CliRunner().invoke(main, ["land", str(source), f"--mapping={mapping}", f"--out={mapping}"])

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-3:] == [
        "error  Nothing was landed.",
        f"why    {mapping}: File exists.",
        "to do  Name as --out a folder that this process may make and write into, and sources that it may read.",
    ]


def test_what_was_not_read_and_what_was_replaced_beside_the_weeks_is_told(tmp_path: Path) -> None:
    """The other files and folders of the source, and a products.csv that another one took the place of."""
    source, mapping = write_grocer(tmp_path / "export")
    (source.parent / "february").mkdir()
    arguments = ["land", str(source.parent), f"--mapping={mapping}", f"--out={tmp_path / 'shop'}", ALL]
    first = CliRunner().invoke(main, arguments)
    articles = source.parent / "articles.csv"
    articles.write_text(articles.read_text().replace("1 l", "2 l"))
    second = CliRunner().invoke(main, arguments)

    assert "not read in the named folders: february, grocer.yaml" in first.output
    assert "products.csv replaced" not in first.output
    assert "products.csv replaced" in second.output


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """What is full is the landing folder's disk: it is named, with what a landing needs; nothing stays but the lock."""
    source, mapping = write_grocer(tmp_path / "export")
    head, row = source.read_text().splitlines()[:2]
    source.write_text("\n".join([head, *[row] * 5000, ""]))
    out = tmp_path / "shop"
    command = (
        f"from nextbasket_assets.cli.main import main; main(['land', '{source}', '--mapping={mapping}', '--out={out}'])"
    )
    limited = f'ulimit -f 64; {sys.executable} -c "{command}"'
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 1
    assert f"why    {out}: File too large.\nto do  Make room there: some 200 bytes for each row" in done.stderr
    assert [path.name for path in out.iterdir()] == [".land-lock"]


def test_a_landing_that_is_told_to_end_leaves_no_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM ends the command as an interrupt does, and the lines in the making go."""
    source, mapping = write_grocer(tmp_path / "export")
    monkeypatch.setattr(Weekly, "compress", lambda _: signal.raise_signal(signal.SIGTERM))
    out, former = tmp_path / "shop", signal.getsignal(signal.SIGTERM)
    result = CliRunner().invoke(main, ["land", str(source), f"--mapping={mapping}", f"--out={out}", ALL])

    assert result.exit_code == 143
    assert [path.name for path in out.iterdir()] == [".land-lock"]
    assert signal.getsignal(signal.SIGTERM) == former


def test_what_may_be_wrong_with_the_export_is_told(tmp_path: Path) -> None:
    """A last line without an end, lines of unknown items and lines of two sources; the next command may be pasted."""
    source, mapping = write_grocer(tmp_path / "export")
    source.write_text("\n".join(source.read_text().splitlines()[:3]).replace("4001", "4009"))
    source.with_name("again.csv").write_bytes(source.read_bytes())
    result = CliRunner().invoke(
        main, ["land", str(source.parent), f"--mapping={mapping}", f"--out={tmp_path / 'my shop'}"]
    )

    assert "sales.csv: 2 rows = 0 landed + 0 refused + 2 of an earlier source, too" in result.output
    assert "sales.csv: the last line has no line end; look whether the file is whole" in result.output
    assert "2 lines are of items that the products file lacks: no category" in result.output
    assert f"NEXTBASKET_LANDING='{tmp_path / 'my shop'}' NEXTBASKET_FIRST_WEEK" in result.output
