"""Search methods behind one loop; adding a method is one file and one line here."""

from hubwise.pricing.search.annealing import Annealing
from hubwise.pricing.search.evolution import Evolution
from hubwise.pricing.search.loop import Found, Method, Setting, search
from hubwise.pricing.search.steps import search_in_steps

METHODS: dict[str, Method] = {"annealing": Annealing(), "evolution": Evolution()}
"""Search methods by name."""

AUTO = "evolution"
"""The method that ``auto`` stands for: the better one in every trial (docs/benchmarks.md)."""

__all__ = ["AUTO", "METHODS", "Found", "Method", "Setting", "search", "search_in_steps"]
