"""Pictures of the report as SVG inside the page: sharp at any width, readable in grey, each with a text that says the same.

Direction is a side and a hatch, lines differ by dash and mark, and numbers stand at the marks; colour only repeats it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from nextbasket_assets.limits import MOST_DRIFT, SOME_DRIFT
from nextbasket_assets.report.cards import Bar, counted, log_index, shortened
from nextbasket_assets.report.weekly.drift import Drift
from nextbasket_assets.report.weekly.quality import Calibration

_WIDTH, _CARD = 360, 300  # units; a phone's width and a card's, so that letters keep their size there
_ROW = 30
_LEAST, _MOST = 12.5, 1600.0  # indices where bars end

HATCH = Markup(
    '<svg class="defs" width="0" height="0" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" class="below"/><path d="M0 0V6" class="stripe"/></pattern></defs></svg>'
)


def _picture(height: float, alt: str, parts: Sequence[Markup], width: float = _WIDTH) -> Markup:
    head = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    return head.format(round(width), round(height), alt) + Markup("").join(parts) + Markup("</svg>")


def _text(x: float, y: float, text: str, css: str = "", anchor: str = "start") -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" class="{}" text-anchor="{}">{}</text>').format(x, y, css, anchor, text)


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> Markup:
    return Markup('<path d="M{:.1f} {:.1f}L{:.1f} {:.1f}" class="{}"/>').format(x1, y1, x2, y2, css)


def _box(x: float, y: float, width: float, height: float, css: str) -> Markup:
    return Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="{}"/>').format(
        x, y, max(width, 0.5), height, css
    )


def lift_bars(title: str, bars: Sequence[Bar]) -> Markup:
    """What sets a mission apart: bars from 100 to the right when above it and, hatched, to the left when below."""
    far = max([1.0, *(abs(log_index(min(end, _MOST), _LEAST)) for bar in bars for end in (bar.low, bar.high))])
    middle, unit = 150.0, 115.0 / far
    bottom = _ROW * len(bars) + 2
    parts = [_text(middle, bottom + 11, "100", "small", "middle")]
    for number, bar in enumerate(bars):
        top = _ROW * number + 14
        ends = [middle + unit * log_index(min(end, _MOST), _LEAST) for end in (bar.low, bar.high)]
        end = middle + unit * log_index(min(bar.index, _MOST), _LEAST)
        above = bar.index >= 100
        place, anchor = (max(ends) + 4, "start") if above else (min(ends) - 4, "end")
        parts += [
            _box(min(middle, end), top, abs(end - middle), 12, "above" if above else "hatched"),
            _line(ends[0], top + 6, ends[1], top + 6, "whisker"),
            _line(middle, top - 1, middle, top + 13, "axis"),
            _text(0, top - 3, f"{shortened(bar.label, 40)}, {counted(bar.baskets, 'basket')}", "label"),
            _text(place, top + 10, f"{bar.index:.0f}", "value", anchor),
        ]
    told = "; ".join(f"{bar.label} {bar.index:.0f}" for bar in bars)
    return _picture(bottom + 16, f"{title}, index against all baskets = 100: {told}", parts, _CARD)


def share_line(title: str, rows: Sequence[Mapping[str, Any]]) -> Markup:
    """A mission's share of the baskets over the weeks, with its 95 % interval as a band.

    Args:
        title: of the mission.
        rows: the section `trend`, name `share`, of mission_profiles, oldest first.
    """
    values = [(100 * row["value"], 100 * row["low"], 100 * row["high"]) for row in rows]
    top = max(high for _, _, high in values) or 1.0
    xs = [4 + 240 * place / max(len(values) - 1, 1) for place in range(len(values))]

    def y(value: float) -> float:
        return 48 - 40 * value / top

    upper = " ".join(f"{x:.1f},{y(high):.1f}" for x, (_, _, high) in zip(xs, values, strict=True))
    lower = " ".join(f"{x:.1f},{y(low):.1f}" for x, (_, low, _) in reversed(list(zip(xs, values, strict=True))))
    line = " ".join(f"{x:.1f},{y(value):.1f}" for x, (value, _, _) in zip(xs, values, strict=True))
    parts = [
        Markup('<polygon points="{} {}" class="band"/>').format(upper, lower),
        Markup('<polyline points="{}" class="line"/>').format(line),
        _line(4, 48, 244, 48, "rule"),
        *(_mark(x, y(value), "dot") for x, (value, _, _) in zip(xs, values, strict=True)),
        _text(xs[-1] + 8, y(values[-1][0]) + 4, f"{values[-1][0]:.1f} %", "value"),
        _text(4, 62, rows[0]["level"], "small"),
        _text(244, 62, rows[-1]["level"], "small", "end"),
    ]
    told = ", ".join(f"{value:.1f} %" for value, _, _ in values)
    alt = f"{title}: share of baskets from {rows[0]['level']} to {rows[-1]['level']}: {told}"
    return _picture(66, alt, parts, _CARD)


def lines(title: str, names: Sequence[str], series: Mapping[str, Sequence[float]]) -> Markup:
    """A few series of shares over weeks, each with its own dash and mark and its name at the end.

    Args:
        title: what is shown.
        names: of the weeks.
        series: name to a share from 0 to 1 for each week.
    """
    top = max([0.01, *(value for values in series.values() for value in values)]) * 1.1
    xs = [34 + 206 * place / max(len(names) - 1, 1) for place in range(len(names))]
    ends = _apart({name: 150 - 140 * values[-1] / top for name, values in series.items()})
    parts = []
    for tick in (0.0, top / 2.2, top / 1.1):
        height = 150 - 140 * tick / top
        parts += [_line(34, height, 240, height, "rule"), _text(30, height + 4, f"{tick:.0%}", "small", "end")]
    for number, (name, values) in enumerate(series.items()):
        ys = [150 - 140 * value / top for value in values]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
        parts.append(Markup('<polyline points="{}" class="line dash{}"/>').format(points, number))
        parts += [_mark(x, y, "dot", number) for x, y in zip(xs, ys, strict=True)]
        parts.append(_text(xs[-1] + 8, ends[name] + 4, f"{name} {values[-1]:.1%}", "label"))
    parts += [_text(xs[0], 166, names[0], "small"), _text(xs[-1], 166, names[-1], "small", "end")]
    told = "; ".join(f"{name}: {', '.join(f'{value:.1%}' for value in values)}" for name, values in series.items())
    return _picture(172, f"{title} by week {', '.join(names)}. {told}", parts)


def _apart(wanted: Mapping[str, float], gap: float = 13.0) -> dict[str, float]:
    """Heights for labels near the wanted ones, so that none covers another."""
    placed: dict[str, float] = {}
    lowest = -gap
    for name, height in sorted(wanted.items(), key=lambda item: item[1]):
        lowest = max(height, lowest + gap)
        placed[name] = lowest
    return placed


def _mark(x: float, y: float, css: str, shape: int = 0) -> Markup:
    """A circle, a square, a triangle or a diamond."""
    if shape == 0:
        return Markup('<circle cx="{:.1f}" cy="{:.1f}" r="2.6" class="{}"/>').format(x, y, css)
    paths = (
        "M-2.6 -2.6H2.6V2.6H-2.6Z",
        "M0 -3.4L3.2 2.4H-3.2Z",
        "M0 -3.6L3.6 0L0 3.6L-3.6 0Z",
    )
    return Markup('<path d="{}" transform="translate({:.1f} {:.1f})" class="{}"/>').format(
        paths[(shape - 1) % len(paths)], x, y, css
    )


def reliability(calibration: Calibration) -> Markup:
    """What the probabilities said against what happened: on the line, they came true."""
    end = max([0.01, *calibration.said, *calibration.happened]) * 1.05
    size, left = 210.0, 44.0

    def at(said: float, happened: float) -> tuple[float, float]:
        return left + size * said / end, 8 + size - size * happened / end

    points = [at(*pair) for pair in zip(calibration.said, calibration.happened, strict=True)]
    parts = [
        _line(left, 8 + size, left + size, 8 + size, "rule"),
        _line(left, 8, left, 8 + size, "rule"),
        _line(*at(0, 0), *at(end, end), "line dash1"),
        _text(left + size + 4, 16, "as said", "small"),
        *(_mark(x, y, "dot") for x, y in points),
        _text(left - 4, 16, f"{end:.0%}", "small", "end"),
        _text(left - 4, 8 + size, "0%", "small", "end"),
        _text(left + size, size + 22, f"{end:.0%}", "small", "end"),
        _text(left + size / 2, size + 22, "said", "label", "middle"),
        _text(left + 6, 18, "happened", "label"),
    ]
    told = ", ".join(
        f"{said:.1%} said {happened:.1%} happened"
        for said, happened in zip(calibration.said, calibration.happened, strict=True)
    )
    return _picture(size + 30, f"Bought within 7 days, in tenths by rising probability: {told}", parts)


def drift_bars(drifts: Sequence[Drift]) -> Markup:
    """Every stability index as a bar, with the lines of some shift and of another population."""
    known = [(one.name, one.index) for one in drifts if one.index is not None]
    end = max([MOST_DRIFT, *(index for _, index in known)]) * 1.12
    left, width = 118.0, 190.0
    bottom = 20 * len(known) + 6
    parts = []
    for limit in (SOME_DRIFT, MOST_DRIFT):
        x = left + width * limit / end
        parts += [_line(x, 0, x, bottom, "limit"), _text(x, bottom + 12, f"{limit:g}", "small", "middle")]
    for number, (name, index) in enumerate(known):
        top = 20 * number + 4
        css = "above" if index < SOME_DRIFT else "hatched"
        parts += [
            _text(0, top + 10, name, "label"),
            _box(left, top, width * index / end, 12, css),
            _text(left + width * index / end + 4, top + 10, f"{index:.3f}", "value"),
        ]
    told = "; ".join(f"{name} {index:.3f}" for name, index in known)
    return _picture(bottom + 16, f"Population stability index, limits {SOME_DRIFT} and {MOST_DRIFT}: {told}", parts)


def columns(title: str, names: Sequence[str], values: Sequence[int]) -> Markup:
    """One column per week, the last one marked by its solid fill and its number."""
    top = max([1, *values])
    step = 340 / len(values)
    parts = [_line(8, 92, 352, 92, "rule")]
    for place, value in enumerate(values):
        height = 74 * value / top
        css = "above" if place == len(values) - 1 else "hatched"
        parts.append(_box(10 + step * place, 92 - height, step * 0.72, height, css))
    last = 10 + step * (len(values) - 0.64)
    parts += [
        _text(last, 88 - 74 * values[-1] / top, f"{values[-1]:,}", "value", "middle"),
        _text(10, 106, names[0], "small"),
        _text(350, 106, names[-1], "small", "end"),
    ]
    told = ", ".join(f"{name}: {value:,}" for name, value in zip(names, values, strict=True))
    return _picture(110, f"{title} by week. {told}", parts)
