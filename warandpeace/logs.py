"""Log lines: one line each, with the id of the request or task they belong to, and never with a secret in them."""

from __future__ import annotations

from contextvars import ContextVar

# The request or task that is being handled; "-" outside of both.
correlation_id: ContextVar[str] = ContextVar("correlation_id", default="-")
