"""Progress: what is left is judged by what is done."""

from datetime import date

import pytest

from nextbasket_assets.cli.bars import left
from nextbasket_assets.cli.progress import Progress, cost, made_line


@pytest.mark.parametrize(
    ("share", "then", "now", "words"),
    [
        (0.0, 0.0, 50.0, ""),
        (0.5, 60.0, 60.0, "0:01:00 left"),
        (0.5, 60.0, 90.0, "0:00:30 left"),
        (0.5, 60.0, 130.0, ""),
        (0.1, 30.0, 30.0, "0:04:30 left"),
    ],
)
def test_the_time_left_counts_down_at_the_pace_of_what_is_done(
    share: float, then: float, now: float, words: str
) -> None:
    """Nothing is foretold before anything is done; a step that outlasts the rest of the work is not called nearly done."""
    assert left(share, then, now) == words


def test_long_steps_and_many_weeks_cost_more() -> None:
    """Training outweighs scoring; fifteen weeks in one session cost less than fifteen times one."""
    assert cost("rnn_model", 1) > 10 * cost("next_basket_scores", 1)
    assert cost("raw_transactions", 1) < cost("raw_transactions", 15) < 15 * cost("raw_transactions", 1)
    assert cost("a_step_of_tomorrow", 1) > 0


def test_without_a_terminal_there_are_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """No bar, no colours, nothing on stdout."""
    progress = Progress()
    with progress.over([(["raw_transactions"], 1)]):
        progress.begin("raw_transactions")
        progress.say(f"week of {date(2006, 4, 10)}")
        progress.end("raw_transactions", 1)
    captured = capsys.readouterr()

    assert captured.err == "week of 2006-04-10\n"
    assert captured.out == ""


def test_a_table_of_many_weeks_is_one_line() -> None:
    """It names the first and the last week, and the rows of both; a model has no rows."""
    weeks = {"2006-04-17": 1_700, "2006-04-10": 1_628}

    assert made_line("raw_transactions", weeks, 27.94).split() == [
        *("raw_transactions", "200607-200608", "3,328", "rows", "27.9", "s")
    ]
    assert made_line("rnn_model", {"2006-04-10": None}, 22.9).split() == ["rnn_model", "200607", "22.9", "s"]
