"""Errors that a person reads: one convention for their messages, and what a command exits with.

A message says what was found and why that stops the work; its last sentence says what to do. Where there is one sentence
only, what to do follows its last colon.
"""

import re

OK, FAILED, USAGE, NOTHING_THERE, BAD_INPUT, RED = range(6)
EXIT_CODES = {
    OK: "done",
    FAILED: "it failed; nothing was published of what failed",
    USAGE: "the command line is wrong",
    NOTHING_THERE: "nothing there yet: the lake has no such week, model or customer",
    BAD_INPUT: "an input is wrong: a setting, a landing file, a list of items",
    RED: "a check is red: the week was not published, an erasure is not complete, or `doctor` found something wrong",
}

_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")
_RUNBOOK = "Look the message up in docs/runbook.md."


class NextbasketError(Exception):
    """The platform cannot do what was asked; the message says what, why, and what to do."""

    exit_code = FAILED


def facts_and_remedy(message: str) -> tuple[str, str]:
    """What a message says is the case, and what it says to do about it.

    >>> facts_and_remedy("/data: no such landing folder. Create it.")
    ('/data: no such landing folder.', 'Create it.')
    >>> facts_and_remedy("no customer has two baskets: train on a later week")
    ('No customer has two baskets.', 'Train on a later week.')
    """
    sentences = _SENTENCES.split(" ".join(message.split()))
    if len(sentences) > 1:
        return _sentence(" ".join(sentences[:-1])), _sentence(sentences[-1])
    facts, colon, remedy = sentences[0].rpartition(": ")
    return (_sentence(facts), _sentence(remedy)) if colon else (_sentence(sentences[0]), _RUNBOOK)


def _sentence(text: str) -> str:
    """Its first word with a capital unless it is a name, a full stop at its end."""
    first = text.split(" ", 1)[0]
    begun = text[:1].upper() + text[1:] if first.isalpha() else text
    return begun if begun.endswith((".", "!", "?")) else f"{begun}."
