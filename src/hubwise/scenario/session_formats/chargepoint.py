"""ChargePoint's session report: each stamp with its zone, durations as hours, minutes, seconds."""

from hubwise.scenario.session_formats.form import SessionFormat

FORMAT = SessionFormat(
    name="ChargePoint session report",
    known_by=(
        ("Start Date", "Plug Connect Time", "Start Date Time"),
        ("Start Time Zone", "Time Zone", "Station Name"),
        (
            "End Date",
            "Plug Disconnect Time",
            "End Date Time",
            "Total Duration (hh:mm:ss)",
            "Total Duration",
        ),
        ("Energy (kWh)", "Energy Consumed (AC kWh)"),
    ),
    columns={
        "session": ("Plug In Event Id", "Transaction ID", "Session ID"),
        "driver": ("User ID", "Driver ID"),
        "hub": ("Station Name",),
        "station": ("Station Name", "EVSE ID"),
        "connector": ("Port Number", "Port"),
        "arrival": ("Plug Connect Time", "Start Date", "Start Date Time"),
        "departure": ("Plug Disconnect Time", "End Date", "End Date Time"),
        "arrival_zone": ("Start Time Zone", "Time Zone"),
        "departure_zone": ("End Time Zone", "Start Time Zone", "Time Zone"),
        "duration": ("Total Duration (hh:mm:ss)", "Total Duration"),
        "delivered_kwh": ("Energy (kWh)", "Energy Consumed (AC kWh)"),
        "charge_kw": ("Peak Power (AC kW)",),
    },
    home="America/Los_Angeles",
)
