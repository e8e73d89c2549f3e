"""Pictures as SVG, drawn by Python: without a script, and without a style of their own."""

from hubwise.drawings.feeder import FeederPicture, draw_feeder
from hubwise.drawings.layout import Layout, lay_out
from hubwise.drawings.strip import draw_strip

__all__ = ["FeederPicture", "Layout", "draw_feeder", "draw_strip", "lay_out"]
