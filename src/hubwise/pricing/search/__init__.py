"""Search methods behind one loop; adding a method is one file and one line here."""

from hubwise.pricing.search.annealing import Annealing
from hubwise.pricing.search.evolution import Evolution
from hubwise.pricing.search.exact import ExactMethod
from hubwise.pricing.search.loop import Method, SearchResult, Setting, run_search, search_by
from hubwise.pricing.search.steps import FEW, search_in_steps
from hubwise.pricing.search.surrogate import Surrogate

METHODS: dict[str, Method] = {
    "annealing": Annealing(),
    "evolution": Evolution(),
    "exact": ExactMethod(),
    "surrogate": Surrogate(),
}
"""Search methods by name."""

# The better method in every trial (docs/benchmarks.md), ended when it stands still.
_AUTO = ("evolution", Evolution(still=2e-4))


def search_method(name: str) -> tuple[str, Method]:
    """The search method called ``name``, and its own name where that is ``auto``.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    if name == "auto":
        return _AUTO
    if name not in METHODS:
        known = ", ".join(["auto", *METHODS])
        raise ValueError(f"unknown search method {name!r}; known: {known}")
    return name, METHODS[name]


__all__ = [
    "FEW",
    "METHODS",
    "Method",
    "SearchResult",
    "Setting",
    "run_search",
    "search_by",
    "search_in_steps",
    "search_method",
]
