"""How fast approved publications go out: messages a second in one process, and how long an editor waits for a post."""

from __future__ import annotations

import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import django

if __name__ == "__main__":
    scratch = Path(os.environ.get("BENCH_DIR") or tempfile.mkdtemp(prefix="warandpeace-bench-"))
    os.environ |= {"DJANGO_SETTINGS_MODULE": "warandpeace.settings", "VAR_DIR": str(scratch), "ENV_FILE": os.devnull}
    os.environ |= {"BENCH_DIR": str(scratch), "SECRET_KEY": "only-for-the-bench" * 4}
    django.setup()
    logging.disable(logging.INFO)

from django.core.management import call_command
from django.db import connection

from publishing import delivery
from publishing.approval import approve
from publishing.models import Channel, Publication, SandboxPost
from publishing.tasks import deliver_channel
from tests.endtoend.stack import Stack
from tests.factories import ArticleFactory, ChannelFactory, PublicationFactory, SourceFactory
from tests.servers import postgres

MESSAGES = 1_000
DECISIONS = 40


def pending(channel: Channel, count: int) -> list[Publication]:
    source = SourceFactory.create(is_active=False)
    articles = ArticleFactory.create_batch(count, source=source)
    return [PublicationFactory.create(channel=channel, article=article) for article in articles]


def throughput() -> None:
    """Approve a thousand publications and send them to a sandbox without a pace, in one process."""
    channel = ChannelFactory.create(slug=f"bench-{time.time_ns()}")
    publications = pending(channel, MESSAGES)
    began = time.perf_counter()
    for publication in publications:
        approve(publication.pk, by=None)
    approved = time.perf_counter()
    sent = delivery.deliver(channel.pk)
    ended = time.perf_counter()
    print(
        f"{connection.vendor}: approved {MESSAGES / (approved - began):,.0f}/s, "
        f"sent {sent / (ended - approved):,.0f}/s (three commits each)",
        flush=True,
    )


def latency() -> None:
    """From an editor's decision to the post in the sandbox, through the embedded default's broker and worker."""
    with Stack(Path(os.environ["BENCH_DIR"]), {}, arguments=("--no-demo",)) as stack:
        stack.wait_for_output(r"celery@\S+ ready")
        channel = ChannelFactory.create(slug=f"bench-{time.time_ns()}")
        taken = [posted_after(publication) for publication in pending(channel, DECISIONS)]
    later = sorted(taken)
    p95 = later[int(len(later) * 0.95)]
    print(
        f"approve to posted, under manage.py run: median {statistics.median(later):.3f} s, p95 {p95:.3f} s", flush=True
    )


def posted_after(publication: Publication) -> float:
    """Seconds from the decision to the post, rung for as the admin does."""
    began = time.perf_counter()
    approve(publication.pk, by=None)
    deliver_channel.delay(publication.channel_id)
    posted = SandboxPost.objects.filter(message__publication=publication)
    while not posted.exists():
        time.sleep(0.005)
    return time.perf_counter() - began


def main() -> None:
    call_command("migrate", verbosity=0, skip_checks=True)
    throughput()
    if connection.vendor == "sqlite":
        latency()
        connection.close()
        with postgres(fsync="off") as url:
            command = [sys.executable, "-m", "tests.bench.delivery"]
            subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, check=True)


if __name__ == "__main__":
    main()
