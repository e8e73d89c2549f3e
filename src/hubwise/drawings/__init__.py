"""Pictures as SVG, drawn by Python: without a script, and without a style of their own."""

from hubwise.drawings.feeder import FeederPicture, draw_feeder
from hubwise.drawings.layout import Layout, lay_out

__all__ = ["FeederPicture", "Layout", "draw_feeder", "lay_out"]
