"""Sessions of ChargePlace Scotland, as Dundee and other councils publish them."""

from hubwise.scenario.session_formats.form import SessionFormat

FORMAT = SessionFormat(
    name="ChargePlace Scotland sessions (Dundee)",
    known_by=(("Start Date",), ("Start Time",), ("Total kWh",)),
    columns={
        "session": ("Charging event", "_id"),
        "driver": ("User ID",),
        "hub": ("Site",),
        "station": ("CP ID",),
        "connector": ("Connector",),
        "arrival": ("Start Date+Start Time",),
        "departure": ("End Date+End Time",),
        "delivered_kwh": ("Total kWh",),
    },
    home="Europe/London",
)
