"""A web server on the loopback that serves feeds and pages: with validators, slowly, endlessly, broken or elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Document:
    """What the server says at one address. Times are in seconds.

    `delay` passes before the answer, `piece_delay` after each piece of `piece` bytes; `cut` ends the connection after
    so many bytes of the body. With the header `Connection: close` the length is not told beforehand.
    """

    body: bytes = b""
    content_type: str = "application/xml"
    status: int = 200
    etag: str = ""
    last_modified: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    piece: int = 65536
    piece_delay: float = 0.0
    cut: int | None = None

    def is_known_by(self, headers: Mapping[str, str]) -> bool:
        """Whether a request names the document's own validator. As RFC 9110 has it, the ETag goes before the date."""
        if self.etag and "If-None-Match" in headers:
            return headers["If-None-Match"] == self.etag
        return bool(self.last_modified) and headers.get("If-Modified-Since") == self.last_modified


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    status: int


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are written apart: without it each answer would wait for the client's delayed acknowledgement.
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        document = self.server.documents.get(self.path, Document(status=404))
        is_known = document.is_known_by(self.headers)  # type: ignore[arg-type]
        status = 304 if is_known else document.status
        self.server.requests.append(Request(self.path, dict(self.headers.items()), status))
        if len(self.server.requests) > self.server.at_once:
            self.server.released.wait()
        time.sleep(document.delay)
        self.send_response(status)
        for name, value in self._headers(document, has_body=not is_known):
            self.send_header(name, value)
        self.end_headers()
        if not is_known:
            self._send_body(document)

    def _headers(self, document: Document, *, has_body: bool) -> list[tuple[str, str]]:
        headers = dict(document.headers)
        if document.etag:
            headers["ETag"] = document.etag
        if document.last_modified:
            headers["Last-Modified"] = document.last_modified
        if has_body:
            headers |= {"Content-Type": document.content_type}
            if headers.get("Connection") != "close":
                headers.setdefault("Content-Length", str(len(document.body)))
        return list(headers.items())

    def _send_body(self, document: Document) -> None:
        body = document.body if document.cut is None else document.body[: document.cut]
        try:
            for start in range(0, len(body), document.piece):
                self.wfile.write(body[start : start + document.piece])
                time.sleep(document.piece_delay)
        except OSError:  # the client has seen enough
            self.close_connection = True
        if document.cut is not None:
            self.close_connection = True

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Requests are recorded, not printed."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.documents: dict[str, Document] = {}
        self.requests: list[Request] = []
        self.at_once: float = inf
        self.released = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is not worth a traceback."""


class FeedServer:
    """Serves documents while its `with` block runs; `requests` are those that came, in order."""

    def __init__(self) -> None:
        self._server = _Server()
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def requests(self) -> list[Request]:
        return self._server.requests

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def serve(self, path: str, body: bytes = b"", **answer: Any) -> str:
        """Answer `path` with a Document from now on; gives its address."""
        self._server.documents[path] = Document(body, **answer)
        return self.url(path)

    def hold_after(self, requests: int) -> None:
        """Answer so many requests at once; those that come later wait for `release`."""
        self._server.at_once = requests

    def release(self) -> None:
        self._server.released.set()
