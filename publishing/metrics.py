"""What is counted about posting."""

from __future__ import annotations

from prometheus_client import Counter

articles_posted = Counter("articles_posted_total", "Publications that have gone out in full.")
