"""Who has not joined is told how; what is kept is trusted only while it is whole and private."""

import os
from pathlib import Path

import pytest

from workers.transport import channel_address
from workers.transport.channel import Credential, LocalCredential, NotJoined, credential_for, dial, keep
from workers.transport.credentials import CredentialError


def credential(address: str, token: str = "token") -> Credential:
    return Credential(address, "certificate", token, "pick")


@pytest.mark.parametrize("address", ["10.0.0.5:50051", "localhost:50051", "gpu.example:50051", "[::1]:50051"])
async def test_who_has_not_joined_is_told_how(state: Path, address: str) -> None:
    with pytest.raises(NotJoined, match="hilserl-tui join"):
        dial(address)


@pytest.mark.parametrize("address", ["", "host", "../../etc/passwd:1", "a/b:1", "[::1:1"])
async def test_what_is_no_address_is_no_path_either(state: Path, address: str) -> None:
    with pytest.raises(NotJoined, match=r"HOST:PORT|brackets"):
        dial(address)


@pytest.mark.parametrize("address", ["10.0.0.5:50051", "gpu-1.lab.example:1", "[2001:db8::1]:50051"])
def test_a_join_is_kept_by_host_and_port(state: Path, address: str) -> None:
    keep(credential(address))
    assert credential_for(address) == credential(address)
    with pytest.raises(NotJoined):
        credential_for(address[:-1] + "2")


def test_a_local_learner_is_found_by_any_name_of_this_machine(state: Path) -> None:
    local = LocalCredential(credential("127.0.0.1:50051"))
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert credential_for(f"{host}:50051").token == "token"
    with pytest.raises(NotJoined):
        credential_for("10.0.0.5:50051")
    local.close()
    with pytest.raises(NotJoined):
        credential_for("127.0.0.1:50051")


def test_a_credential_left_by_a_crash_does_not_stand_before_a_tunnel(state: Path) -> None:
    keep(credential("127.0.0.1:50051", "of the far learner"))
    local = LocalCredential(credential("127.0.0.1:50051", "of the local one"))
    assert credential_for("127.0.0.1:50051").token == "of the local one"
    os.close(local._lock)  # as when its process dies: the file stays
    assert credential_for("127.0.0.1:50051").token == "of the far learner"


def test_two_learners_on_one_port_number_are_told_apart_in_words(state: Path) -> None:
    local = LocalCredential(credential("127.0.0.1:50051"))
    with pytest.raises(CredentialError, match="Choose another port"):
        LocalCredential(credential("127.0.0.1:50051"))
    local.close()
    LocalCredential(credential("127.0.0.1:50051")).close()


def test_a_credential_others_can_read_is_not_used(state: Path) -> None:
    keep(credential("10.0.0.5:50051"))
    (path,) = (state / "joined").iterdir()
    path.chmod(0o644)
    with pytest.raises(CredentialError, match="chmod 600"):
        credential_for("10.0.0.5:50051")


def test_a_damaged_credential_is_named(state: Path) -> None:
    keep(credential("10.0.0.5:50051"))
    (path,) = (state / "joined").iterdir()
    path.write_text('{"address": 3}')
    with pytest.raises(CredentialError, match="join the learner again"):
        credential_for("10.0.0.5:50051")


def test_addresses_of_this_machine_are_found_without_a_name_server() -> None:
    found = channel_address.machine_addresses()
    assert found and all(one.count(".") == 3 for one in found)
    assert found == ["127.0.0.1"] or not any(one.startswith("127.") for one in found)
