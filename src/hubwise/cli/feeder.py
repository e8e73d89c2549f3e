"""The feeder that a site says its hubs are at."""

from __future__ import annotations

from hubwise.live import Settings
from hubwise.live.feeder import Feeder


def feeder_of(settings: Settings) -> Feeder | None:
    """It, if the site says one.

    Raises
    ------
    ScenarioError
        With everything that is wrong with the scenario, or where it has not the site's hubs.
    """
    if not settings.feeder:
        return None
    # Numbers are crunched in this process only where there is a feeder.
    from hubwise.live.feeder_flow import LiveFeeder
    from hubwise.scenario import load

    return LiveFeeder(load(settings.feeder), settings.connection_kw, settings.zone)
