"""What is counted and measured about posting."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

articles_posted = Counter("articles_posted_total", "Publications that have gone out in full.")
post_duration = Histogram(
    "post_duration_seconds",
    "From right before a call of a post, an edit or a deletion until its outcome was written.",
    ["outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80),
)
post_wait = Histogram(
    "post_wait_seconds",
    "From the moment for which a post was approved until it was sent; quiet hours and the channel's pace included.",
    buckets=(0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 43200),
)
