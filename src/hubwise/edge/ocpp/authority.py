"""A site's own certificate authority: it signs what stations ask to have signed, and no more.

Needs ``cryptography``, the extra ``hubwise[certificates]``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

CERTIFICATE, KEY = "authority.pem", "authority.key"
AUTHORITY_LASTS = timedelta(days=3_650)
STATION_LASTS = timedelta(days=365)
# Stations' clocks differ: a certificate holds a little earlier than it was made.
EARLIER = timedelta(hours=1)
LEAST_RSA_BITS = 2_048


def make_authority(folder: Path, name: str) -> tuple[Path, Path]:
    """A new authority in a folder: its certificate, and its key for its owner alone.

    Raises
    ------
    ModuleNotFoundError
        Without ``cryptography``.
    FileExistsError
        Where there is one already.
    """
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    made = _certificate(name, key.public_key(), AUTHORITY_LASTS)
    made = _for_authority(made.issuer_name(_named(name)))
    signed = _issued_by(made, key).sign(key, hashes.SHA256())
    places = folder / CERTIFICATE, folder / KEY
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for place, text, mode in (
        (places[1], private, 0o600),
        (places[0], signed.public_bytes(serialization.Encoding.PEM), 0o644),
    ):
        opened = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(opened, "wb") as file:
            file.write(text)
    return places


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates of stations.

    Parameters
    ----------
    certificate, key
        Its own.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def read(cls, certificate: Path, key: Path) -> Authority:
        """An authority from its two files.

        Raises
        ------
        ModuleNotFoundError
            Without ``cryptography``.
        ValueError, OSError
            Where the files are none, or do not belong together.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = load_pem_private_key(key.read_bytes(), None)
        if private.public_key() != found.public_key():
            raise ValueError(f"{key} is not the key of {certificate}")
        return cls(found, private)

    def sign(self, csr: str, station: str) -> str:
        """The certificate chain (PEM) for a station's request.

        Raises
        ------
        ValueError
            Where the request is not one that this station may make.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization

        asked = _request(csr)
        names = asked.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        if [each.value for each in names] != [station]:
            raise ValueError(f"its common name is not {station}")
        made = _certificate(station, asked.public_key(), STATION_LASTS)
        made = _for_station(made.issuer_name(self.certificate.subject))
        signed = _issued_by(made, self.key).sign(self.key, hashes.SHA256())
        chain = (signed, self.certificate)
        return "".join(each.public_bytes(serialization.Encoding.PEM).decode() for each in chain)


def _request(csr: str) -> x509.CertificateSigningRequest:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        asked = x509.load_pem_x509_csr(csr.encode())
        key = asked.public_key()
        proven = asked.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"it cannot be read: {error}") from error
    if not proven:
        raise ValueError("it is not signed by its own key")
    strong = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= 224
    if not strong and not (isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_RSA_BITS):
        raise ValueError("its key is weak")
    return asked


def _named(name: str) -> x509.Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])


def _certificate(
    name: str, key: CertificatePublicKeyTypes, lasts: timedelta
) -> x509.CertificateBuilder:
    """Valid by the machine's clock, as TLS is."""
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_others: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_others,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_others,
        crl_sign=signs_others,
        encipher_only=False,
        decipher_only=False,
    )


def _issued_by(
    made: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    from cryptography import x509

    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return made.add_extension(identifier, critical=False)


def _for_authority(made: x509.CertificateBuilder) -> x509.CertificateBuilder:
    from cryptography import x509

    return made.add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    ).add_extension(_usage(signs_others=True), critical=True)


def _for_station(made: x509.CertificateBuilder) -> x509.CertificateBuilder:
    from cryptography import x509

    client = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH])
    return (
        made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_others=False), critical=True)
        .add_extension(client, critical=False)
    )
