"""A throwaway certificate authority: one a sandbox directory, good for loopback and nothing else.

Its name constraints allow 127.0.0.0/8, ::1 and localhost only: whoever adds it to a trust store cannot be
deceived about any other host by somebody who finds its key.
"""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provisioner.errors import MissingExtraError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

_LIFETIME: Final = timedelta(days=3650)
_RENEW_BEFORE: Final = timedelta(days=30)
_SKEW: Final = timedelta(days=1)
"""Certificates begin a day ago, for clients whose clock is behind."""


class Authority:
    """The authority kept in ``directory`` (ca.pem, ca.key): made there, or read when it is still good.

    ``ca_path`` is the PEM file that clients are given as sslrootcert or ssl_ca_certs. Raises
    MissingExtraError where the ``cryptography`` library is not installed.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.ca_path = directory / "ca.pem"
        self._key_path = directory / "ca.key"
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            loaded = self._load()
        except ImportError as err:
            raise MissingExtraError(
                "the cryptography library is not installed",
                where="sandbox databases",
                hint="pip install 'provisioner[sandbox]'",
            ) from err
        self._certificate, self._key = loaded or self._create()

    def server_context(self, address: str) -> ssl.SSLContext:
        """A server-side TLS context with a certificate for ``address``, 127.0.0.1 and localhost."""
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID

        key = ec.generate_private_key(ec.SECP256R1())
        addresses = sorted({IPv4Address(address), IPv4Address("127.0.0.1")})
        names: list[x509.GeneralName] = [
            x509.DNSName("localhost"),
            *(x509.IPAddress(one) for one in addresses),
        ]
        builder = self._builder(f"provisioner sandbox {address}", key).issuer_name(self._certificate.subject)
        certificate = (
            builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, _sha256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # load_cert_chain takes files only; this one lives as long as the call.
        path = self._directory / f"server-{os.urandom(6).hex()}.pem"
        try:
            _write(path, _pem_key(key) + certificate.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(path)
        finally:
            path.unlink(missing_ok=True)
        return context

    def _load(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
        """What the directory holds; None when there is nothing, or it is damaged or about to expire."""
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        try:
            certificate = x509.load_pem_x509_certificate(self.ca_path.read_bytes())
            key = serialization.load_pem_private_key(self._key_path.read_bytes(), password=None)
        except (FileNotFoundError, ValueError):
            return None
        good = (
            isinstance(key, ec.EllipticCurvePrivateKey)
            and certificate.public_key() == key.public_key()
            and certificate.not_valid_after_utc > datetime.now(UTC) + _RENEW_BEFORE
        )
        return (certificate, key) if good and isinstance(key, ec.EllipticCurvePrivateKey) else None

    def _create(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = f"provisioner sandbox CA {os.urandom(4).hex()}"
        permitted: list[x509.GeneralName] = [
            x509.DNSName("localhost"),
            x509.IPAddress(IPv4Network("127.0.0.0/8")),
            x509.IPAddress(IPv6Network("::1/128")),
        ]
        builder = self._builder(name, key)
        certificate = (
            builder.issuer_name(_name(name))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_signing_only(), critical=True)
            .add_extension(x509.NameConstraints(permitted, excluded_subtrees=None), critical=True)
            .sign(key, _sha256())
        )
        # The key first: a certificate without its key would be taken for damage, and that is right.
        _write(self._key_path, _pem_key(key))
        _write(self.ca_path, certificate.public_bytes(serialization.Encoding.PEM))
        return certificate, key

    @staticmethod
    def _builder(common_name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        from cryptography import x509

        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(now + _LIFETIME)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )


def _name(common_name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _signing_only() -> x509.KeyUsage:
    from cryptography import x509

    others = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **others)


def _sha256() -> hashes.SHA256:
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256()


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    partial.replace(path)
