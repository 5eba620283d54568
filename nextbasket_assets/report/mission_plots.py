"""Pictures of missions as PNG bytes: readable in grey, numbers on the marks, no font beyond matplotlib's own.

Direction is a side and a hatch, never a colour alone. Figures are made without pyplot, which keeps state between calls, and
matplotlib is loaded by the first picture, not by the import of this module.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from nextbasket_assets.report.cards import Bar, MissionCard, log_index, shortened, titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 96
_COLOURS = 32  # of the palette: an eighth of the bytes of true colour, and no difference to be seen
_INK, _MUTED, _RULE = "#1a1a1a", "#666666", "#cccccc"
_ABOVE, _BELOW = "#35618e", "#e3c9a8"  # apart in grey too: 38 % and 81 % light
_TITLE = 44  # characters above a panel
_LEAST, _MOST = 12.5, 1600.0  # indices where bars end: three doublings below, four above


def figure(width: float, height: float) -> "Figure":
    """An empty figure of so many inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=_DPI, layout="constrained", facecolor="white")


def png(drawn: "Figure") -> bytes:
    """The figure as the bytes of a PNG with a small palette, without the time it was made.

    Names are a retailer's: two dollar signs are prices, and never the ends of a formula.
    """
    from matplotlib.text import Text
    from PIL import Image

    for text in drawn.findobj(Text):
        text.set_parse_math(False)
    raw, packed = BytesIO(), BytesIO()
    drawn.savefig(raw, format="png", metadata={"Software": None})
    Image.open(raw).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return packed.getvalue()


def lift_bars_png(cards: Sequence[MissionCard], columns: int = 2) -> bytes:
    """What sets each mission apart, one panel each: bars around index 100 with their 95 % intervals."""
    rows = max(1, -(-len(cards) // columns))
    tallest = max((len(card.strongest) for card in cards), default=1)
    drawn = figure(5.2 * columns, rows * (0.75 + 0.23 * max(tallest, 2)))
    axes = drawn.subplots(rows, columns, squeeze=False)
    for place, card in zip(axes.flat, cards, strict=False):
        draw_lift_bars(place, card.strongest, tallest)
        place.set_title(shortened(f"{card.share:.1%} {card.title}", _TITLE), loc="left", fontsize=9, color=_INK)
    for place in axes.flat[len(cards) :]:
        place.set_axis_off()
    told = "Share of baskets, and index against all baskets = 100, with 95 % intervals"
    drawn.suptitle(told, fontsize=10, x=0.01, ha="left")
    return png(drawn)


def draw_lift_bars(axes: "Axes", bars: Sequence[Bar], room: int = 0) -> None:
    """Horizontal bars, from 100 to the right when above it and, hatched, to the left when below; `room` for so many."""
    if not bars:
        axes.set_axis_off()
        text = "too few baskets, or nothing\ndiffers from the average for certain"
        axes.text(0, 0.9, text, fontsize=8, color=_MUTED, va="top", transform=axes.transAxes, in_layout=False)
        return
    far = max(1.0, *(abs(log_index(min(end, _MOST), _LEAST)) for bar in bars for end in (bar.low, bar.high)))
    for position, bar in enumerate(bars):
        length, above = log_index(min(bar.index, _MOST), _LEAST), bar.index >= 100
        style: dict[str, Any] = (
            {"color": _ABOVE} if above else {"facecolor": _BELOW, "hatch": "////", "edgecolor": _MUTED}
        )
        axes.barh(position, length, height=0.62, linewidth=0.5, **style)
        ends = [log_index(min(end, _MOST), _LEAST) for end in (bar.low, bar.high)]
        axes.plot(ends, [position, position], color=_INK, linewidth=0.9, marker="|", markersize=4)
        outside = max(ends) if above else min(ends)
        side = "left" if above else "right"
        axes.text(
            outside + (0.07 if above else -0.07) * far, position, f"{bar.index:.0f}", va="center", ha=side, fontsize=8
        )
    axes.set_yticks(range(len(bars)), [f"{bar.label}  n={bar.baskets:,}" for bar in bars], fontsize=7.5)
    axes.set_ylim(max(len(bars), room) - 0.5, -0.5)
    axes.axvline(0, color=_INK, linewidth=1)
    axes.set_xlim(-1.5 * far, 1.5 * far)
    ticks = [step for step in (range(-2, 3) if far <= 2.5 else range(-2, 5, 2)) if abs(step) <= far]
    axes.set_xticks(ticks, [f"{100 * 2.0**step:g}" for step in ticks], fontsize=7.5, color=_MUTED)
    _bare(axes)


def mission_card_png(card: MissionCard) -> bytes:
    """One mission on one card: its size, its typical items, and what sets it apart."""
    lines = max(len(card.items), len(card.strongest), 4)
    drawn = figure(9.2, 1.25 + 0.27 * lines)
    items, bars = drawn.subplots(1, 2, width_ratios=(1, 1.15))
    drawn.suptitle(f"{card.title}\n{_facts(card)}", x=0.01, ha="left", fontsize=10, color=_INK)
    _draw_items(items, card.items)
    draw_lift_bars(bars, card.strongest)
    bars.set_title("What sets it apart (all baskets = 100)", loc="left", fontsize=9)
    return png(drawn)


def _facts(card: MissionCard) -> str:
    told = [f"{card.share:.1%} of baskets (n={card.baskets:,})", f"{card.spend_share:.1%} of spend"]
    if card.change is not None:
        told.append(f"{card.change:+.1f} points against the weeks before")
    for name, text in (
        ("mean_items", "{:.1f} items"),
        ("mean_spend", "{:.2f} spent"),
        ("mean_confidence", "confidence {:.2f}"),
    ):
        if name in card.measures:
            told.append(text.format(card.measures[name][0]))
    return " · ".join(told)


def _draw_items(axes: "Axes", items: Sequence[Bar]) -> None:
    axes.set_title("Typical items: lift, and baskets of the mission with it", loc="left", fontsize=9)
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(max(len(items), 4) - 0.5, -0.5)
    if not items:
        axes.text(0, 0, "no item is in enough of its baskets this week", fontsize=8, color=_MUTED)
    for position, item in enumerate(items):
        axes.text(0, position, shortened(item.label, 38), va="center", fontsize=8)
        axes.text(0.83, position, f"{item.index / 100:.1f}x", va="center", ha="right", fontsize=8)
        axes.text(1, position, f"{item.baskets:,}", va="center", ha="right", fontsize=8, color=_MUTED)


def candidates_png(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Every number of missions that was tried: what it gains and how stable it is; the chosen one is marked.

    Args:
        rows: mission_candidates of one model.
    """
    tried = sorted(rows, key=lambda row: row["k"])
    numbers = [row["k"] for row in tried]
    drawn = figure(8.4, 3.4)
    gain, stability = drawn.subplots(1, 2)
    gain.errorbar(
        numbers,
        [row["gain"] for row in tried],
        yerr=[1.96 * row["gain_error"] for row in tried],
        **{"color": _INK, "marker": "o", "markersize": 4, "linewidth": 1, "capsize": 3},
    )
    gain.axhline(0, color=_MUTED, linewidth=0.8)
    gain.set_title("Gain over item shares alone, nats per item", loc="left", fontsize=9)
    _draw_stability(stability, tried)
    for axes in (gain, stability):
        for row in tried:
            if row["chosen"]:
                axes.axvline(row["k"], color=_INK, linewidth=1, linestyle=":")
                axes.text(
                    row["k"], 1.0, f" chosen: {row['k']}", transform=axes.get_xaxis_transform(), va="top", fontsize=8
                )
        axes.set_xticks(numbers, [str(number) for number in numbers], fontsize=8)
        axes.set_xlabel("missions", fontsize=8)
        axes.tick_params(axis="y", labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    return png(drawn)


def _draw_stability(axes: "Axes", tried: Sequence[Mapping[str, Any]]) -> None:
    styles = {"stability_seeds": ("across seeds", "o-"), "stability_halves": ("across halves of the customers", "s--")}
    for name, (text, style) in styles.items():
        known = [(row["k"], row[name]) for row in tried if row[name] is not None]
        if known:
            axes.plot(*zip(*known, strict=True), style, color=_INK, markersize=4, linewidth=1, label=text)
            last = known[-1]
            axes.annotate(f"{last[1]:.2f}", last, textcoords="offset points", xytext=(5, -3), fontsize=8)
    axes.set_ylim(0, 1.08)
    axes.set_title("Stability: similarity of matched missions", loc="left", fontsize=9)
    if axes.lines:
        axes.legend(fontsize=8, loc="lower left", frameon=False)


def shares_png(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], columns: int = 4) -> bytes:
    """Each mission's share of the baskets over the last weeks, one panel each, on one scale.

    Args:
        rows: the section `trend` of mission_profiles of one week.
        names: mission id to name.
    """
    shares = [row for row in rows if (row["section"], row["name"]) == ("trend", "share")]
    changes = {row["mission"]: row for row in rows if (row["section"], row["name"]) == ("trend", "change")}
    weeks, missions = sorted({row["level"] for row in shares}), sorted({row["mission"] for row in shares})
    panels = max(1, -(-len(missions) // columns))
    drawn = figure(2.5 * columns, 0.4 + 1.45 * panels)
    axes = drawn.subplots(panels, columns, squeeze=False, sharey=True)
    for place, mission in zip(axes.flat, missions, strict=False):
        found = {row["level"]: row for row in shares if row["mission"] == mission}
        _draw_share(
            place, [found[week] for week in weeks if week in found], titled(mission, names), changes.get(mission)
        )
    for place in axes.flat[len(missions) :]:
        place.set_axis_off()
    span = f"{weeks[0]} to {weeks[-1]}" if weeks else "no week"
    note = "with 95 % intervals. In brackets: points against the weeks before, * beyond chance"
    drawn.suptitle(f"Share of baskets, {span}, {note}", fontsize=10, x=0.01, ha="left")
    return png(drawn)


def _draw_share(axes: "Axes", line: Sequence[Mapping[str, Any]], title: str, change: Mapping[str, Any] | None) -> None:
    places, values = range(len(line)), [100 * row["value"] for row in line]
    axes.fill_between(places, [100 * row["low"] for row in line], [100 * row["high"] for row in line], color=_RULE)
    axes.plot(places, values, color=_INK, marker="o", markersize=2.5, linewidth=1)
    certain = change is not None and (change["low"] > 0 or change["high"] < 0)
    moved = f" ({round(change['value'], 1) + 0.0:+.1f}{'*' if certain else ''})" if change else ""
    axes.set_title(f"{shortened(title, 30)}\n{values[-1]:.1f} %{moved}", loc="left", fontsize=8)
    axes.set_ylim(bottom=0)
    axes.set_xticks([])
    axes.tick_params(axis="y", labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def _bare(axes: "Axes") -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_RULE)
    axes.tick_params(axis="y", length=0)
