"""Counters that a process keeps for itself; Prometheus sums them over all processes.

No model is imported here, because logging is set up before the apps are. For the same reason this is the first module
to import prometheus_client, so that every counter is made after the line that names the files.
"""

from __future__ import annotations

import logging
import os
import socket

from prometheus_client import Histogram, values


def process_name() -> str:
    """Names this process's files. Containers that share the folder may all have the number 1."""
    return f"{socket.gethostname().replace('_', '-')}-{os.getpid()}"


values.ValueClass = values.MultiProcessValue(process_name)  # type: ignore[no-untyped-call]

from articles.metrics import errors  # noqa: E402  makes counters

JOB_DURATION = Histogram(
    "job_duration_seconds",
    "How long background tasks took.",
    ["job"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600),
)


class ErrorCounter(logging.Handler):
    """Counts what is logged as an error: by the exception's class, else by the logger's app."""

    def emit(self, record: logging.LogRecord) -> None:
        exception = record.exc_info[0] if record.exc_info else None
        errors.labels(type=exception.__name__ if exception else record.name.partition(".")[0]).inc()
