"""One decision: prices and answers, dispatch and feeder, and all that follows from them."""

from hubwise.plan.model import Plan
from hubwise.plan.planner import make_plan
from hubwise.plan.relaxed import relax
from hubwise.plan.replan import Replan, make_replan

__all__ = ["Plan", "Replan", "make_plan", "make_replan", "relax"]
