"""Progress: what is left is judged by what is done."""

from datetime import date

import pytest

from nextbasket_assets.cli.bars import left
from nextbasket_assets.cli.progress import Progress, cost


@pytest.mark.parametrize(
    ("elapsed", "share", "words"), [(0.0, 0.0, ""), (60.0, 0.5, "0:01:00 left"), (30.0, 0.1, "0:04:30 left")]
)
def test_the_time_left_follows_from_the_share_done(elapsed: float, share: float, words: str) -> None:
    """Nothing is foretold before anything is done."""
    assert left(elapsed, share) == words


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
