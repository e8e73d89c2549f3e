"""Figures as SVG: widths and heights as attributes, colours by class; nothing inline for style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from html import escape
from itertools import pairwise
from math import ceil, log10

from hubwise.live.mine import Ahead

WIDTH, HEIGHT = 300.0, 160.0
LEFT, RIGHT, TOP, BOTTOM = 36.0, 2.0, 10.0, 18.0
BAR_HEIGHT = 18.0


@dataclass(frozen=True, slots=True)
class Labels:
    """Texts of a chart.

    Parameters
    ----------
    title
        What it shows, for who cannot see it.
    time, price, slot
        A time of day, a price, and all of a slot in one line.
    """

    title: str
    time: Callable[[datetime], str]
    price: Callable[[Decimal], str]
    slot: Callable[[Ahead], str]


@dataclass(frozen=True, slots=True)
class Battery:
    """What is in the battery now, and the ends of its scale [kWh]."""

    now: float
    least: float
    most: float


def price_chart(ahead: Sequence[Ahead], labels: Labels, battery: Battery | None = None) -> str:
    """Price bars with the plan in them, and the battery as a line; prices from 0.

    Parameters
    ----------
    ahead
        Slots in order; at least one.
    labels
        See there.
    battery
        Where its line begins, and what it runs between; without it there is none.
    """
    begin, end = ahead[0].start, ahead[-1].until
    top = _nice(max([0.01, *(float(max(each.charge, each.discharge)) for each in ahead)]))

    def x(at: datetime) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ((at - begin) / max(end - begin, timedelta(1e-5)))

    def y(price: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * max(price, 0.0) / top

    parts = [_grid(top, y, labels), *(_bar(each, x, y, labels) for each in ahead)]
    if battery is not None:
        parts.append(_battery(ahead, x, battery))
    parts += _hours(begin, end, x, labels)
    return _svg(WIDTH, HEIGHT, labels.title, "".join(parts), "chart prices")


def _svg(width: float, height: float, title: str, inside: str, kind: str) -> str:
    box = f'viewBox="0 0 {width:g} {height:g}"'
    return (
        f'<svg class="{kind}" {box} role="img" aria-label="{escape(title)}" focusable="false">'
        f"{inside}</svg>"
    )


def _nice(most: float) -> float:
    """The next round number that is at least so much."""
    unit = 10.0 ** ceil(log10(most) - 1)
    return ceil(most / unit - 1e-9) * unit


def _grid(top: float, y: Callable[[float], float], labels: Labels) -> str:
    lines = []
    for share in (0.0, 0.5, 1.0):
        at = y(share * top)
        text = labels.price(Decimal(f"{share * top:.4f}"))
        lines.append(
            f'<line class="grid" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text class="tick" x="{LEFT - 4:g}" y="{at + 3:.1f}" text-anchor="end">'
            f"{escape(text)}</text>"
        )
    return "".join(lines)


def _bar(
    each: Ahead, x: Callable[[datetime], float], y: Callable[[float], float], labels: Labels
) -> str:
    """The price to charge; where the car gives back, what that earns."""
    kw = each.kw or 0.0
    kind = "charges" if kw >= 0.05 else "earns" if kw <= -0.05 else "rests"
    price = float(each.discharge if kind == "earns" else each.charge)
    left, right = x(each.start), x(each.until)
    # The finger's target is as high as the chart, whatever the price is.
    height = y(0.0) - y(price)
    return (
        f'<g class="slot {kind}" data-say="{escape(labels.slot(each))}">'
        f'<rect class="target" x="{left:.2f}" y="{TOP:g}" width="{right - left:.2f}" '
        f'height="{HEIGHT - TOP - BOTTOM:g}"/>'
        f'<rect class="bar" x="{left + 0.3:.2f}" y="{y(price):.2f}" '
        f'width="{max(right - left - 0.6, 0.3):.2f}" height="{max(height, 0.5):.2f}"/></g>'
    )


def _battery(ahead: Sequence[Ahead], x: Callable[[datetime], float], battery: Battery) -> str:
    size = max(battery.most - battery.least, 1e-6)
    room = HEIGHT - TOP - BOTTOM

    def y(kwh: float) -> float:
        return HEIGHT - BOTTOM - room * min(max((kwh - battery.least) / size, 0.0), 1.0)

    known = [(each.until, each.stored_kwh) for each in ahead if each.stored_kwh is not None]
    points = [f"{x(at):.1f},{y(kwh):.1f}" for at, kwh in [(ahead[0].start, battery.now), *known]]
    return f'<polyline class="battery" points="{" ".join(points)}"/>'


def _hours(
    begin: datetime, end: datetime, x: Callable[[datetime], float], labels: Labels
) -> list[str]:
    """Full hours, so many that they do not touch."""
    hours = (end - begin) / timedelta(hours=1)
    step = next((it for it in (1, 2, 3, 4, 6, 12) if hours / it <= 6), 24)
    first = begin.replace(minute=0, second=0, microsecond=0)
    marks = [first + timedelta(hours=k) for k in range(ceil(hours) + 2)]
    found = []
    for at in marks:
        if not begin <= at <= end or int(labels.time(at)[:2]) % step:
            continue
        place = x(at)
        anchor = "end" if place > WIDTH - 18 else "middle"
        found.append((place, anchor, labels.time(at)))
    kept = [each for each, after in pairwise([*found, (9e9, "", "")]) if after[0] - each[0] > 42]
    return [
        f'<text class="tick" x="{place:.1f}" y="{HEIGHT - 4:g}" text-anchor="{anchor}">'
        f"{text}</text>"
        for place, anchor, text in kept
    ]


def level_bar(
    now: float, full: float, *, least: float | None, needed: float | None, title: str
) -> str:
    """What is in the battery, with a block of what is never used and a mark of what is needed.

    All as energies [kWh], in a bar as long as ``full``.
    """
    full = max(full, now, needed or 0.0, 1e-6)

    def x(kwh: float) -> float:
        return WIDTH * min(max(kwh / full, 0.0), 1.0)

    parts = [
        f'<rect class="track" x="0" y="4" width="{WIDTH:g}" height="{BAR_HEIGHT:g}" rx="5"/>',
        f'<rect class="fill" x="0" y="4" width="{x(now):.1f}" height="{BAR_HEIGHT:g}" rx="5"/>',
    ]
    if least is not None and least > 0:
        width = x(least)
        parts.append(
            f'<rect class="kept" x="0" y="4" width="{width:.1f}" height="{BAR_HEIGHT:g}" rx="5"/>'
        )
    if needed is not None:
        at = min(max(x(needed), 1.5), WIDTH - 1.5)
        parts.append(f'<line class="needed" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="26"/>')
    return _svg(WIDTH, 26, title, "".join(parts), "level")
