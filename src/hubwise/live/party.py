"""``[ocpi]`` of ``site.toml``: who the site is in records for others."""

from __future__ import annotations

import re
from dataclasses import fields

from hubwise.books.ocpi import Party
from hubwise.live.telling import Wrong

# What each of OCPI's words looks like, and how to say it.
FORMS = {
    "country_code": (r"[A-Z]{2}", 'two letters, such as "DE"'),
    "party_id": (r"[A-Z0-9]{3}", 'three letters, such as "HUB"'),
    "address": (r".{1,45}", "street and number, at most 45 characters"),
    "city": (r".{1,45}", "at most 45 characters"),
    "country": (r"[A-Z]{3}", 'three letters, such as "DEU"'),
    "latitude": (r"-?[0-9]{1,2}\.[0-9]{5,7}", 'degrees with five to seven digits: "52.520008"'),
    "longitude": (r"-?[0-9]{1,3}\.[0-9]{5,7}", 'degrees with five to seven digits: "13.404954"'),
    "connector_standard": (r"[A-Z0-9_]{3,40}", 'OCPI\'s word, such as "IEC_62196_T2"'),
    "connector_format": (r"SOCKET|CABLE", '"SOCKET" or "CABLE"'),
    "connector_power_type": (
        r"AC_1_PHASE|AC_2_PHASE|AC_2_PHASE_SPLIT|AC_3_PHASE|DC",
        '"AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE" or "DC"',
    ),
}
NAMES = tuple(each.name for each in fields(Party))


def party_of(table: object, wrong: Wrong) -> Party | None:
    """What a site says of itself; ``wrong`` is told place, fault and what would be right."""
    if table is None:
        return None
    if not isinstance(table, dict):
        wrong("ocpi", "is no table", "write [ocpi]")
        return None
    said = {**{each.name: each.default for each in fields(Party)}, **table}
    good = True
    for name, (form, right) in FORMS.items():
        value = said.get(name)
        if not isinstance(value, str) or not re.fullmatch(form, value):
            good = False
            wrong(f"ocpi.{name}", f"{value!r}" if name in table else "is not there", right)
    return Party(**{name: str(said[name]) for name in NAMES}) if good else None
