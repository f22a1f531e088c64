"""Certificates for one test run: an authority of our own, a server at 127.0.0.1, a client."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificates:
    """PEM files; `server` and `client` hold a private key followed by its certificate."""

    authority: Path
    server: Path
    client: Path
    stranger: Path  # an authority that signed nothing: a client that trusts only this must refuse the server


def make_certificates(folder: Path) -> Certificates:
    """Write all four PEM files into `folder`; they are valid for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = Certificates(*(folder / f"{name}.pem" for name in ("authority", "server", "client", "stranger")))
    made.authority.write_bytes(_pem(_signed("lineside-test-authority", key.public_key(), key)))
    made.stranger.write_bytes(_stranger())
    for path in (made.server, made.client):
        own = ec.generate_private_key(ec.SECP256R1())
        certificate = _signed(path.stem, own.public_key(), key, "lineside-test-authority")
        path.write_bytes(_pem_key(own) + _pem(certificate))
        path.chmod(0o600)
    return made


def _stranger() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return _pem(_signed("stranger", key.public_key(), key))


def _signed(
    name: str,
    public_key: ec.EllipticCurvePublicKey,
    authority_key: ec.EllipticCurvePrivateKey,
    issuer: str | None = None,
) -> x509.Certificate:
    now = datetime.now(UTC)
    addresses = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer or name))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(addresses, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
