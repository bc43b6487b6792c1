"""How fast approved publications go out, what that costs, and how long an editor waits for a post.

    python -m tests.bench.delivery                               everything, on both databases
    BENCH_MESSAGES=10000 python -m tests.bench.delivery paced    a long day's queue at Telegram's own pace: 10 minutes

Without BENCH_MESSAGES a tenth of that is sent to Telegram.
"""

from __future__ import annotations

import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

if __name__ == "__main__":
    scratch = Path(os.environ.get("BENCH_DIR") or tempfile.mkdtemp(prefix="warandpeace-bench-"))
    os.environ |= {"DJANGO_SETTINGS_MODULE": "warandpeace.settings", "VAR_DIR": str(scratch), "ENV_FILE": os.devnull}
    os.environ |= {"BENCH_DIR": str(scratch), "SECRET_KEY": "only-for-the-bench" * 4}
    django.setup()
    logging.disable(logging.INFO)

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from publishing import clocks, delivery
from publishing.approval import approve
from publishing.models import Channel, Chat, Message, Publication, SandboxPost
from publishing.models.chat import pace_of_chats
from publishing.tasks import deliver_channel, deliver_channels, due_together
from tests.endtoend.stack import Stack
from tests.factories import ArticleFactory, ChannelFactory, PublicationFactory, SourceFactory
from tests.servers import postgres

MESSAGES = 1_000
CHANNELS = 50
TELEGRAM_MESSAGES = int(os.environ.get("BENCH_MESSAGES", "1000"))
# As in production; in seconds.
THREADS, BETWEEN_SWEEPS = 4, 3.0
DECISIONS = 40

TELEGRAM = """
import sys
from tests.fakes.bot_api import bot_api
with bot_api() as api:
    print(api.url, flush=True)
    sys.stdin.read()
"""


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


def cost() -> None:
    """Send to many Telegram channels, as workers are rung for them: CPU time a message, and the growth of memory."""
    with telegram_elsewhere() as url:
        settings.TELEGRAM_API_BASE_URL, settings.TELEGRAM_TOKENS = url, {"TELEGRAM_BOT_TOKEN": "1:bench"}
        settings.TELEGRAM_MESSAGES_PER_SECOND = 1_000_000
        channels = full_channels(TELEGRAM_MESSAGES // CHANNELS)
        send_round(channels)
        began, memory, sent = time.process_time(), peak_memory(), 0
        while round_sent := send_round(channels):
            sent += round_sent
        taken = (time.process_time() - began) / sent
    per_second = CHANNELS * 20 / 60
    print(
        f"{connection.vendor}: sent {sent:,} to {CHANNELS} Telegram channels, {taken * 1000:.1f} ms of CPU each: "
        f"{taken * per_second:.0%} of one core at the allowed {per_second:.1f}/s; "
        f"memory grew by {peak_memory() - memory:.1f} MB to {peak_memory():.0f} MB",
        flush=True,
    )


def full_channels(posts: int) -> list[Channel]:
    """Channels with so many approved posts in each."""
    made = [
        ChannelFactory.create(kind=Channel.Kind.TELEGRAM, chat_id=f"@{time.time_ns()}", slug=f"bench-{time.time_ns()}")
        for number in range(CHANNELS)
    ]
    for channel in made:
        for publication in pending(channel, posts):
            approve(publication.pk, by=None)
    return made


def paced() -> None:
    """Send to many channels at the pace that Telegram allows, as a worker does: what part of a core it takes."""
    with telegram_elsewhere() as url:
        settings.TELEGRAM_API_BASE_URL, settings.TELEGRAM_TOKENS = url, {"TELEGRAM_BOT_TOKEN": "1:bench"}
        settings.TELEGRAM_MESSAGES_PER_SECOND = 30
        posts = TELEGRAM_MESSAGES // CHANNELS
        send_round(full_channels(posts + 1))
        before, memory, longest = sent_by_now(), list[float](), 2 * posts * pace_of_chats().total_seconds() + 30
        began, burnt = time.monotonic(), time.process_time()
        with ThreadPoolExecutor(THREADS) as workers:
            while sent_by_now() < before + posts * CHANNELS and time.monotonic() < began + longest:
                memory.append(own_memory())
                workers.submit(as_a_task, sweep, workers)
                time.sleep(BETWEEN_SWEEPS)
        took, burnt, sent = time.monotonic() - began, time.process_time() - burnt, sent_by_now() - before
    print(
        f"{connection.vendor}: at Telegram's pace {sent:,} posts to {CHANNELS} channels in {took:.0f} s, "
        f"{sent / took:.1f}/s, with {burnt / took:.1%} of one core ({burnt / sent * 1000:.1f} ms each); "
        f"memory {memory[0]:.1f} MB at first, {memory[len(memory) // 2]:.1f} MB in the middle, "
        f"{memory[-1]:.1f} MB at the end, {max(memory):.1f} MB at the most",
        flush=True,
    )


def sweep(workers: ThreadPoolExecutor) -> None:
    """What a sweep does for messages."""
    delivery.recover()
    clocks.mend()
    for channel_ids in due_together():
        workers.submit(as_a_task, deliver_channels, channel_ids)


def as_a_task(work: Callable[..., None], *arguments: Any) -> None:
    """Celery's workers have a connection of its own for each task."""
    try:
        work(*arguments)
    finally:
        connection.close()


def sent_by_now() -> int:
    return Message.objects.filter(state=Message.State.SENT).count()


def own_memory() -> float:
    """Of this process right now, in MB, without what SQLite maps of its growing file."""
    _size, resident, shared, *_others = map(int, Path("/proc/self/statm").read_text().split())
    return (resident - shared) * resource.getpagesize() / 2**20


def send_round(channels: list[Channel]) -> int:
    """One message in each channel, as its pace allows it; then the pace is over."""
    sent = sum(delivery.deliver(channel.pk) for channel in channels)
    past = timezone.now() - timedelta(minutes=1)
    Channel.objects.update(next_post_at=past)
    Chat.objects.update(next_call_at=past)
    return sent


def peak_memory() -> float:
    """Of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def telegram_elsewhere() -> Iterator[str]:
    """A Bot API in a process of its own, so that its cost isn't ours."""
    process = subprocess.Popen(
        [sys.executable, "-c", TELEGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate()


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
    measures = {measure.__name__: measure for measure in (throughput, cost, paced, latency)}
    for name in sys.argv[1:] or measures:
        if name != "latency" or connection.vendor == "sqlite":
            measures[name]()
    if connection.vendor == "sqlite":
        connection.close()
        with postgres(fsync="off") as url:
            command = [sys.executable, "-m", "tests.bench.delivery", *sys.argv[1:]]
            subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, check=True)


if __name__ == "__main__":
    main()
