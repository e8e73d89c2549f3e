"""Pictures of pages for the docs, of a site that is served for them: ``make pictures``."""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from browser import CHROMIUM
from driver_site import Living, compile_planner, living
from live_site import here
from station_variables import variables

NEEDS = {
    "requestedEnergyTransfer": "AC_BPT",
    "controlMode": "DynamicControl",
    "v2xChargingParameters": {"maxChargePower": 7000, "maxDischargePower": 7000},
}
SIZES = {"driver": (1280, "light"), "driver-phone": (360, "light")}


def park(site: Living) -> None:
    """A car that may give back, minutes after it came; it leaves in eleven hours."""
    said = [(8, 0.0, 0.0), (4, 0.3, 0.0), (1, 0.3, 0.0)]
    session = site.stay("bay-12", "A1", said, replies={"GetVariables": variables()})
    here("driver", "car", site.served.folder, "ann", "--capacity-kwh", 60, "--km-per-kwh", 6.2)
    site.call("bay-12", "NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": NEEDS})
    leaves = datetime.now(UTC) + timedelta(hours=11)
    levels = {"energy_kwh": "38", "required_kwh": "51", "reserve_kwh": "11.5"}
    site.wish(session, departure_at=leaves.isoformat(), **levels)
    site.planned(session)


def take(site: Living, browser: Browser, out: Path) -> None:
    """Each picture, of one sign-in."""
    secret = {"name": "hubwise", "value": site.secret("ann"), "url": site.base}
    for name, (width, theme) in SIZES.items():
        size = {"width": width, "height": 800}
        context = browser.new_context(viewport=size, color_scheme=theme, device_scale_factor=1)
        context.add_cookies([secret])
        page = context.new_page()
        page.goto(f"{site.base}/me")
        page.wait_for_timeout(1_500)
        page.screenshot(path=out / f"{name}.png", full_page=True)
        context.close()


def main() -> None:
    """Serve, park, and take them."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--out", type=Path, default=Path("docs/images"))
    out = words.parse_args().out
    compile_planner()
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "harbour"
        with living(folder, ["bay-12"], {"ann": ["A1"]}) as site, sync_playwright() as program:
            park(site)
            browser = program.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            take(site, browser, out)
            browser.close()


if __name__ == "__main__":
    main()
