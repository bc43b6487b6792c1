"""Files of the old bot for tests and benchmarks: any generation, any mixture, any size, the same for the same seed.

    python -m tests.legacy_files --rows 158599 --out old.db [--generation 1|2] [--seed 1]

Texts are put together from sentences made of a few hundred Russian stems and endings, so that they are as large, as
compressible and as repetitive as news; rows are written as they are made, so memory does not grow with their number.
"""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

MOSCOW = timezone(timedelta(hours=3))
NEWEST = datetime(2025, 10, 6, 9, 0, tzinfo=UTC)
# Until this moment the old bot wrote `published_at` in Moscow time without saying so.
OFFSETS_SINCE = datetime(2025, 8, 16, tzinfo=UTC)
MINUTES_APART = 22
PLAIN = "%Y-%m-%d %H:%M:%S"

ARTICLES_1 = """CREATE TABLE articles (
    id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
    published_at TIMESTAMP NOT NULL, summary_text TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    backfill_status TEXT CHECK(backfill_status IN ('success', 'failed', 'skipped')))"""
ADDED_IN_2 = ("canonical_link TEXT", "content TEXT", "content_hash TEXT", "updated_at TIMESTAMP")
DIGESTS = """CREATE TABLE digests (
    id INTEGER PRIMARY KEY AUTOINCREMENT, period TEXT NOT NULL, content TEXT NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)"""
TABLES_2 = {
    "pending_publications": """id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
        published_at TIMESTAMP NOT NULL, summary_text TEXT NOT NULL, attempts INTEGER DEFAULT 0, last_error TEXT,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP""",
    "dlq": """id INTEGER PRIMARY KEY AUTOINCREMENT, entity_type TEXT NOT NULL, entity_ref TEXT NOT NULL,
        error_code TEXT, error_payload TEXT, attempts INTEGER DEFAULT 1,
        first_seen_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, last_seen_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP""",
    "api_usage_events": """id INTEGER PRIMARY KEY AUTOINCREMENT, ts_utc TEXT NOT NULL, provider TEXT NOT NULL,
        model TEXT, api_key_hash TEXT, endpoint TEXT, req_count INTEGER NOT NULL DEFAULT 1, success INTEGER NOT NULL,
        http_status INTEGER, latency_ms INTEGER, tokens_in INTEGER DEFAULT 0, tokens_out INTEGER DEFAULT 0,
        cost_usd REAL DEFAULT 0.0, error_code TEXT, extra_json TEXT""",
    "api_usage_daily": """day_utc TEXT NOT NULL, provider TEXT NOT NULL, model TEXT, api_key_hash TEXT,
        req_count INTEGER NOT NULL DEFAULT 0, success_count INTEGER NOT NULL DEFAULT 0,
        tokens_in_total INTEGER NOT NULL DEFAULT 0, tokens_out_total INTEGER NOT NULL DEFAULT 0,
        cost_usd_total REAL NOT NULL DEFAULT 0.0, latency_ms_sum INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (day_utc, provider, model, api_key_hash)""",
    "sessions": """session_id TEXT PRIMARY KEY, started_at_utc TEXT NOT NULL, ended_at_utc TEXT, git_sha TEXT,
        container_id TEXT, notes TEXT""",
    "session_stats_daily": """day_utc TEXT PRIMARY KEY, http_requests_total INTEGER NOT NULL DEFAULT 0,
        articles_processed_total INTEGER NOT NULL DEFAULT 0, tokens_in_total INTEGER NOT NULL DEFAULT 0,
        tokens_out_total INTEGER NOT NULL DEFAULT 0, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP""",
    "session_stats_state": """id INTEGER PRIMARY KEY CHECK(id = 1), last_session_start REAL,
        last_http_counter INTEGER NOT NULL DEFAULT 0""",
    "webauthn_credential": """id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL,
        credential_id BLOB NOT NULL UNIQUE, public_key BLOB NOT NULL, sign_count INTEGER NOT NULL DEFAULT 0,
        transports TEXT, aaguid TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, last_used_at TIMESTAMP""",
    "backfill_progress": """id INTEGER PRIMARY KEY CHECK(id = 1), collect_running INTEGER DEFAULT 0,
        collect_until TEXT, collect_scanning INTEGER DEFAULT 0, collect_scan_page INTEGER DEFAULT 0,
        collect_last_page INTEGER DEFAULT 0, collect_processed INTEGER DEFAULT 0, collect_last_ts TEXT,
        collect_goal_pages INTEGER, collect_goal_total INTEGER, sum_running INTEGER DEFAULT 0, sum_until TEXT,
        sum_processed INTEGER DEFAULT 0, sum_last_article_id INTEGER, sum_model TEXT, sum_goal_total INTEGER,
        updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP""",
    "summaries": """id INTEGER PRIMARY KEY AUTOINCREMENT, article_id INTEGER, summary_text TEXT, model TEXT,
        provider TEXT, temperature REAL, tokens_used INTEGER, status TEXT, version INTEGER, prompt_version TEXT,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP""",
}

STEMS = [
    "порт",
    "завод",
    "регион",
    "бюджет",
    "экспорт",
    "совет",
    "проект",
    "город",
    "груз",
    "маршрут",
    "тариф",
    "уголь",
    "зерно",
    "мост",
    "рынок",
    "курс",
    "цех",
    "склад",
    "канал",
    "поезд",
    "берег",
    "район",
    "план",
    "доход",
    "расход",
    "выпуск",
    "объём",
    "запас",
    "ремонт",
    "запуск",
    "договор",
    "прогноз",
    "отчёт",
    "рейс",
    "терминал",
    "причал",
]
ENDINGS = ("", "а", "у", "ом", "е", "ы", "ов", "ам", "ами", "ах")
VERBS = [
    "увеличил",
    "сократил",
    "построил",
    "открыл",
    "запустил",
    "обсудил",
    "подписал",
    "остановил",
    "принял",
    "завершил",
    "отложил",
    "проверил",
]
LINKS = ["в", "на", "за", "по", "из", "до", "при", "для", "без", "около", "после", "перед", "между", "через"]


class Words:
    """A pool of sentences; texts are drawn from it whole, which is quick and repeats itself as news does."""

    def __init__(self, random: Random) -> None:
        self.random = random
        nouns = [stem + ending for stem in STEMS for ending in ENDINGS]
        names = [self._name() for _ in range(3000)]
        self.sentences = [self._sentence(nouns, names) for _ in range(20_000)]

    def _name(self) -> str:
        syllables = ("ба", "ве", "го", "дон", "ка", "лен", "мар", "нов", "рос", "са", "тан", "ху")
        return "".join(self.random.choices(syllables, k=self.random.randint(2, 4))).capitalize()

    def _sentence(self, nouns: list[str], names: list[str]) -> str:
        words = [self.random.choice(nouns), self.random.choice(VERBS)]
        for _ in range(self.random.randint(5, 14)):
            pool = self.random.choices((nouns, LINKS, names, ("12", "2025", "48%", "3,5")), (60, 25, 10, 5))[0]
            words.append(self.random.choice(pool))
        return " ".join(words).capitalize() + "."

    def text(self, characters: float) -> str:
        parts, length = list[str](), 0
        while length < characters:
            parts.append(self.random.choice(self.sentences))
            length += len(parts[-1]) + 1
        return " ".join(parts)

    def title(self) -> str:
        return self.random.choice(self.sentences)[:-1]


class LegacyFile:
    """The rows of one file."""

    def __init__(self, articles: int, *, generation: int, seed: int) -> None:
        self.count, self.generation = articles, generation
        self.random = Random(seed)  # noqa: S311  the same file for the same seed
        self.words = Words(self.random)

    def articles(self) -> Iterator[tuple[Any, ...]]:
        """One in fifty was posted and has no content; one in two hundred comes again without its slash."""
        number = 0
        for place in range(self.count):
            number += 1 if self.random.random() < 0.998 else 4
            published = NEWEST - timedelta(minutes=MINUTES_APART * (self.count - place))
            url = f"https://news.example/ru/news/view/{100_000 + place}/"
            if place and self.random.random() < 0.005:
                url = f"https://news.example/ru/news/view/{100_000 + place - 1}"
            yield self._article(number, url, published)

    def _article(self, number: int, url: str, published: datetime) -> tuple[Any, ...]:
        is_naive = published < OFFSETS_SINCE
        written = published.astimezone(MOSCOW).replace(tzinfo=None) if is_naive else published
        created = (published + timedelta(minutes=self.random.randint(2, 90))).strftime(PLAIN)
        has_summary = self.random.random() < 0.4
        summary = self.words.text(400) if has_summary else None
        if has_summary and self.random.random() < 0.01:
            summary = "Ошибка при получении резюме от Mistral: 429 Too Many Requests"
        status = self.random.choice(("success", "failed", "skipped", None))
        first = (number, url, self.words.title(), written.isoformat(), summary, created, status)
        if self.generation == 1:
            return first
        content = None if has_summary and self.random.random() < 0.05 else self._content()
        hashed = sha256(content.encode()).hexdigest() if content else None
        return (*first, url, content, hashed, created)

    def _content(self) -> str:
        return self.words.text(min(3400.0, max(800.0, self.random.lognormvariate(7.35, 0.45))))

    def digests(self) -> Iterator[tuple[Any, ...]]:
        periods = ["сутки", "weekly_2025-09-29", "monthly_2025-09", "annual_2024"]
        periods += [
            f"daily_{NEWEST - timedelta(days=back):%Y-%m-%d}" for back in range(20) for _ in range(1 + back % 3)
        ]
        for number, period in enumerate(periods, start=1):
            yield (number, period, self.words.text(900), (NEWEST + timedelta(minutes=number)).strftime(PLAIN))

    def rows(self) -> dict[str, Iterator[tuple[Any, ...]]]:
        """The tables that only files of the second generation have."""
        return {
            "pending_publications": self._pending(),
            "dlq": self._dead_letters(),
            "api_usage_events": self._usage_events(),
            "api_usage_daily": self._usage_daily(),
            "sessions": self._sessions(),
            "session_stats_daily": self._statistics(),
            "session_stats_state": iter([(1, NEWEST.timestamp(), 4211)]),
            "webauthn_credential": self._passkeys(),
            "backfill_progress": iter([self._backfill()]),
        }

    def _pending(self) -> Iterator[tuple[Any, ...]]:
        for number in range(1, max(2, self.count // 200) + 1):
            # Half of them are in `articles` as well.
            url = f"https://news.example/ru/news/view/{100_000 + number * 3 if number % 2 else 9_000_000 + number}/"
            stamp = (NEWEST - timedelta(minutes=number)).strftime(PLAIN)
            error = "Timed out" if number % 3 == 0 else None
            summary = self.words.text(400) if number % 5 else ""
            yield (number, url, self.words.title(), NEWEST.isoformat(), summary, number % 4, error, stamp, stamp)

    def _dead_letters(self) -> Iterator[tuple[Any, ...]]:
        for number in range(1, max(4, self.count // 400) + 1):
            page, place = f"https://news.example/{number % 50}", str(number % 40)
            kind, reference = ("article", page) if number % 2 else ("summary", place)
            stamp = (NEWEST - timedelta(hours=number)).strftime(PLAIN)
            yield (number, kind, reference, "timeout", '{"detail": "нет ответа"}', 1 + number % 3, stamp, stamp)

    def _usage_events(self) -> Iterator[tuple[Any, ...]]:
        for number in range(1, self.count // 3 + 2):
            at = (NEWEST - timedelta(seconds=157 * number)).isoformat()
            model, key = (None, None) if number % 11 == 0 else ("gemini-flash", f"{number % 5:016x}")
            extra = '{"chunk": 3, "ratio": 0.50}' if number % 4 == 0 else None
            tokens, succeeded = self.random.randint(300, 2400), int(number % 17 > 0)
            yield (
                *(number, at, "gemini", model, key, "generateContent", 1, succeeded, 200 if succeeded else 429),
                *(self.random.randint(300, 7000), tokens, tokens // 8, round(tokens * 1.37e-7, 8)),
                *(None if succeeded else "rate_limited", extra),
            )

    def _usage_daily(self) -> Iterator[tuple[Any, ...]]:
        for back in range(30):
            day = f"{NEWEST - timedelta(days=back):%Y-%m-%d}"
            yield (day, "gemini", "gemini-flash", "00ff", 10, 9, 7000, 800, 0.01, 31_000)
            for _ in range(3):  # NULL in a primary key: SQLite takes the row again and again
                yield (day, "gemini", None, None, 1, 1, 700, 80, 0.001, 3_100)

    def _sessions(self) -> Iterator[tuple[Any, ...]]:
        for number in range(12):
            began = NEWEST - timedelta(days=number)
            ended = (began + timedelta(hours=20)).isoformat() if number else None
            yield (f"{self.random.getrandbits(128):032x}", began.isoformat(), ended, "c0ffee", "f00", None)

    def _statistics(self) -> Iterator[tuple[Any, ...]]:
        for back in range(30):
            day = NEWEST - timedelta(days=back)
            yield (f"{day:%Y-%m-%d}", back * 7, back * 3, back * 900, back * 90, day.strftime(PLAIN))

    def _passkeys(self) -> Iterator[tuple[Any, ...]]:
        for number in (1, 2):
            name = ("admin", "nobody")[number - 1]
            stamp = NEWEST.strftime(PLAIN)
            blob = self.random.randbytes(32)
            yield (number, name, blob, self.random.randbytes(77), 5, '["internal"]', "0" * 32, stamp, None)

    def _backfill(self) -> tuple[Any, ...]:
        walked = (1, 0, "2012-01-01T00:00:00+00:00", 0, 12, 12, self.count, NEWEST.isoformat(), 812, self.count)
        return (*walked, 0, "2025-06-01T00:00:00+00:00", 7, 3, "gemini-flash", 9, NEWEST.strftime(PLAIN))


def build(
    path: Path, articles: int = 100, *, generation: int = 2, seed: int = 1, without: tuple[str, ...] = ()
) -> Path:
    """Write a file. `without` names tables and columns (`articles.content`) that this one never got."""
    legacy = LegacyFile(articles, generation=generation, seed=seed)
    with closing(sqlite3.connect(path)) as file:
        file.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        file.execute(ARTICLES_1)
        file.execute(DIGESTS)
        if generation > 1:
            for column in ADDED_IN_2:
                file.execute(f"ALTER TABLE articles ADD COLUMN {column}")
            for name, columns in TABLES_2.items():
                file.execute(f"CREATE TABLE {name} ({columns})")
        tables = {"articles": legacy.articles(), "digests": legacy.digests()}
        for name, rows in (tables | (legacy.rows() if generation > 1 else {})).items():
            insert(file, name, rows)
        for name in without:
            table, _, column = name.partition(".")
            file.execute(f"ALTER TABLE {table} DROP COLUMN {column}" if column else f"DROP TABLE {table}")
        file.commit()
    return path


def insert(file: sqlite3.Connection, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    width = len(file.execute(f"SELECT * FROM {table} LIMIT 0").description)  # noqa: S608  names from this file
    file.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * width)})", rows)  # noqa: S608


def change(path: Path, *statements: str) -> Path:
    """Run statements on a file, as somebody would who spoils it."""
    with closing(sqlite3.connect(path)) as file:
        for statement in statements:
            file.execute(statement)
        file.commit()
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--generation", type=int, choices=(1, 2), default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    build(given.out, given.rows, generation=given.generation, seed=given.seed)


if __name__ == "__main__":
    main()
