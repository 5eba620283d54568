"""What the commands show: on a terminal as tables, with --json as one document."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from rich.console import Console

from nextbasket_assets.catalogue import Catalogue
from nextbasket_assets.cli.looking import show_evaluation
from nextbasket_assets.cli.opened import week_in
from nextbasket_assets.lake import reports
from nextbasket_assets.lake.tables import Lake, NotThereError
from nextbasket_assets.landing import monday
from nextbasket_assets.report.answers import customer_answer, evaluation_answer
from nextbasket_assets.report.console import customer_tables, evaluation_tables
from nextbasket_tests.cli import small_lake
from nextbasket_tests.cli.conftest import Run
from nextbasket_tests.exports.small import MONDAY
from nextbasket_tests.report.weekly import weeks


def test_a_customer_is_their_history_their_trip_and_their_list(on_lake: Run) -> None:
    """One JSON document on stdout, nothing else; names from products.csv, the newest basket first."""
    result = on_lake("customer", "CAT", "--baskets=2", "--items=2", "--json")
    answer = json.loads(result.stdout)

    assert (answer["customer"], answer["retail_week"], answer["baskets_seen"]) == ("CAT", "200607", 3)
    assert [basket["date"] for basket in answer["history"]] == ["2006-04-12", "2006-04-11"]
    assert answer["history"][0]["items"] == [{"item": "a", "name": "apples"}, {"item": "b", "name": "b"}]
    assert answer["next_trip"]["expected_items"] == 9
    assert [(row["rank"], row["item"], row["name"]) for row in answer["next_basket"]] == [
        (1, "e", "e"),
        (2, "a", "apples"),
    ]
    assert answer["next_basket"][0]["reason"] == "bought in 3 of 4 baskets"


def test_a_customer_is_found_by_the_retailers_own_code(on_lake: Run, tmp_path: Path) -> None:
    """The code is turned into the one that `land` makes of it, and stderr names it; nobody else is shown for it."""
    result = on_lake("customer", "A NN", "--json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "Looked for the code as the landing files have it: A%20NN\n" in result.stderr

    assert json.loads(on_lake("customer", " CAT ", "--json").stdout)["customer"] == "CAT"


def test_without_a_code_the_longest_history_is_shown(on_lake: Run) -> None:
    """CAT has the most baskets."""
    result = on_lake("customer")

    assert result.exit_code == 0, result.output
    assert "Customer CAT: the last 3 of 3 baskets" in result.stdout
    assert "expected in 3 days, within 7 days at 50%, with 9 items" in result.stdout
    assert "apples" in result.stdout


def test_the_newest_week_is_shown_where_none_is_named() -> None:
    """A week that is not there is refused with the newest five that are."""
    held = [monday(f"2006{number}") for number in range(11, 18)]
    lake = cast(Lake, SimpleNamespace(weeks=lambda _: held))

    assert week_in(lake, "missions", None) == held[-1]
    assert week_in(lake, "missions", held[0]) == held[0]
    with pytest.raises(NotThereError, match=r"no week 200610.* the newest are: 200613, 200614, 200615, 200616, 200617"):
        week_in(lake, "missions", monday("200610"))


def test_lists_are_not_judged_by_the_week_they_were_made_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before a later week is there nobody knows what people bought afterwards; then the forty who came are judged."""
    lake = weeks.small_lake(str(tmp_path / "lake"), weeks.WEEKS[:2])
    show_evaluation(lake, weeks.WEEKS[1], as_json=True)
    before = json.loads(capsys.readouterr().out)
    weeks.deliver(lake, weeks.WEEKS[2])
    show_evaluation(lake, weeks.WEEKS[1], as_json=True)
    after = json.loads(capsys.readouterr().out)

    assert before["afterwards"] == []
    assert after["afterwards"] != []


@pytest.mark.parametrize("width", [80, 140])
def test_tables_fit_the_terminal(tmp_path: Path, width: int) -> None:
    """No line is wider than the terminal, and no word is cut off with dots."""
    lake = small_lake.write(tmp_path)
    scores = [row for row in lake.read("next_basket_scores", [MONDAY]).to_pylist() if row["customer"] == "ANN"]
    held = [
        {
            "method": "combined top-frequency",
            "metric": metric,
            "k": k,
            "value": 0.25,
            "customers": 12345,
            "decile": None,
        }
        for metric, k in (("recall", 10), ("recall", 20), ("ndcg", 10), ("ndcg", 20), ("phr", 10), ("precision", 10))
    ]
    console = Console(width=width, record=True, quiet=True)
    with console.capture() as text:
        console.quiet = False
        console.print(customer_tables(customer_answer(lake, MONDAY, "ANN", scores, Catalogue(), 3)))
        console.print(evaluation_tables(evaluation_answer(lake, MONDAY, held, []), 3))

    assert max(map(len, text.get().splitlines())) <= width
    assert "…" not in text.get()
    assert "12,345 customers" in text.get()


def test_names_are_no_markup(on_lake: Run, tmp_path: Path) -> None:
    """A product's name with brackets is shown as it was delivered."""
    (tmp_path / "landing" / "products.csv").write_text("PROD_CODE,PROD_NAME\na,apples [/2008] :smile:\n")
    result = on_lake("customer", "CAT")

    assert result.exit_code == 0, result.output
    assert "apples [/2008] :smile:" in result.stdout


def test_names_command_no_terminal(on_lake: Run, tmp_path: Path) -> None:
    """Escape sequences of a name, of both control ranges, and of a mission that was asked for reach no terminal."""
    (tmp_path / "landing" / "products.csv").write_text(
        "PROD_CODE,PROD_NAME\na,app\x1b[2Jl\x9b2Je\x7f\n", encoding="utf-8"
    )
    result = on_lake("customer", "CAT")

    assert result.exit_code == 0, result.output
    assert "app\ufffd[2Jl\ufffd2Je\ufffd" in result.stdout
    assert not {"\x1b", "\x9b", "\x7f"} & {*result.stdout}


def test_a_stdout_that_lacks_letters_shows_the_others(on_lake: Run, tmp_path: Path) -> None:
    """In an encoding without a name's letters there are question marks, and no traceback."""
    (tmp_path / "landing" / "products.csv").write_text("PROD_CODE,PROD_NAME\na,äpples\n", encoding="utf-8")
    nextbasket = [sys.executable, "-c", "from nextbasket_assets.cli.main import main; main()", "customer", "CAT"]
    done = subprocess.run(nextbasket, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=False)

    assert done.returncode == 0, done.stderr.decode()
    assert b"?pples" in done.stdout


def test_names_that_cannot_be_read_cost_the_names_only(on_lake: Run, tmp_path: Path) -> None:
    """With a broken products.csv the customer is shown and the lists leave, by their codes; stderr says why."""
    (tmp_path / "landing" / "products.csv").write_text("CODE,NAME\na,apples\n")
    shown, exported = on_lake("customer", "CAT", "--json"), on_lake("export", "--out=x", "--json")

    assert (shown.exit_code, exported.exit_code) == (0, 0)
    assert {row["name"] for row in json.loads(shown.stdout)["next_basket"]} == {"a", "b", "c", "e"}
    assert "warning  products.csv: no column" in shown.stderr
    assert "warning  products.csv: no column" in exported.stderr


def test_a_report_that_cannot_be_copied_names_the_option(
    on_lake: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the copy cannot be written, the remedy is another --out, and no setting."""
    monkeypatch.setattr("nextbasket_assets.cli.report.week_in", lambda *_: MONDAY)
    monkeypatch.setattr(reports, "read", lambda *_: "page")
    result = on_lake("report", "--out=nowhere/x.html")

    assert result.exit_code == 1
    assert result.stderr.splitlines()[1:] == [
        "why    nowhere/x.html: No such file or directory.",
        "to do  Name as --out a place that this process may make and write into, with room for it.",
    ]


def test_a_report_has_the_light_of_its_worst_broken_claim(
    on_lake: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program reads the light with --json, as the page shows it."""
    claims = [
        {"claim": "a", "light": "red", "held": True, "found": ""},
        {"claim": "b", "light": "amber", "held": False, "found": ""},
    ]
    weeks.put(Lake(str(tmp_path / "lake")), "weekly_report", MONDAY, claims)
    monkeypatch.setattr(reports, "read", lambda *_: "page")
    answer = json.loads(on_lake("report", "--json").stdout)

    assert (answer["light"], len(answer["claims"])) == ("amber", 2)
