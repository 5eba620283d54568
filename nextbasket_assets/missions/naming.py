"""Readable names of missions: from what is bought more than elsewhere, unique within a model, a person's choice first."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import yaml

from nextbasket_assets.missions.documents import Floats
from nextbasket_assets.missions.identity import number_of
from nextbasket_assets.missions.topics import Topics

NAMES_FILE = "missions.yaml"
_LEAST_COUNT = 20.0  # items of a word bought on the mission, else its lift is chance
_LEAST_LIFT = 1.25
_WORDS = 2
_EVERYTHING = "Everything"
_TEXT = "tag:yaml.org,2002:str"
_ID = re.compile(r"M(0[1-9]|[1-9]\d+)")


def propose(
    topics: Topics, missions: Sequence[str], words: Sequence[str], finer: Sequence[str], taken: Mapping[str, str]
) -> list[str]:
    """A name for every mission: the two words that set it apart most, by information, like "Fruit & salad".

    Args:
        topics: their order is the names' order.
        missions: K, their ids.
        words: V, what each item is called by: its category, or its own name.
        finer: V, words for what two missions share, usually the items' names.
        taken: names that missions have already, by id.
    """
    if topics.k == 1:
        return [taken.get(missions[0], _EVERYTHING)]
    names = dict(taken)
    for mission, coarse, fine in zip(missions, _ranked(topics, words), _ranked(topics, finer), strict=True):
        if mission not in names:
            names[mission] = _unused(coarse, fine, set(names.values()), number_of(mission))
    return [names[mission] for mission in missions]


def _unused(coarse: list[str], fine: list[str], used: set[str], number: int) -> str:
    ordered = coarse[:_WORDS] or fine[:_WORDS] or [f"mission {number}"]
    name = _joined(ordered)
    for word in [*coarse[_WORDS:], *fine]:
        if name not in used:
            break
        name = _joined([*ordered, word])
    return name if name not in used else f"{name} ({number})"


def _joined(words: Sequence[str]) -> str:
    text = " & ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
    return text[:1].upper() + text[1:]


def _ranked(topics: Topics, words: Sequence[str]) -> list[list[str]]:
    """For every mission its over-represented words, those first that say most: count x log of lift."""
    by_word: dict[str, list[int]] = defaultdict(list)
    for item, word in enumerate(words):
        by_word[word].append(item)
    names = sorted(by_word)
    counts_KW = np.stack([topics.counts_KV[:, by_word[name]].sum(axis=1) for name in names], axis=1)
    lift_KW = lifts(counts_KW)
    told_KW = counts_KW * np.log(np.maximum(lift_KW, 1.0))
    told_KW[(counts_KW < _LEAST_COUNT) | (lift_KW < _LEAST_LIFT)] = 0.0
    order_KW = np.argsort(-told_KW, axis=1, kind="stable")
    return [
        [names[word] for word in order if told_KW[mission, word] > 0] for mission, order in enumerate(order_KW.tolist())
    ]


def lifts(counts_KW: Floats) -> Floats:
    """P(word | mission) / P(word), from counts; 0 for a word that nobody bought."""
    share_KW = counts_KW / np.maximum(counts_KW.sum(axis=1, keepdims=True), 1.0)
    overall_W = counts_KW.sum(axis=0) / max(counts_KW.sum(), 1.0)
    return np.asarray(np.divide(share_KW, overall_W, out=np.zeros_like(share_KW), where=overall_W > 0))


def read_names(text: str | bytes) -> dict[str, str]:
    """Names that a person gave, by mission id, from a YAML file of lines like `M03: Sunday roast`.

    Raises:
        ValueError: it is not a mapping of mission ids to names, or an id or a name is there twice.
    """
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(
            f"{NAMES_FILE} is not YAML in UTF-8: {error}. Write one line a mission, like 'M03: Sunday roast'."
        ) from error
    lines = _lines(document)
    if not all(name for _, name in lines):
        raise ValueError(
            f"{NAMES_FILE} must map mission ids to names. Write one line a mission, like 'M03: Sunday roast', with quotes "
            "around a name that is a number or a date."
        )
    names = dict(lines)
    strange = [mission for mission in names if not _ID.fullmatch(mission)]
    if strange:
        raise ValueError(
            f"{NAMES_FILE} names {strange[0]!r}, which is no mission id. Write it as mission_identities does, like M03."
        )
    doubled = [mission for mission, times in Counter(mission for mission, _ in lines).items() if times > 1]
    if doubled:
        raise ValueError(f"{NAMES_FILE} gives {doubled[0]} two names. Keep one of its lines.")
    twice = sorted({name for name in names.values() if list(names.values()).count(name) > 1})
    if twice:
        raise ValueError(f"{NAMES_FILE} gives the name {twice[0]!r} to two missions. Give each its own.")
    return names


def _lines(document: yaml.Node | None) -> list[tuple[str, str]]:
    """Key and text of each line as they are written, those that are there twice too; no text for what is not plain text."""
    if document is None:
        return []
    if not isinstance(document, yaml.MappingNode):
        return [("", "")]
    return [(_written(key), _written(name) if name.tag == _TEXT else "") for key, name in document.value]


def _written(node: yaml.Node) -> str:
    return node.value.strip() if isinstance(node, yaml.ScalarNode) else ""
