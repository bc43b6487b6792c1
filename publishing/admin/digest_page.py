"""What the workbench of a digest shows: each section with what it stands on, the exact post, and other versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from articles.admin.summary import MEANINGS, WHOLE
from articles.factcheck.findings import Kind as FindingKind
from articles.factcheck.findings import bars_approval
from publishing import approval, post_links
from publishing.digests import comparing, finishing
from publishing.models import Channel, Digest, DigestItem, DigestSection, Message, Publication
from publishing.preview import look
from publishing.rendering import render
from publishing.splitting import MAX_UNITS

VERSIONS_SHOWN = 20
LONGEST_TEXT = 10_000


@dataclass(frozen=True)
class Basis:
    """One thing a section stands on: what it is called, its page here, and its post in the channel (empty for none)."""

    item: DigestItem
    title: str
    detail: str
    page: str
    post: str


@dataclass(frozen=True)
class Card:
    """A section as the page shows it. `typed` is what somebody has written that could not be saved."""

    section: DigestSection
    text: SafeString
    findings: list[tuple[str, str, bool]]
    basis: list[Basis]
    change: SafeString
    heading: str
    draft: str
    is_typed: bool


def context(digest: Digest, *, may_edit: bool, may_approve: bool, typed: Mapping[str, str]) -> dict[str, Any]:
    """Everything but the frame of the admin."""
    sections = list(digest.sections.order_by("position", "pk"))
    basis = _basis(digest)
    cards = [_card(section, basis.get(section.pk, []), typed) for section in sections]
    publication = finishing.publication_of(digest)
    is_open = digest.state == Digest.State.READY and digest.is_current and _is_undecided(publication)
    return {
        **_post(publication),
        "digest": digest,
        "cards": [card for card in cards if card.section.is_included],
        "others": [card for card in cards if not card.section.is_included],
        "written": sum(bool(card.section.text) for card in cards if card.section.is_included),
        "is_awaited": digest.state == Digest.State.DRAFT or any(section.is_awaited for section in sections),
        "publication": publication,
        "may_edit": may_edit and is_open and bool(sections),
        "may_decide": may_approve and may_edit and is_open and publication is not None,
        "may_rebuild": may_edit and digest.state != Digest.State.DRAFT,
        "doubts": sum(section.bars_approval for section in sections if section.is_included),
        "versions": Digest.objects.of_period(digest).select_related("created_by").order_by("-version")[:VERSIONS_SHOWN],
    }


def _is_undecided(publication: Publication | None) -> bool:
    return publication is None or publication.state in approval.UNDECIDED


def _post(publication: Publication | None) -> dict[str, Any]:
    """The messages as they will be posted."""
    parts = render(publication) if publication else []
    return {
        "posts": [look(part.payload()) for part in parts],
        "units": sum(part.units for part in parts),
        "max_units": parts[0].limit if parts else MAX_UNITS,
    }


# --- sections -------------------------------------------------------------------------------------------------------


def _card(section: DigestSection, basis: list[Basis], typed: Mapping[str, str]) -> Card:
    is_typed = typed.get("_write") == str(section.pk)
    return Card(
        section=section,
        text=marked(section.text, section.findings),
        findings=[
            (str(finding["text"]) or "—", str(MEANINGS[FindingKind(finding["kind"])]), _bars(finding))
            for finding in section.findings
        ],
        basis=basis,
        change=comparing.marked(section.previous_text, section.text) if section.previous_text else SafeString(""),
        heading=typed.get("heading", "") if is_typed else section.heading,
        draft=typed.get("text", "") if is_typed else section.text,
        is_typed=is_typed,
    )


def _bars(finding: Mapping[str, Any]) -> bool:
    return bars_approval([finding])


def marked(text: str, findings: Sequence[Mapping[str, Any]]) -> SafeString:
    """The text as HTML, what has no support marked with the reason."""
    doubts = [finding for finding in findings if FindingKind(finding["kind"]) not in WHOLE]
    places = {0, len(text)} | {min(finding[end], len(text)) for finding in doubts for end in ("start", "end")}
    return format_html_join("", "{}", ((_piece(text, *span, doubts),) for span in pairwise(sorted(places))))


def _piece(text: str, start: int, end: int, doubts: Iterable[Mapping[str, Any]]) -> SafeString:
    here = [finding for finding in doubts if finding["start"] <= start and end <= finding["end"]]
    if not here:
        return format_html("{}", text[start:end])
    meaning = " ".join(dict.fromkeys(str(MEANINGS[FindingKind(finding["kind"])]) for finding in here))
    tone = "bad" if any(_bars(finding) for finding in here) else "note"
    return format_html('<mark class="wp-mark wp-mark-{}" title="{}">{}</mark>', tone, meaning, text[start:end])


# --- what they stand on ---------------------------------------------------------------------------------------------


def _basis(digest: Digest) -> dict[int, list[Basis]]:
    """What each section stands on, by its number."""
    items = list(digest.items.select_related("article__source", "part").order_by("position"))
    posts = dict(_posts(digest.channel, [item.article_id for item in items if item.article_id]))
    found: dict[int, list[Basis]] = {}
    for item in items:
        found.setdefault(item.section_id or 0, []).append(_basis_of(item, posts))
    return found


def _basis_of(item: DigestItem, posts: Mapping[int, str]) -> Basis:
    if item.article:
        page = reverse("admin:articles_article_change", args=[item.article.pk])
        return Basis(item, item.article.title, item.article.source.name, page, posts.get(item.article.pk, ""))
    assert item.part is not None  # noqa: S101  a constraint of the table says so
    page = reverse("admin:publishing_digest_change", args=[item.part.pk])
    return Basis(item, str(item.part), "", page, "")


def _posts(channel: Channel, articles: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Where the posts of articles stand in the channel: in Telegram, or on the sandbox's page."""
    sent = Message.objects.filter(
        channel=channel,
        publication__article__in=articles,
        publication__state__in=(Publication.State.PUBLISHED, Publication.State.EDITED),
        state=Message.State.SENT,
        action=Message.Action.SEND,
    ).select_related("publication", "sandbox_post")
    for message in sent.order_by("-change", "-ordinal"):
        yield message.publication.article_id or 0, _address(channel, message)


def _address(channel: Channel, message: Message) -> str:
    if channel.kind == Channel.Kind.TELEGRAM:
        return post_links.link_to(message, channel)
    post = getattr(message, "sandbox_post", None)
    return f"{reverse('sandbox', args=[channel.slug])}?before={post.pk + 1}#post-{post.pk}" if post else ""


# --- versions -------------------------------------------------------------------------------------------------------


def other_version(digest: Digest, wanted: str) -> Digest | None:
    """Another version of the period, by its row's number."""
    versions = Digest.objects.of_period(digest).exclude(pk=digest.pk)
    return versions.filter(pk=int(wanted[:18])).first() if wanted.isascii() and wanted.isdecimal() else None


def comparison(digest: Digest, other: Digest) -> dict[str, Any]:
    """What changed from the older of two versions to the newer one."""
    older, newer = sorted([digest, other], key=lambda one: one.version)
    return {"older": older, "newer": newer, "difference": comparing.marked(older.text, newer.text)}
