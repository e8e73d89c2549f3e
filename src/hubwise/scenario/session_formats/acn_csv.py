"""ACN-Data as a table: one row a session, with what was requested."""

from hubwise.scenario.session_formats.form import SessionFormat

FORMAT = SessionFormat(
    name="ACN-Data (table)",
    known_by=(("arrival",), ("departure",), ("requested_energy (kWh)",)),
    columns={
        "session": ("session_id", "session", "id"),
        "driver": ("user_id", "driver"),
        "hub": ("hub",),
        "station": ("station_id",),
        "arrival": ("arrival",),
        "departure": ("departure",),
        "stated_departure": ("estimated_departure", "stated_departure"),
        "energy_kwh": ("requested_energy (kWh)",),
        "claimed": ("claimed",),
    },
)
