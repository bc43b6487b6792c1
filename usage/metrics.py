"""What is counted about calls to language models. Labels are bounded: names of rows, the first digits of a hash."""

from __future__ import annotations

from prometheus_client import Counter

from usage.models import ApiUsageEvent

tokens_prompt = Counter("tokens_consumed_prompt_total", "Tokens that were sent.", ["provider", "model"])
tokens_completion = Counter("tokens_consumed_completion_total", "Tokens that came back.", ["provider", "model"])
requests_by_key = Counter("llm_requests_by_key_total", "Requests, failed ones too, by key.", ["provider", "key_id"])
failures = Counter("llm_failures_total", "Requests that failed, by the kind of failure.", ["provider", "code"])


def count(event: ApiUsageEvent, error_code: str, *, tokens_in: int, tokens_out: int) -> None:
    """Count a completed call; its key by the first digits of the hash, as the admin shows it."""
    tokens_prompt.labels(event.provider, event.model).inc(tokens_in)
    tokens_completion.labels(event.provider, event.model).inc(tokens_out)
    requests_by_key.labels(event.provider, event.api_key_hash[:8] or "none").inc(event.requests)
    if error_code:
        failures.labels(event.provider, error_code).inc(event.requests)
