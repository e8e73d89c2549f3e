"""TLS of a served site: its certificate, and the authority of its stations' certificates."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from hubwise.domain.errors import Issue, ScenarioError
from hubwise.edge.ocpp.authority import Authority


@dataclass(frozen=True, slots=True)
class Tls:
    """What the command line says of TLS.

    Parameters
    ----------
    certificate, key
        The site's own, PEM; none for plain sockets.
    client_ca
        Whose certificates stations have to show, PEM; none where they have passwords.
    client_ca_key
        With its key stations' certificates are renewed.
    """

    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None
    client_ca_key: Path | None = None

    def check(self) -> None:
        """Say what does not go together.

        Raises
        ------
        ScenarioError
            With all of it.
        """
        faults = [
            (
                (self.certificate is None) != (self.key is None),
                "--tls-cert and --tls-key belong together",
                "give both, or none",
            ),
            (
                self.client_ca is not None and self.certificate is None,
                "--client-ca without --tls-cert",
                "stations can show certificates over TLS only",
            ),
            (
                self.client_ca_key is not None and self.client_ca is None,
                "--client-ca-key without --client-ca",
                "give the certificate that the key belongs to",
            ),
        ]
        if issues := [Issue("", "", "", wrong, right) for found, wrong, right in faults if found]:
            raise ScenarioError(issues)

    def context(self) -> ssl.SSLContext | None:
        """For stations' sockets: TLS 1.2 or later, certificates as asked for.

        Raises
        ------
        ScenarioError
            Where a file is not what it is called.
        """
        if self.certificate is None:
            return None
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            made.load_cert_chain(self.certificate, self.key)
            if self.client_ca is not None:
                made.load_verify_locations(self.client_ca)
                made.verify_mode = ssl.CERT_REQUIRED
        except ssl.SSLError as error:
            files = ", ".join(str(each) for each in (self.certificate, self.key, self.client_ca))
            wrong = f"{error.reason or error} in one of {files}"
            right = "PEM files, the key belonging to the certificate"
            raise ScenarioError([Issue("", "", "", wrong, right)]) from error
        return made

    def signer(self) -> Authority | None:
        """Who renews stations' certificates, if anybody.

        Raises
        ------
        ScenarioError
            Where the files are none, or what signs is not installed.
        """
        if self.client_ca is None or self.client_ca_key is None:
            return None
        try:
            return Authority.read(self.client_ca, self.client_ca_key)
        except ModuleNotFoundError as error:
            raise ScenarioError([Issue("", "", "", *WITHOUT)]) from error
        except (ValueError, TypeError) as error:
            right = "the two files of hubwise site authority"
            raise ScenarioError([Issue(str(self.client_ca), "", "", str(error), right)]) from error


WITHOUT = ("cryptography is not installed", "pip install 'hubwise[certificates]'")
