"""Errors are three lines on stderr, and the exit code says which kind it was."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import NoCredentialsError
from sqlalchemy.exc import OperationalError

from nextbasket_assets.cli import home
from nextbasket_assets.cli.failing import why_and_remedy
from nextbasket_assets.errors import EXIT_CODES, facts_and_remedy
from nextbasket_tests.cli.conftest import Run
from nextbasket_tests.faults.test_runbook import ROOT, text_of


@pytest.mark.parametrize(
    ("arguments", "code", "lines"),
    [
        (
            ("customer", "DAN"),
            3,
            (
                "error  The customer is not shown.",
                "why    Week 200607 has no scores for that customer code.",
                "to do  Check the code, or choose another --week.",
            ),
        ),
        (
            ("missions",),
            3,
            (
                "error  The missions are not shown.",
                "why    mission_topics has no week yet.",
                "to do  Run `nextbasket demo`, or materialise it in the UI.",
            ),
        ),
        (
            ("export", "--out=x", "--week=200701"),
            3,
            (
                "error  Nothing was exported.",
                "why    next_basket_scores has no week 200701.",
                "to do  Choose one that is there; the newest are: 200607.",
            ),
        ),
        (
            ("export", "--out=x", "--holdout-share=0.1"),
            4,
            (
                "error  Nothing was exported.",
                "why    A hold-out is drawn for a campaign, and none is named.",
                "to do  Name the campaign.",
            ),
        ),
        (
            ("rollback", "--reason=x"),
            3,
            (
                "error  Nothing was rolled back.",
                "why    rnn_model: no champion to roll back.",
                "to do  Train one first (job train_models).",
            ),
        ),
        (
            ("erase", " ", "--yes"),
            4,
            (
                "error  The erasure is not complete.",
                "why    The customer code is none: expected up to 64 visible characters. Nothing was erased.",
                "to do  Give the code as it stands in the files.",
            ),
        ),
    ],
)
def test_an_error_is_three_lines(on_lake: Run, arguments: tuple[str, ...], code: int, lines: tuple[str, ...]) -> None:
    """What did not happen, why, and what to do; nothing on stdout, no traceback."""
    result = on_lake(*arguments)

    assert tuple(result.stderr.splitlines()) == lines
    assert result.stdout == ""
    assert result.exit_code == code


def test_a_wrong_setting_is_bad_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that means nothing stops every command with one code."""
    monkeypatch.setenv("NEXTBASKET_DEPLOYMENT", "moon")
    result = run("doctor")

    assert result.exit_code == 4
    assert "NEXTBASKET_DEPLOYMENT is 'moon'" in result.stderr


def test_a_wrong_command_line_is_two(run: Run) -> None:
    """Usage errors keep click's code and show the usage."""
    assert run("customer", "--nonsense").exit_code == 2


TREES = {path: ast.parse(path.read_text()) for path in sorted((ROOT / "nextbasket_assets").rglob("*.py"))}


def classes() -> set[str]:
    """Names of NextbasketError and of all that derive from it."""
    bases = {
        node.name: {ast.unparse(base) for base in node.bases}
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found, before = {"NextbasketError"}, set[str]()
    while found != before:
        before, found = found, found | {name for name, its in bases.items() if its & found}
    return found - {"CommandFailed"}  # it is given the three lines


def ours() -> list[tuple[str, str]]:
    """(place, message) of every error of ours that is raised with a text."""
    names = classes() | {"click.ClickException"}
    raises = [(path, node) for path, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    texts = [
        (f"{path.relative_to(ROOT)}:{node.lineno}", text_of(node.exc.args[0]))
        for path, node in raises
        if isinstance(node.exc, ast.Call) and node.exc.args and ast.unparse(node.exc.func) in names
    ]
    return [(place, text) for place, text in texts if re.search(r"[a-z]{3,} [a-z]", text)]


@pytest.mark.parametrize(("place", "message"), ours(), ids=lambda value: value[:60])
def test_every_error_says_what_to_do(place: str, message: str) -> None:
    """A message has facts and a remedy: a last sentence, or what follows its last colon."""
    _, remedy = facts_and_remedy(message.replace("…", "Filled"))

    assert "Look the message up" not in remedy, (
        f"{place}: {message!r} does not say what to do: add a sentence that does"
    )


def test_the_errors_are_found() -> None:
    """The claim above is about the errors of every layer."""
    assert {"LandingError", "LakeError", "NotThereError", "TrainingError", "ExportError", "SettingsError"} <= classes()
    assert len(ours()) > 60


@pytest.mark.parametrize(
    ("message", "facts", "remedy"),
    [
        ("x.csv.gz: 0 bytes. Deliver it.", "x.csv.gz: 0 bytes.", "Deliver it."),
        ("no items: train on a later week", "No items.", "Train on a later week."),
        ("a: b: c", "a: b.", "C."),
        ("One. `two` three. Do `that`.", "One. `two` three.", "Do `that`."),
        ("it broke", "It broke.", "Look the message up in docs/runbook.md."),
        ("lines\n over\n lines. Join them.", "Lines over lines.", "Join them."),
    ],
)
def test_a_message_is_split_by_its_convention(message: str, facts: str, remedy: str) -> None:
    """File names with dots stay whole; names keep their small letters."""
    assert facts_and_remedy(message) == (facts, remedy)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (NoCredentialsError(), "AWS: Unable to locate credentials."),
        (OSError("no\nanswer"), "no answer."),
        (PermissionError(13, "Permission denied", "/lake"), "/lake: Permission denied."),
        (
            OperationalError("insert into runs", {}, Exception("attempt to write a readonly database")),
            "Dagster's storage of runs: (builtins.Exception) attempt to write a readonly database.",
        ),
    ],
)
def test_what_is_not_ours_is_said_in_three_lines_too(error: Exception, why: str) -> None:
    """AWS's errors, Arrow's without a number, and the machine's have a reason and a remedy; a fault of the code has none."""
    known = why_and_remedy(error)

    assert known is not None
    assert known[0] == why
    assert why_and_remedy(KeyError("x")) is None


def test_a_command_that_is_interrupted_says_that_it_goes_on(on_lake: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is three lines, too, wherever it comes."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nextbasket_assets.cli.looking.show_customer", interrupted)
    result = on_lake("customer")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error  The customer is not shown.",
        "why    It was stopped.",
        "to do  The same command goes on.",
    ]


def test_a_home_of_dagster_that_is_closed_is_said_before_it_is_used(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A DAGSTER_HOME that takes no files any more, though its settings are there, is named."""

    def closed(**options: object) -> None:
        raise PermissionError(13, "Permission denied", str(options["dir"]))

    home.prepare(str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.TemporaryFile", closed)
    monkeypatch.setattr("os.execv", lambda *_: None)  # the UI would take this process
    result = run("ui")

    assert result.exit_code == 1
    assert result.stderr.splitlines()[1:] == [
        f"why    {tmp_path / 'home'}: Permission denied.",
        "to do  Let this process read and write there, or choose another place "
        "(NEXTBASKET_LANDING, NEXTBASKET_LAKE, DAGSTER_HOME).",
    ]


def test_help_and_page_have_the_exit_codes(run: Run) -> None:
    """The codes and their meanings in `--help` and in docs/command-line.md are the ones of the code."""
    shown = " ".join(run("--help").stdout.split())
    page = (ROOT / "docs" / "command-line.md").read_text()

    for code, meaning in EXIT_CODES.items():
        assert f"{code} {meaning}" in shown
    told = re.findall(r"^\| (\d) \| (.*) \|$", page, re.MULTILINE)
    assert told == [(str(code), meaning) for code, meaning in EXIT_CODES.items()]


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    """`nextbasket --help` answers at once: no engine, no orchestrator, no table is loaded for it."""
    code = (
        "import sys; from nextbasket_assets.cli.main import main; main(['--help'], standalone_mode=False);"
        "heavy = {'dagster', 'pyspark', 'torch', 'pyarrow', 'deltalake', 'rich', 'boto3', 'numpy'};"
        "print('loaded', sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert done.stdout.rstrip().endswith("loaded []")
