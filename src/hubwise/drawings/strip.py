"""A heat strip in SVG: rows over slots, colours by band as in the one-line diagram."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from hubwise.drawings.feeder import band_of

SLOT, ROW, FOOT = 8, 6, 18


def draw_strip(
    rows: Sequence[Sequence[float]],
    low: float,
    high: float,
    *,
    hours: Sequence[tuple[int, str]],
    at: int,
    title: str,
) -> str:
    """Values by row and slot; what is outside ``low`` to ``high`` has a colour of its own.

    Parameters
    ----------
    rows
        Each of as many values as there are slots.
    low, high
        Between what the bands are.
    hours
        Slots that are named, and how.
    at
        The slot that is marked.
    title
        What the picture is, for who cannot see it.
    """
    slots = len(rows[0]) if rows else 0
    width, height = slots * SLOT, len(rows) * ROW
    cells = [cell for k, row in enumerate(rows) for cell in _cells(row, k * ROW, low, high)]
    ticks = [
        f'<text class="tick" x="{k * SLOT}" y="{height + 13}">{escape(name)}</text>'
        for k, name in hours
        if k < slots - 3
    ]
    mark = f'<rect class="here" x="{at * SLOT}" y="0" width="{SLOT}" height="{height}"/>'
    return (
        f'<svg class="strip" role="img" viewBox="0 0 {width} {height + FOOT}" '
        f'preserveAspectRatio="none" aria-label={quoteattr(title)}>'
        f"<title>{escape(title)}</title>{''.join(cells)}{mark}{''.join(ticks)}</svg>"
    )


def _cells(row: Sequence[float], y: int, low: float, high: float) -> list[str]:
    """One rectangle for all that stand together and are alike."""
    found, x = [], 0
    for kind, group in groupby(band_of(each, low, high) for each in row):
        width = SLOT * len(list(group))
        found.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{ROW}"/>')
        x += width
    return found
