"""The learner's certificate is made once; what is wrong with it is said, and it is never replaced unasked."""

import datetime
import hashlib
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from workers.transport import certificate
from workers.transport.certificate import is_pin, own_identity, pin_of
from workers.transport.credentials import CredentialError


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    first, second = own_identity(tmp_path), own_identity(tmp_path)
    assert first == second
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("*.pem")} == {
        "certificate.pem": 0o600,
        "key.pem": 0o600,
    }


def test_it_is_p_256_for_ten_years_made_out_to_hilserl(tmp_path: Path) -> None:
    made = x509.load_pem_x509_certificate(own_identity(tmp_path).certificate)
    key = made.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hilserl"]
    left = made.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(days=3650) < left < datetime.timedelta(days=3660)


def test_the_pin_is_128_bits_of_the_certificate_s_hash(tmp_path: Path) -> None:
    identity = own_identity(tmp_path)
    der = ssl.PEM_cert_to_DER_cert(identity.certificate.decode())
    assert identity.pin == pin_of(der) == hashlib.sha256(der).hexdigest()[:32]
    assert is_pin(identity.pin)
    assert not any(map(is_pin, ("", identity.pin[:-1], identity.pin + "0", identity.pin.upper() + "G")))


def test_the_key_is_not_shown_by_accident(tmp_path: Path) -> None:
    assert "PRIVATE" not in repr(own_identity(tmp_path))


def test_an_expired_one_is_refused_by_its_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "VALID", datetime.timedelta(hours=-1))
    with pytest.raises(CredentialError, match=r"expired on \d{4}-\d\d-\d\d"):
        own_identity(tmp_path)
    monkeypatch.undo()
    with pytest.raises(CredentialError, match="join every robot again"):
        own_identity(tmp_path)


@pytest.mark.parametrize("name", ["certificate.pem", "key.pem"])
def test_half_of_it_missing_is_said_and_not_made_up(tmp_path: Path, name: str) -> None:
    own_identity(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(CredentialError, match=f"{name} is missing"):
        own_identity(tmp_path)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["certificate.pem", "key.pem"])
@pytest.mark.parametrize(
    "damage", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_damaged_one_is_said_and_kept(tmp_path: Path, name: str, damage: bytes) -> None:
    own_identity(tmp_path)
    (tmp_path / name).write_bytes(damage)
    with pytest.raises(CredentialError, match="is damaged"):
        own_identity(tmp_path)
    assert (tmp_path / name).read_bytes() == damage


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    own_identity(tmp_path / "one")
    own_identity(tmp_path / "two")
    (tmp_path / "one" / "key.pem").write_bytes((tmp_path / "two" / "key.pem").read_bytes())
    with pytest.raises(CredentialError, match="do not belong together"):
        own_identity(tmp_path / "one")


def test_a_key_others_can_read_is_refused(tmp_path: Path) -> None:
    own_identity(tmp_path)
    (tmp_path / "key.pem").chmod(0o644)
    with pytest.raises(CredentialError, match="chmod 600"):
        own_identity(tmp_path)
