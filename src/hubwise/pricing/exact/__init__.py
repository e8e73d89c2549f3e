"""The exact method: the bilevel problem of few driver classes as one mixed-integer program."""

from hubwise.dispatch.program import UnsolvedError
from hubwise.pricing.exact.classes import merged
from hubwise.pricing.exact.method import Exact, count_switches, solve_exact
from hubwise.pricing.exact.session import UnsuitableError
from hubwise.pricing.exact.ticks import rounded

__all__ = [
    "Exact",
    "UnsolvedError",
    "UnsuitableError",
    "count_switches",
    "merged",
    "rounded",
    "solve_exact",
]
