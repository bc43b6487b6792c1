"""An OpenAI-compatible server on the loopback: real HTTP, faults to order, and its own count of what it has served."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

TEXT = "Порт увеличил перевалку угля на 12% за десять месяцев. Рост обеспечил новый терминал за 14,3 млрд руб."


class Fault(StrEnum):
    """What befalls a request."""

    NO_USAGE = "an answer without the count of tokens"
    NO_CHOICES = "an empty list of choices"
    NULL_CONTENT = "a choice whose content is null"
    CUT_OFF = "an answer that was stopped by the limit of tokens"
    FILTERED = "an answer that a filter held back"
    HTML = "a page, with status 200"
    LIST = "JSON, but a list"
    HUGE = "20 MB"
    DRIP = "a byte now and then"
    SILENCE = "nothing at all"
    TRUNCATED = "half of the JSON"
    CLOSED = "the connection is closed"
    REDIRECT = "302 to itself"
    BAD_REQUEST = "400"
    NO_SCHEMA = "400, as a server says that knows no response formats"
    BAD_KEY = "400, as Gemini says that a key is wrong"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    REGION = "400, as Gemini says that a region is blocked"
    COUNTRY = "403, as OpenAI says that a country is blocked"
    FLOOD = "429 with Retry-After"
    FLOOD_WITHOUT_TIME = "429 without Retry-After"
    BROKEN = "500 that repeats the key it was sent"
    OVERLOADED = "503"


# What a server charges for before it fails.
PAID = (Fault.NO_CHOICES, Fault.NULL_CONTENT, Fault.CUT_OFF, Fault.FILTERED)
STATUSES: dict[Fault, tuple[int, str]] = {
    Fault.BAD_REQUEST: (400, "model not found"),
    Fault.NO_SCHEMA: (400, 'Invalid JSON payload received. Unknown name "response_format": Cannot find field.'),
    Fault.BAD_KEY: (400, "API key not valid. Please pass a valid API key."),
    Fault.REGION: (400, "User location is not supported for the API use."),
    Fault.UNAUTHORIZED: (401, "Unauthorized"),
    Fault.FORBIDDEN: (403, "Forbidden"),
    Fault.COUNTRY: (403, "unsupported_country_region_territory"),
    Fault.FLOOD: (429, "Too many requests"),
    Fault.FLOOD_WITHOUT_TIME: (429, "Too many requests"),
    Fault.BROKEN: (500, "Internal error for "),
    Fault.OVERLOADED: (503, "Overloaded"),
}


@dataclass(frozen=True)
class Request:
    """What came: when, whose key it bore, how the caller calls it, and its body."""

    key: str
    reference: str
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Book:
    """The server's own count: requests, and the tokens it has told its callers of."""

    requests: int = 0
    answered: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    told: set[str] = field(default_factory=set)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        reference = self.headers.get("X-Client-Request-Id", "")
        fault = self.server.arrived(Request(key, reference, body, dict(self.headers.items())))
        self.server.stopping.wait(self.server.delay)
        try:
            self._reply(fault, body, reference, key)
        except OSError:  # the client has gone away
            self.close_connection = True

    def do_GET(self) -> None:
        """Nobody asks for anything; a probing call would be seen in the count."""
        self.server.arrived(Request("", "", {}, {}))
        self._send(404, b"{}")

    def _reply(self, fault: Fault | None, body: dict[str, Any], reference: str, key: str) -> None:
        answer, tokens = self.server.answer(body, fault)
        data = json.dumps(answer, ensure_ascii=False).encode()
        if fault is None or fault in {*PAID, Fault.NO_USAGE}:
            # Told before it is sent: what the caller then misses is the caller's loss.
            self.server.tell(reference, tokens, is_answer=fault in {None, Fault.NO_USAGE})
            self._send(200, data)
        elif fault in STATUSES:
            status, words = STATUSES[fault]
            words += key if fault == Fault.BROKEN else ""
            headers = {"Retry-After": "7"} if fault == Fault.FLOOD else {}
            self._send(status, json.dumps({"error": {"message": words, "code": words}}).encode(), headers)
        else:
            self._misbehave(fault, data)

    def _misbehave(self, fault: Fault, data: bytes) -> None:
        match fault:
            case Fault.HTML:
                self._send(200, b"<html><body>Welcome to the captive portal</body></html>")
            case Fault.LIST:
                self._send(200, b"[]")
            case Fault.HUGE:
                self._send(200, b'{"choices": "' + b"x" * 20_000_000)
            case Fault.TRUNCATED:
                self._send(200, data[: len(data) // 2])
            case Fault.REDIRECT:
                self._send(302, b"", {"Location": self.path})
            case Fault.DRIP:
                self._drip(data)
            case Fault.SILENCE:
                self.server.stopping.wait(60)
                self.close_connection = True
            case Fault.CLOSED:
                self.close_connection = True

    def _drip(self, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        for place in range(len(data)):
            self.wfile.write(data[place : place + 1])
            if self.server.stopping.wait(0.05):
                return

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Requests are counted, not printed."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.requests: list[Request] = []
        self.plan: deque[Fault | None] = deque()
        self.fault_of: Callable[[int], Fault | None] = lambda _number: None
        self.fault_of_key: dict[str, Fault] = {}
        self.text_of: Callable[[dict[str, Any]], str] = lambda _body: TEXT
        self.tokens: tuple[int, int] = (1_000, 500)
        self.delay = 0.0
        self.book = Book()
        self.visitors: set[Any] = set()
        self.doors = threading.Condition()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.doors:
            self.visitors.add(client_address)
            self.doors.notify_all()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        super().process_request_thread(request, client_address)
        with self.doors:
            self.visitors.discard(client_address)
            self.doors.notify_all()

    def arrived(self, request: Request) -> Fault | None:
        with self.lock:
            self.requests.append(request)
            self.book.requests += 1
            planned = self.plan.popleft() if self.plan else self.fault_of(self.book.requests)
            fault = self.fault_of_key.get(request.key, planned)
            if fault:
                self.book.faults[fault.name] += 1
            return fault

    def answer(self, body: dict[str, Any], fault: Fault | None) -> tuple[dict[str, Any], tuple[int, int]]:
        tokens = (0, 0) if fault == Fault.NO_USAGE else self.tokens
        reason = {Fault.CUT_OFF: "length", Fault.FILTERED: "content_filter"}.get(fault or Fault.HTML, "stop")
        content = None if fault == Fault.NULL_CONTENT else self.text_of(body)
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": reason}
        found: dict[str, Any] = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": body.get("model", ""),
            "choices": [] if fault == Fault.NO_CHOICES else [choice],
        }
        if fault != Fault.NO_USAGE:
            found["usage"] = {
                "prompt_tokens": tokens[0],
                "completion_tokens": tokens[1],
                "total_tokens": sum(tokens),
            }
        return found, tokens

    def tell(self, reference: str, tokens: tuple[int, int], *, is_answer: bool) -> None:
        with self.lock:
            self.book.answered += is_answer
            self.book.tokens_in += tokens[0]
            self.book.tokens_out += tokens[1]
            self.book.told.add(reference)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is not worth a traceback."""


class LlmServer:
    """Answers chat completions while its `with` block runs."""

    def __init__(self) -> None:
        self._server = _Server()
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def requests(self) -> list[Request]:
        return self._server.requests

    @property
    def book(self) -> Book:
        return self._server.book

    def will(self, *faults: Fault | None) -> None:
        """What befalls the next requests, one after the other; None is an answer."""
        self._server.plan.extend(faults)

    def always(self, fault: Fault | None) -> None:
        self._server.fault_of = lambda _number: fault

    def cycle(self, faults: Iterable[Fault | None]) -> None:
        """What befalls request after request, over and over again."""
        turns = list(faults)
        self._server.fault_of = lambda number: turns[number % len(turns)]

    def refuse(self, key: str, fault: Fault) -> None:
        """What befalls each request with the key."""
        self._server.fault_of_key[key] = fault

    def say(self, text: str | Callable[[dict[str, Any]], str]) -> None:
        self._server.text_of = text if callable(text) else lambda _body: text

    def count(self, tokens_in: int, tokens_out: int) -> None:
        """How many tokens each answer says it has cost."""
        self._server.tokens = (tokens_in, tokens_out)

    def wait(self, seconds: float) -> None:
        """How long each answer takes."""
        self._server.delay = seconds

    def wait_until_all_have_left(self) -> None:
        """Until everybody has gone who was connected, and all that they had sent is counted."""
        # Who came before the last one was let in before it.
        with socket.create_connection(("127.0.0.1", self._server.server_port)) as last, self._server.doors:
            self._server.doors.wait_for(lambda: self._server.visitors == {last.getsockname()})
