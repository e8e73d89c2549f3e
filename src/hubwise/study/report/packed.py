"""What is large on the page stands packed; ``unpack.js`` unpacks it."""

from __future__ import annotations

import base64
import gzip
from importlib.resources import files


def packed(text: str) -> str:
    """Text for an element of the page: gzip, base64."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def plotly() -> str:
    """What draws the figures: plotly.js, the cartesian bundle as it is on npm, packed."""
    bundle = files(__package__).joinpath("plotly-cartesian.min.js.gz").read_bytes()
    return base64.b64encode(bundle).decode()
