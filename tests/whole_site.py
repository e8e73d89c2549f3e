"""A site with all parts of a scenario, to break one value of."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from hubwise.scenario import new

PARTS = """
[[circuits]]
name = "garage"
hub = "north"
limit_kw = 60.0

[[circuits]]
name = "left"
hub = "north"
under = "garage"
fuse_a = 80.0

[[circuits]]
name = "quay"
hub = "harbour"
fuse_a = 80.0

[plugs]
file = "plugs.csv"
when_full = "wait"

[chargers]
step_a = 1.0
starts_max = 4
round = false

[drivers]
file = "drivers.csv"

[tapers]
slow = [[0.8, 1.0], [1.0, 0.3]]

[battery]
wear = "linear"
years = 10
end_of_life = 0.8
"""
HEAD = """delegating = 0.5
device_ties = "early"
"""
HUB = """fuse_a = 200.0
charger_kw_min = 1.4
"""


def whole_site(site: Path) -> Path:
    """The example with plugs, circuits, fuses, drivers, wear, tapers and delegation of its own."""
    new(site)
    toml = site / "scenario.toml"
    text = toml.read_text("utf-8").replace("participation = 1.0", HEAD + "participation = 1.0")
    text = text.replace('name = "north"\n', 'name = "north"\n' + HUB, 1)
    toml.write_text(text + PARTS, "utf-8")
    plugs = [f"n{k},north,11,3,1.4,0.5,3,left,,true,0.01" for k in range(6)]
    plugs += [f"h{k},harbour,7.4,1,1.4,0.5,3,quay,L1,true,0.01" for k in range(6)]
    names = "plug,hub,kw,phases,kw_min,step_kw,starts_max,circuit,phase,two_way,standby_kw"
    (site / "plugs.csv").write_text("\n".join([names, *plugs]) + "\n", "utf-8")
    table = pl.read_csv(site / "sessions.csv", infer_schema=False)
    usual = {
        "discharge_limit_kwh": "20", "surplus_value": "0", "temperature_c": "20",
        "age_years": "1", "throughput_kwh": "1000", "warranty_kwh": "50000",
        "driving_kwh_per_day": "8", "fade_limit_per_year": "0.05", "minimum_saving": "0",
        "never_discharge": "false", "charge_kw_min": "1.4", "discharge_kw_min": "1.4",
        "step_kw": "0.5", "starts_max": "3", "taper": "slow", "delegating": "true",
        "phases": "", "plug": "",
    }  # fmt: skip
    more = [pl.lit(value).alias(name) for name, value in usual.items()]
    table = table.with_columns(more).with_columns(actual_departure=pl.col("departure"))
    table.write_csv(site / "sessions.csv")
    wishes = "driver,departure,required_kwh,reserve_kwh,minimum_saving,never_discharge,taper"
    rows = [f"{driver},,,,0.1,false,slow" for driver in table["driver"]]
    rows[0] = f"{table['driver'][0]},07:15,45,12,0.1,false,slow"
    (site / "drivers.csv").write_text("\n".join([wishes, *rows]) + "\n", "utf-8")
    return site
