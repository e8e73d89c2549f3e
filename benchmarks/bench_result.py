"""What the plans of ieee33 at 0.6 and 0.8 reach, all at once."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figure import Figure, Target
from benchmarks.reference import planned
from hubwise.plan import Plan

# Money moved by rounding alone.
CENT = 1e-6
LIMITS = ("voltage", "branch", "transformer", "connection", "convergence")
# Figures of the result and their targets; the bound's is the design's.
REACHED: tuple[tuple[str, str, Target], ...] = (
    ("peak-valley difference, of uncoordinated", "peak_valley_ratio", ("at most", 0.68)),
    ("participants' cost, of uncoordinated", "participant_cost_ratio", ("at most", 0.55)),
    ("profit, of the fleet's uncoordinated cost", "profit_ratio", ("at least", 0.28)),
)


def bench(quick: bool) -> Iterator[Figure]:
    """Ratios, limits, regret, shortfall, and who is worse off."""
    for participation in (0.8,) if quick else (0.6, 0.8):
        yield from figures_of(planned(participation), planned(participation, "uncoordinated"))


def figures_of(plan: Plan, before: Plan) -> Iterator[Figure]:
    """The figures of one plan that have a target; ``before`` is the uncoordinated day."""
    at, result, currency = (
        f"at {plan.participation:g}",
        plan.result.to_json(),
        plan.scenario.situation.market.currency,
    )
    how = f"`hubwise plan ieee33 --participation {plan.participation:g}`"
    for name, key, target in REACHED:
        yield Figure(f"{at}: {name}", result[key], "x", f"{how}, {key}", target)
    profit, margin = result["operator_profit"], result["reference_margin"]
    said = f"{how}, operator_profit over reference_margin"
    yield Figure(f"{at}: profit, of the reference margin", profit / margin, "x", said, ("above", 1))
    rest, key = result["operator_profit_without_incentive"], "operator_profit_without_incentive"
    yield Figure(
        f"{at}: profit without the incentive", rest, currency, f"{how}, {key}", ("above", 0)
    )
    said = f"{how}, operator_profit over profit_bound (no tariff can bring more)"
    share = profit / result["profit_bound"]
    yield Figure(f"{at}: profit, of its bound", share, "x", said, ("at least", 0.97))
    broken = sum(result[f"{kind}_violations"] for kind in LIMITS)
    said = f"{how}, violations of {', '.join(LIMITS)} added up over buses, branches, hubs and slots"
    yield Figure(f"{at}: limits broken", broken, "", said, ("at most", 0))
    regret = result["max_regret"]
    yield Figure(f"{at}: largest regret", regret, currency, f"{how}, max_regret", ("at most", 1e-6))
    missing = result["shortfall_kwh"] - before.result.departures.shortfall_kwh
    said = f"{how}, shortfall_kwh less that of `--strategy uncoordinated`"
    yield Figure(f"{at}: shortfall beyond uncoordinated", missing, "kWh", said, ("at most", 0))
    saving = plan.bills.saving[plan.scenario.situation.fleet.participating]
    said = f"{how}, rows of bills.parquet that participate with a saving below -{CENT:g} {currency}"
    worse = int((saving < -CENT).sum())
    name = f"{at}: drivers worse off than on the reference tariff"
    yield Figure(name, worse, "", said, ("at most", 0))
