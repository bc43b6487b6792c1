"""The only door to the web: bounded in time, size, redirects and connections, and shut to private addresses.

No proxy, certificate or password is taken from the environment, and no cookie is kept. Its errors are one family
(`fetch_errors`), and callers name them as this module's.
"""

from __future__ import annotations

import base64
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import httpx2
from django.conf import settings
from django.utils.translation import gettext as _

from articles import metrics, network, pacing
from articles.fetch_errors import (
    AddressRefused,
    BadStatus,
    FetchError,
    Gone,
    HostRests,
    TimedOut,
    TooLarge,
    TooManyRedirects,
    Undecodable,
    Unreachable,
    bad_status,
)
from articles.pacing import Pace
from usage import connections
from usage.models import SessionStatsDaily
from usage.retrying import read_retry_after

MAX_BYTES = 10_000_000  # of the decoded body
DEADLINE = 60.0  # seconds from the first lookup to the last byte, redirects included
CONNECT_TIMEOUT = 10.0  # seconds
READ_TIMEOUT = 20.0  # seconds between two pieces of an answer
MAX_REDIRECTS = 5

__all__ = [
    "AddressRefused",
    "BadStatus",
    "FetchError",
    "Gone",
    "HostRests",
    "Response",
    "TimedOut",
    "TooLarge",
    "TooManyRedirects",
    "Undecodable",
    "Unreachable",
    "fetch",
    "record_requests",
]

REDIRECTS = {301, 302, 303, 307, 308}
PERMANENT = {301, 308}
NOT_MODIFIED = 304


class _Count:
    """Requests of this process that are not in the daily statistics yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value = 0

    def add(self) -> None:
        with self._lock:
            self._value += 1

    def take(self, at_least: int) -> int:
        """The count so far, which starts at nought again; nought if it is smaller than `at_least`."""
        with self._lock:
            if self._value < at_least:
                return 0
            taken, self._value = self._value, 0
            return taken


_count = _Count()


def record_requests(at_least: int = 1) -> None:
    """Bring the requests made since the last call into the daily statistics, if they are so many: one write for all."""
    if taken := _count.take(at_least):
        SessionStatsDaily.add(http_requests=taken)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer of 2xx or 304. `url` is where it came from after redirects; names of headers are in lower case.

    `moved_to` is the address that the server says to use from now on (301, 308), empty without such a redirect.
    """

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes
    moved_to: str = ""

    @property
    def not_modified(self) -> bool:
        return self.status == NOT_MODIFIED

    def validator(self, name: str, length: int) -> str:
        """An ETag or a date for the next request. One that is too long to keep is none: cut, it would never match."""
        value = self.headers.get(name, "")
        return value if len(value) <= length and value.isprintable() else ""


def fetch(
    url: str,
    *,
    etag: str = "",
    last_modified: str = "",
    max_bytes: int = MAX_BYTES,
    deadline: float = DEADLINE,
    target: str = "page",
    pace: Pace | None = None,
) -> Response:
    """GET a page, at most `max_bytes` of it (decoded) and within `deadline` seconds.

    It waits for its turn at the host first: `pace` is how often that comes (None: as the settings have it). With
    validators of an earlier answer the server may say 304: the body is empty then. `target` names the purpose in
    the metrics ("feed", "page"). Raises one of the FetchError family.
    """
    headers = {"Accept-Encoding": "gzip, deflate", "User-Agent": settings.FETCH_USER_AGENT, "Accept": "*/*"}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    clock = connections.deadline.set(time.monotonic() + deadline)
    try:
        return _follow(url, headers, max_bytes, deadline, target=target, pace=pace)
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, UnicodeError) as error:
        raise AddressRefused(_("This is not an address that can be fetched.")) from error
    except network.ForbiddenAddress as error:
        raise AddressRefused(
            _("The address leads into a private network: only FETCH_ALLOW_PRIVATE lets it be read.")
        ) from error
    except pacing.TooLong as error:
        raise HostRests(_("The server asked for a pause, or too many wait for it."), error.wait) from error
    except network.UnknownHost as error:
        raise Unreachable(_("There is no server of this name.")) from error
    except httpx2.TimeoutException as error:
        raise TimedOut(_("The server did not answer in time.")) from error
    except httpx2.TransportError as error:
        raise Unreachable(_broken_connection(error)) from error
    finally:
        connections.deadline.reset(clock)


def _broken_connection(error: BaseException) -> str:
    """What went wrong below HTTP: httpx2 wraps the reason in its own exceptions, the innermost one says it."""
    innermost = error
    while innermost.__cause__ or innermost.__context__:
        innermost = innermost.__cause__ or innermost.__context__  # type: ignore[assignment]
    if isinstance(innermost, ssl.SSLCertVerificationError):
        return _("The server's certificate is not trusted.")
    if isinstance(innermost, ssl.SSLError):
        return _("The server does not speak proper TLS.")
    if isinstance(innermost, ConnectionRefusedError):
        return _("The server refused the connection.")
    return _("The connection to the server broke off.")


def _follow(
    url: str, headers: dict[str, str], max_bytes: int, deadline: float, *, target: str, pace: Pace | None
) -> Response:
    timeouts = {"connect": CONNECT_TIMEOUT, "read": READ_TIMEOUT, "write": READ_TIMEOUT, "pool": deadline}
    address, moved_to, is_permanent = httpx2.URL(url), "", True
    for _hop in range(MAX_REDIRECTS + 1):
        if address.scheme not in {"http", "https"} or not address.host:
            raise AddressRefused(_("Only http and https addresses are fetched."))
        if address.port in network.NO_WEB_PORTS:
            raise AddressRefused(_("Something else than web pages is served on this port."))
        request = httpx2.Request("GET", address, headers=headers | _login(address), extensions={"timeout": timeouts})
        with pacing.turn(address.host, address.port, pace):
            response = _send(request, target)
            try:
                if response.status_code in REDIRECTS and "location" in response.headers:
                    address = address.join(response.headers["location"])
                    is_permanent = is_permanent and response.status_code in PERMANENT
                    moved_to = str(address) if is_permanent else moved_to
                    continue
                return _accept(response, str(address), max_bytes, moved_to)
            finally:
                response.close()
    raise TooManyRedirects(_("The server redirects without end."))


def _login(address: httpx2.URL) -> dict[str, str]:
    """The header for a name and password that stand in the address itself."""
    if not address.userinfo:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(unquote(address.userinfo.decode()).encode()).decode()}"}


def _send(request: httpx2.Request, target: str) -> httpx2.Response:
    _count.add()
    started, status_group = time.monotonic(), "error"
    try:
        response = network.transport().handle_request(request)
        status_group = f"{response.status_code // 100}xx"
    finally:
        metrics.http_duration.labels(target).observe(time.monotonic() - started)
        metrics.http_requests.labels(target, "GET", status_group).inc()
    return response


def _accept(response: httpx2.Response, url: str, max_bytes: int, moved_to: str) -> Response:
    status = response.status_code
    if status != NOT_MODIFIED and not response.is_success:
        retry_after = read_retry_after(response.headers.get("retry-after", ""))
        if retry_after:
            address = httpx2.URL(url)
            pacing.rest(address.host, address.port, retry_after)
        raise bad_status(status, retry_after)
    # Also what has no body is read to its end: otherwise the connection would not be used again.
    body = _body(response, max_bytes)
    return Response(status, url, {name.lower(): value for name, value in response.headers.items()}, body, moved_to)


def _body(response: httpx2.Response, max_bytes: int) -> bytes:
    if response.status_code == NOT_MODIFIED:
        # What its headers say of a body they say of the one that does not come (RFC 9110, section 8.6).
        return b"".join(_up_to(max_bytes, response.stream))  # type: ignore[arg-type]
    if int(response.headers.get("content-length", "0")) > max_bytes:
        raise TooLarge(_("The answer is larger than %(limit)d bytes.") % {"limit": max_bytes})
    return b"".join(_up_to(max_bytes, _decoded(response, max_bytes)))


def _up_to(max_bytes: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces as they come. Raises TooLarge once there are more bytes of them."""
    came = 0
    for piece in pieces:
        came += len(piece)
        if came > max_bytes:
            raise TooLarge(_("The answer is larger than %(limit)d bytes.") % {"limit": max_bytes})
        yield piece


def _decoded(response: httpx2.Response, max_bytes: int) -> Iterator[bytes]:
    """The body piece by piece. Unlike httpx2's decoder, no piece grows beyond the limit: a gzip bomb stays small.

    What is compressed is limited as well: empty blocks, headers, and what stands behind the end unpack to nothing.
    """
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    pieces = _up_to(max_bytes, response.stream)  # type: ignore[arg-type]
    if coding in {"", "identity"}:
        yield from pieces
        return
    if coding not in {"gzip", "x-gzip", "deflate"}:
        raise Undecodable(_("The server compresses in a way that was not asked for."))
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: gzip or zlib, told from the header
    try:
        for piece in pieces:
            if not decoder.eof:  # it would keep all that comes behind
                yield decoder.decompress(piece, max_bytes + 1)
    except zlib.error as error:
        raise Undecodable(_("The compressed answer is damaged.")) from error
    if not decoder.eof:
        raise Undecodable(_("The compressed answer is damaged."))
