"""Formats of charging sessions: a file of this folder for each, found by what a table shows."""

from hubwise.scenario.session_formats import (
    acn_csv,
    acn_json,
    chargepoint,
    common,
    dundee,
    elaad,
    evcc,
    ocpi,
    own,
)
from hubwise.scenario.session_formats.form import MEANINGS, SessionFormat, plain

# The first that recognises a table reads it; ``OWN`` is what is not recognised.
FORMATS = tuple(
    each.FORMAT for each in (acn_json, acn_csv, elaad, ocpi, dundee, chargepoint, evcc, own, common)
)
OWN = own.FORMAT

__all__ = ["FORMATS", "MEANINGS", "OWN", "SessionFormat", "plain"]
