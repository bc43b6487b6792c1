"""How the client of language models reaches their servers: bounded in time and size, without proxies or redirects."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2

from usage.connections import TimedBackend, TimedTransport, one_per_process

MAX_BYTES = 4_000_000  # of an answer; a summary has a few thousand
MAX_CONNECTIONS = 100
KEEP_ALIVE = 30.0  # seconds


class TooLarge(httpx2.TransportError):
    """The answer is longer than we read."""


class BoundedBody(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        length = 0
        for piece in self._stream:
            length += len(piece)
            if length > MAX_BYTES:
                raise TooLarge(f"more than {MAX_BYTES} bytes")
            yield piece

    def close(self) -> None:
        self._stream.close()


class BoundedTransport(TimedTransport):
    """Answers of a bounded size, and none compressed."""

    def __init__(self) -> None:
        super().__init__(TimedBackend(), max_connections=MAX_CONNECTIONS, keep_alive=KEEP_ALIVE)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        # Unpacked it might be a thousand times as long; texts of this size need no compression.
        request.headers["Accept-Encoding"] = "identity"
        response = super().handle_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            response.close()
            raise TooLarge("compressed, though that was not asked for")
        assert isinstance(response.stream, httpx2.SyncByteStream)  # noqa: S101  narrows the type
        response.stream = BoundedBody(response.stream)
        return response


@one_per_process
def client() -> httpx2.Client:
    """The one HTTP client of this process."""
    return httpx2.Client(transport=BoundedTransport(), trust_env=False, follow_redirects=False)
