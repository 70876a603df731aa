"""What a stack remembers from one start to the next."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bellwether_cli.stack.errors import StackError
from bellwether_cli.stack.folder import open_folder, recall
from bellwether_cli.stack.ports import ANY_PORT, PortChoice, free_port, is_free


def test_secrets_and_ports_stay_the_same(tmp_path: Path) -> None:
    with open_folder(tmp_path) as folder:
        first = recall(folder, ANY_PORT)
    with open_folder(tmp_path) as folder:
        assert recall(folder, ANY_PORT) == first


def test_an_earlier_port_that_somebody_has_taken_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    with open_folder(tmp_path) as folder:
        first = recall(folder, ANY_PORT)
        with socket.create_server(("127.0.0.1", first.ports.kafka)):
            second = recall(folder, ANY_PORT)
    assert second.ports.kafka != first.ports.kafka
    assert second.ports.postgres == first.ports.postgres
    assert second.cluster_id == first.cluster_id


def test_a_port_that_the_user_names_goes_first(tmp_path: Path) -> None:
    port = free_port()
    with open_folder(tmp_path) as folder:
        recall(folder, ANY_PORT)
        assert recall(folder, PortChoice({"kafka": port})).ports.kafka == port


def test_what_is_remembered_is_for_the_owners_eyes_only(tmp_path: Path) -> None:
    with open_folder(tmp_path) as folder:
        recall(folder, ANY_PORT)
    assert (tmp_path / "stack.json").stat().st_mode & 0o077 == 0


def test_a_spoilt_memory_is_reported_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text("{}")
    with open_folder(tmp_path) as folder, pytest.raises(StackError, match=r"stack\.json is not what"):
        recall(folder, ANY_PORT)


def test_a_port_with_a_listener_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_a_preferred_port_is_had_if_it_is_free_and_given_up_if_not() -> None:
    port = free_port()
    choice = PortChoice(preferred={"api": port})
    assert choice.pick("api") == port
    with socket.create_server(("127.0.0.1", port)):
        assert choice.pick("api") != port


def test_an_earlier_port_goes_before_a_preferred_one() -> None:
    earlier = free_port()
    assert PortChoice(preferred={"api": free_port()}).pick("api", earlier) == earlier
