"""What the newsroom counts about the outside world, for Prometheus. Labels are bounded: never a host."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

articles_ingested = Counter("articles_ingested_total", "Articles stored for the first time.")
errors = Counter("errors_total", "Failures by their kind.", ["type"])
http_requests = Counter(
    "external_http_requests_total", "Requests to the outside world.", ["target", "method", "status_group"]
)
http_duration = Histogram(
    "external_http_request_duration_seconds", "How long requests to the outside world took.", ["target"]
)
