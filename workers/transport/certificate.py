"""The learner's identity: a self-signed certificate made once, known to its robots by its fingerprint (the pin).

No authority signs it. A robot that joins compares the pin a person gave it with the certificate the
learner shows, and from then on trusts this certificate alone.
"""

import datetime
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from workers.transport.credentials import CredentialError, locked, private_dir, read_private, write_private

NAME = (
    "hilserl"  # what every learner's certificate is made out to: hosts and addresses change, the key does not
)
VALID = datetime.timedelta(days=3652)
_PIN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Identity:
    """Certificate and key of a learner, PEM."""

    certificate: bytes
    key: bytes = field(repr=False)
    pin: str


def is_pin(text: str) -> bool:
    """Whether this is the form of a pin: 32 lower-case hexadecimal digits (128 bit)."""
    return _PIN.fullmatch(text) is not None


def pin_of(der: bytes) -> str:
    """First 128 bits of the SHA-256 of a certificate (DER)."""
    return hashlib.sha256(der).hexdigest()[:32]


def own_identity(directory: Path) -> Identity:
    """Certificate and key kept in `directory`, made when neither is there.

    Raises CredentialError when one is missing, damaged, expired or readable by others. It is never made anew
    then: every robot that joined would stop trusting this learner, and a person should know.
    """
    private_dir(directory)
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    with locked(directory):
        if not certificate.exists() and not key.exists():
            _make(certificate, key)
        remedy = f"To begin anew, remove both, `rm -f {certificate} {key}`, and join every robot again."
        try:
            identity = _read(certificate, key)
        except FileNotFoundError as error:
            raise CredentialError(
                f"The learner's certificate is incomplete: {error.filename} is missing."
                f" Restore it from a backup. {remedy}"
            ) from error
        except ValueError as error:
            raise CredentialError(
                f"The learner's certificate in {directory} is damaged: {error}. {remedy}"
            ) from error
    expires = x509.load_pem_x509_certificate(identity.certificate).not_valid_after_utc
    if expires < datetime.datetime.now(datetime.UTC):
        raise CredentialError(
            f"The learner's certificate {certificate} expired on {expires:%Y-%m-%d}, or this machine's clock is wrong."
            f" Look at `date`. {remedy}"
        )
    return identity


def _read(certificate: Path, key: Path) -> Identity:
    """Raises FileNotFoundError, CredentialError, or ValueError when the files are not certificate and key."""
    key_pem = read_private(key)
    certificate_pem = read_private(certificate)
    found = x509.load_pem_x509_certificate(certificate_pem)
    try:
        secret = serialization.load_pem_private_key(key_pem, password=None)
    except TypeError as error:
        raise ValueError("the key asks for a password") from error
    if secret.public_key() != found.public_key():
        raise ValueError("certificate and key do not belong together")
    return Identity(certificate_pem, key_pem, pin_of(found.public_bytes(serialization.Encoding.DER)))


def _make(certificate: Path, key: Path) -> None:
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # clocks of robots may be behind
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(secret, hashes.SHA256())
    )
    write_private(
        key,
        secret.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    write_private(certificate, made.public_bytes(serialization.Encoding.PEM))
