"""A certificate for this computer alone, for servers of demo and tests that are spoken to over TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from laundryd.daemon.tokens import write_secret

VALID_FOR = timedelta(days=30)
CLOCKS_DIFFER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LocalCertificate:
    """Its files, PEM. Whoever trusts ``certificate`` trusts the server that has ``key``."""

    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> LocalCertificate:
        """Make a certificate of ``localhost`` and ``127.0.0.1`` in ``folder``, or use the one there."""
        made = cls(folder / "certificate.pem", folder / "key.pem")
        if not made.certificate.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            write_secret(made.key, pem)
            write_secret(made.certificate, _sign(key).public_bytes(Encoding.PEM))
        return made

    def for_server(self) -> ssl.SSLContext:
        """Return what a server shows this certificate with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def for_client(self) -> ssl.SSLContext:
        """Return what a client trusts this certificate, and no other, with."""
        return ssl.create_default_context(cafile=str(self.certificate))


def _sign(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "laundryd on this computer")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
