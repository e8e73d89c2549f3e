"""Until when a certificate is good, by the standard library alone."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

SEQUENCE, UTC_TIME, GENERALIZED_TIME, VERSION = 0x30, 0x17, 0x18, 0xA0


def last_day(pem: str) -> datetime:
    """The end of the first certificate of a PEM text, in UTC (RFC 5280, 4.1.2.5).

    Raises
    ------
    ValueError
        Where it is none.
    """
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    if begin not in pem or end not in pem:
        raise ValueError("is no certificate in PEM")
    first = pem[pem.index(begin) : pem.index(end) + len(end)]
    try:
        certificate = _parts(ssl.PEM_cert_to_DER_cert(first))[0][1]
        signed = _parts(_parts(certificate)[0][1])
        # version (may be left out), number, algorithm, issuer, validity
        kind, validity = signed[4 if signed[0][0] == VERSION else 3]
        tag, said = _parts(validity)[1]
        if kind != SEQUENCE:
            raise ValueError
        return _time(tag, said.decode("ascii"))
    except (IndexError, ValueError) as error:
        raise ValueError("is no certificate in PEM") from error


def _parts(der: bytes) -> list[tuple[int, bytes]]:
    """What stands side by side: tags and contents (X.690, 8.1)."""
    found = []
    while der:
        size, at = der[1], 2
        if size & 0x80:
            many = size & 0x7F
            size, at = int.from_bytes(der[2 : 2 + many]), 2 + many
        if len(der) < at + size:
            raise ValueError
        found.append((der[0], der[at : at + size]))
        der = der[at + size :]
    return found


def _time(tag: int, said: str) -> datetime:
    if tag == UTC_TIME:
        said = f"{'19' if said[:2] >= '50' else '20'}{said}"
    elif tag != GENERALIZED_TIME:
        raise ValueError
    return datetime.strptime(said, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
