"""A feeder as a one-line diagram in SVG: voltages by colour, loading by width, hubs as rings.

Colours and widths are classes (``v0`` ... ``v5``, ``w1`` ... ``w5``), so that a page's own style
decides, for light and dark. What breaks a limit has a shape and a word of its own besides: nobody
has to tell colours apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from hubwise.drawings.layout import Layout

STEP_X, STEP_Y, MARGIN = 36, 44, 30
RADIUS, RING = 6, 11
# Bands of voltages between the limits, and of loadings up to the limit.
BANDS, WIDTHS = 6, 5
# A label stands at every bus where there are no more than so many.
LABELLED = 60


def band_of(pu: float, low: float, high: float) -> str:
    """In which band a voltage is: ``v0`` at the lowest allowed to ``v5`` at the highest, or
    ``out`` where it is beyond both, or not known."""
    if not low <= pu <= high:
        return "out"
    share = (pu - low) / max(high - low, 1e-9)
    return f"v{min(int(share * BANDS), BANDS - 1)}"


@dataclass(frozen=True, slots=True)
class FeederPicture:
    """What a diagram shows.

    Parameters
    ----------
    names
        Of the buses.
    ends
        Both ends of each branch, as places in the order of the buses.
    hubs
        By bus, as its place: the hubs there.
    voltage_pu
        Of each bus [p.u.].
    loading
        Of each branch, as a share of its limit.
    band_pu
        Lowest and highest voltage allowed [p.u.].
    """

    names: Sequence[str]
    ends: Sequence[tuple[int, int]]
    hubs: Mapping[int, Sequence[str]]
    voltage_pu: Sequence[float]
    loading: Sequence[float]
    band_pu: tuple[float, float]

    def width_of(self, branch: int) -> int:
        """How wide a branch is drawn, from 1 at no loading."""
        return 1 + min(max(int(self.loading[branch] * (WIDTHS - 1)), 0), WIDTHS - 1)


def draw_feeder(
    picture: FeederPicture,
    layout: Layout,
    *,
    title: str,
    at: Callable[[int], str],
    through: Callable[[int], str],
) -> str:
    """The diagram.

    Parameters
    ----------
    picture, layout
        What is shown, and where.
    title
        What the picture is, for who cannot see it.
    at, through
        What is said of a bus, and of a branch.
    """
    left, top = min(layout.column), min(layout.row)
    across, down = max(layout.column) - left, max(layout.row) - top
    width, height = across * STEP_X + 2 * MARGIN, down * STEP_Y + 2 * MARGIN
    place = _Places(layout, left, top)
    branches = [_branch(picture, place, k, through(k)) for k in range(len(picture.ends))]
    buses = [_bus(picture, place, k, at(k)) for k in range(len(picture.names))]
    return (
        f'<svg class="feeder" role="img" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" aria-label={quoteattr(title)}>'
        f"<title>{escape(title)}</title>{''.join(branches)}{''.join(buses)}</svg>"
    )


@dataclass(frozen=True, slots=True)
class _Places:
    layout: Layout
    left: int
    top: int

    def of(self, bus: int) -> tuple[int, int]:
        column, row = self.layout.column[bus] - self.left, self.layout.row[bus] - self.top
        return MARGIN + column * STEP_X, MARGIN + row * STEP_Y


def _branch(picture: FeederPicture, place: _Places, k: int, said: str) -> str:
    one, other = picture.ends[k]
    if place.layout.parent[one] == other:
        one, other = other, one
    (x, y), (u, v) = place.of(one), place.of(other)
    way = f"M{x} {y}V{v}H{u}"
    if k in place.layout.closing:
        way = f"M{x} {y}Q{(x + u) // 2} {(y + v) // 2 - STEP_Y // 2} {u} {v}"
    kind = f"branch w{picture.width_of(k)}"
    kind += " closing" if k in place.layout.closing else ""
    kind += " over" if picture.loading[k] > 1.0 else ""
    return f'<path class="{kind}" data-branch="{k}" d="{way}"><title>{escape(said)}</title></path>'


def _bus(picture: FeederPicture, place: _Places, k: int, said: str) -> str:
    (x, y), band = place.of(k), band_of(picture.voltage_pu[k], *picture.band_pu)
    outside = band == "out"
    size = RADIUS + 1
    mark = (
        f'<rect x="{x - size}" y="{y - size}" width="{2 * size}" height="{2 * size}"/>'
        if outside
        else f'<circle cx="{x}" cy="{y}" r="{RADIUS}"/>'
    )
    ring = f'<circle class="hub" cx="{x}" cy="{y}" r="{RING}"/>' if picture.hubs.get(k) else ""
    word = ""
    if outside or len(picture.names) <= LABELLED:
        text = f"{picture.names[k]}!" if outside else picture.names[k]
        word = f'<text x="{x}" y="{y + RING + 13}" text-anchor="middle">{escape(text)}</text>'
    return (
        f'<g class="bus {band}" data-bus="{k}"><title>{escape(said)}</title>{ring}{mark}{word}</g>'
    )
