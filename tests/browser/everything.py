"""A newsroom in which there is something of every kind: at least one row of each model that the admin shows."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from articles.duplicates import deciding
from articles.models import Article, ForecastNote, Tag, TagRule
from publishing import approval, delivery
from publishing.models import Bot, Channel, Mailing, Message, Publication
from tests.factories import ArticleFactory, PictureFactory, PublicationFactory, SourceFactory
from tests.publishing.newsroom import news, newsroom, written
from usage.models import Alert, ApiUsageEvent, Provider
from warandpeace.transfer.models import QuarantinedRow

COUNTER = itertools.count(1)


def furnish() -> None:
    """Make the rows: those with a story of their own first, then one of each model that has none yet."""
    admin.autodiscover()
    channel = newsroom(slug="main", name="Новости", template="")
    news(channel)
    written(channel)
    _queue(channel)
    _articles()
    Provider.objects.create(name="mistral", base_url="https://llm.example/v1", model="small", daily_budget=5)
    Bot.objects.create(token_env="TELEGRAM_BOT_TOKEN", is_paused=True, pause_reason="Так решила редакция")
    out = timezone.now()
    Mailing.objects.create(kind=Mailing.Kind.DAILY, channel=channel, epoch=1, out_at=out, expires_at=out)
    Alert.sound("over-budget", "mistral", "Бюджет на сегодня потрачен.")
    ApiUsageEvent.objects.create(provider="mistral", purpose="summary", subject="article:1", state="succeeded")
    for model in admin.site._registry:
        if model._meta.managed and not model._default_manager.exists():
            row(model)
    QuarantinedRow.objects.update(original={"public_key": {"hex": "c0" * 200}})


def _queue(channel: Channel) -> None:
    """A publication in each state that an editor may meet."""
    waiting, soon, out, lost, rejected = PublicationFactory.create_batch(5, channel=channel)
    approval.edit(waiting.pk, by=None, revision=1, title=waiting.title, text="Порт увеличил перевалку угля на 97%.")
    approval.approve(out.pk, by=None)
    delivery.deliver(channel.pk)
    approval.approve(lost.pk, by=None)
    Message.objects.filter(publication=lost).update(state=Message.State.NEEDS_PERSON)
    Publication.objects.filter(pk=lost.pk).update(state=Publication.State.SENDING)
    approval.approve(soon.pk, by=None, scheduled_for=timezone.now() + timedelta(hours=3))
    approval.reject(rejected.pk, by=None, reason="Уже было вчера")
    for state in set(Publication.State) - set(Publication.objects.values_list("state", flat=True)):
        PublicationFactory(channel=channel, state=state)


def _articles() -> None:
    """A source that fails, a story of two copies, a tagged article with a summary, a note and a picture."""
    source = SourceFactory(name="Вести", consecutive_failures=3, last_error="Нет ответа", is_active=True)
    main, copy = ArticleFactory.create_batch(2, source=source)
    deciding.merge(main.pk, [copy.pk], by=None)
    tag = Tag.objects.create(name="Порты", slug="порты")
    TagRule.objects.create(tag=tag, pattern="порт")
    main.summaries.create(version=1, text="Порт увеличил перевалку угля на 97%.", provider="mistral")
    main.summaries.create(version=2, text="Порт увеличил перевалку угля.", provider="mistral")
    ForecastNote.objects.create(article=main, version=1, status=ForecastNote.Status.SKIPPED)
    PictureFactory(article=main)
    for status in Article.Status:
        ArticleFactory(source=source, status=status)


def row(model: type[models.Model]) -> models.Model:
    """A row of any model, each of whose required fields says something; the rows it hangs on are made with it."""
    values = {field.name: _value(field) for field in model._meta.concrete_fields if _is_required(field)}
    return model._default_manager.create(**values)


def _is_required(field: Any) -> bool:
    return not (field.null or field.has_default() or field.blank or getattr(field, "auto_now_add", False)) or (
        field.primary_key and not isinstance(field, models.AutoField) and not field.has_default()
    )


def _value(field: Any) -> Any:
    if field.is_relation:
        kin = field.related_model
        return User.objects.order_by("pk").first() if kin is User else (kin._default_manager.first() or row(kin))
    if field.choices:
        return field.choices[0][0]
    number, now = next(COUNTER), timezone.now()
    known = {
        models.DateTimeField: now,
        models.DateField: now.date(),
        models.TimeField: now.time(),
        models.GenericIPAddressField: "127.0.0.1",
        models.JSONField: {},
        models.UUIDField: f"00000000-0000-4000-8000-{number:012}",
        models.CharField: f"Строка {number}",
        models.TextField: f"Текст {number}",
    }
    return next((value for kind, value in known.items() if isinstance(field, kind)), number)
