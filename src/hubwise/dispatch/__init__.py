"""Zero-regret dispatch of drivers and station batteries under shared limits."""

from hubwise.dispatch.baseline import Baseline, at_rest, make_baseline
from hubwise.dispatch.best import best_dispatch
from hubwise.dispatch.bound import (
    excess_cost,
    least_cost,
    past_within,
    places_of,
    prices_of_limits,
    social_cost_bound,
)
from hubwise.dispatch.limits import Limits, feeder_limits
from hubwise.dispatch.linear import dispatch_linear
from hubwise.dispatch.objective import Objective, objective_of
from hubwise.dispatch.problem import Problem, make_problem, with_participants, with_situation
from hubwise.dispatch.size import EXACTLY, fits_program, is_small, rounds_where_large
from hubwise.dispatch.solve import Dispatch, dispatch, dispatch_futures
from hubwise.dispatch.spreading import spread
from hubwise.dispatch.stays import Stays, energies, stays_of
from hubwise.dispatch.ties import at_random, by_devices, pessimistic, undelegated
from hubwise.dispatch.units import session_units
from hubwise.dispatch.warm import Multipliers, WarmStart, read_warm_start

__all__ = [
    "EXACTLY",
    "Baseline",
    "Dispatch",
    "Limits",
    "Multipliers",
    "Objective",
    "Problem",
    "Stays",
    "WarmStart",
    "at_random",
    "at_rest",
    "best_dispatch",
    "by_devices",
    "dispatch",
    "dispatch_futures",
    "dispatch_linear",
    "energies",
    "excess_cost",
    "feeder_limits",
    "fits_program",
    "is_small",
    "least_cost",
    "make_baseline",
    "make_problem",
    "objective_of",
    "past_within",
    "pessimistic",
    "places_of",
    "prices_of_limits",
    "read_warm_start",
    "rounds_where_large",
    "session_units",
    "social_cost_bound",
    "spread",
    "stays_of",
    "undelegated",
    "with_participants",
    "with_situation",
]
