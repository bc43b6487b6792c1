"""The HTTP of the Bot API."""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from tests.fakes.bot_api.api import BotApi
from tests.fakes.bot_api.faults import Fault
from tests.fakes.bot_api.pace import Pace
from tests.fakes.bot_api.replies import Reply

LONGEST_POLL = 0.2  # seconds


class Server(ThreadingHTTPServer):
    """Knows its connections: clients keep them for a while, and they must not outlive the server."""

    def __init__(self, api: BotApi) -> None:
        self.api = api
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), Handler)

    def close_connections(self) -> None:
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A reply leaves in one piece: in two, the second would wait for the first to be acknowledged.
    wbufsize = -1
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def do_POST(self) -> None:
        api = self.server.api
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        method = self.path.rpartition("/")[2]
        reply = api.answer(method, self.path, _parameters(self.headers.get("Content-Type", ""), body))
        if method == "getUpdates":
            api.closing.wait(LONGEST_POLL)
        if reply is None:
            self.close_connection = True
        elif reply.status:
            self._write(reply)
        else:
            self._reset()

    def _write(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body) + reply.promised))
        self.end_headers()
        self.wfile.write(reply.body)
        self.close_connection = bool(reply.promised)

    def _reset(self) -> None:
        # Closed with something to linger for and no time to: the kernel sends a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """The test's output is no access log."""


def _parameters(content_type: str, body: bytes) -> dict[str, Any]:
    """The parameters of a call: of a form or, where a file is among them, of its parts; a file is its bytes."""
    if not content_type.startswith("multipart/"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    form: Any = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    parameters: dict[str, Any] = {}
    for part in form.get_payload():
        name, value = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        parameters[name] = value if part.get_filename() else value.decode()
    return parameters


@contextmanager
def bot_api(*faults: Fault, pace: Pace | None = None) -> Iterator[BotApi]:
    """A server whose first messages meet the faults, one each; everything after them goes well."""
    api = BotApi(faults=deque(faults), pace=pace)
    server = Server(api)
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.closing.set()
        server.shutdown()
        server.close_connections()
        server.server_close()
        thread.join()
