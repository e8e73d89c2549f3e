"""A table in the words of this program, or with its columns told one by one."""

from hubwise.scenario.session_formats.form import SessionFormat

FORMAT = SessionFormat(
    name="a table of sessions",
    known_by=(("arrival",), ("departure",)),
    columns={
        "session": ("session", "id", "session_id"),
        "driver": ("driver", "user_id"),
        "vehicle": ("vehicle",),
        "hub": ("hub",),
        "station": ("plug", "charger", "station"),
        "connector": ("connector",),
        "arrival": ("arrival",),
        "departure": ("departure",),
        "stated_departure": ("stated_departure", "estimated_departure"),
        "duration": ("duration",),
        "energy_kwh": ("energy_kwh",),
        "delivered_kwh": ("delivered_kwh",),
        "charge_kw": ("charge_kw",),
        "claimed": ("claimed",),
    },
)
