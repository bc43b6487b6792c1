"""The wall around the tests: the loopback and nothing else."""

from __future__ import annotations

import socket

import httpx
import pytest

from tests.conftest import NetworkBlocked
from tests.servers import free_port

# Addresses that are set aside for documentation: nobody answers there even if the wall had a hole.
OUTSIDE = "192.0.2.1"


def test_no_connection_leaves_this_machine():
    with socket.socket() as connection, pytest.raises(NetworkBlocked):
        connection.connect((OUTSIDE, 80))


def test_no_datagram_leaves_this_machine():
    with socket.socket(type=socket.SOCK_DGRAM) as sender, pytest.raises(NetworkBlocked):
        sender.sendto(b"", (OUTSIDE, 53))


def test_no_name_is_looked_up():
    with pytest.raises(NetworkBlocked):
        socket.getaddrinfo("news.example", 443)


def test_no_library_gets_around_it():
    with pytest.raises(NetworkBlocked):
        httpx.get(f"http://{OUTSIDE}/")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_the_loopback_is_open(host):
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, free_port()))
