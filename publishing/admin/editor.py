"""One publication: its text, the exact post beside it, and the source. What was seen is what is approved."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from articles.models import Article, Picture
from publishing import approval, changing, standing
from publishing.admin import beside, decisions, findings, rewriting, support, undo, versions
from publishing.models import Message, PendingPublication, Publication
from publishing.preview import look
from publishing.queueing import explain
from publishing.reactions import in_words, totals
from publishing.rendering import Part, render
from publishing.similar import similar
from publishing.splitting import MAX_CAPTION_UNITS, MAX_UNITS
from usage.addresses import list_url


class PublicationForm(forms.Form):
    """What an editor may change, and the revision the change is based on."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    title = forms.CharField(label=gettext_lazy("Title"), max_length=1000, widget=UnfoldAdminTextInputWidget)
    text = forms.CharField(
        label=gettext_lazy("Text of the publication"),
        max_length=50_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 14}),
    )

    def __init__(self, data: Any = None, *, publication: Publication) -> None:
        self.publication = publication
        # What was typed before an offer was taken: shown, so that it isn't lost.
        self.replaced = ""
        # Whether somebody else has saved a version since the one this was based on.
        self.overtaken = False
        initial = {
            "revision": publication.revision,
            "title": publication.title,
            "text": publication.final_text,
        }
        super().__init__(data, initial=initial)
        # While somebody types, the post beside the text is made anew by the renderer that sends.
        address = reverse("admin:publishing_publication_preview", args=[publication.pk])
        for name in ("title", "text"):
            self.fields[name].widget.attrs |= {
                "hx-post": address,
                "hx-trigger": "input delay:300ms",
                "hx-target": "#preview",
                "hx-sync": "closest form:queue last",
            }

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")

    def is_changed(self) -> bool:
        said, known = self.cleaned_data, self.publication
        return (said["title"], said["text"]) != (known.title, known.final_text)

    def take(self, text: str | None) -> None:
        """Put an offered text in the place of what was typed, unsaved."""
        if text is not None:
            self.replaced = self.data.get("text", "")
            self.data = {**self.data.dict(), "text": text}  # type: ignore[attr-defined]

    def rebase(self, revision: int) -> None:
        """Keep what was typed, now on top of the version that came in between: saving again replaces it knowingly."""
        self.data = {**self.data.dict(), "revision": str(revision)}  # type: ignore[attr-defined]
        self.overtaken = True


def editor(model_admin: ModelAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """The page of one publication, and what its buttons do."""
    publication = visible(model_admin, request, object_id)
    form = PublicationForm(request.POST or None, publication=publication)
    if request.method == "POST" and (answer := _answer(model_admin, request, publication, form)):
        return answer
    context = _page_context(model_admin, request, publication, form)
    return TemplateResponse(request, "admin/publishing/editor.html", context)


def _answer(
    model_admin: ModelAdmin, request: HttpRequest, publication: Publication, form: PublicationForm
) -> HttpResponse | None:
    """Where a button leads; None where the page is shown again, its form saying why."""
    if not model_admin.has_change_permission(request, publication):
        raise PermissionDenied
    if "_withdraw" in request.POST:
        return _withdraw(request, publication)
    if findings.ANSWERS & request.POST.keys():
        return findings.settle(request, publication)
    if "_take" in request.POST:
        form.take(rewriting.taken(publication, request.POST["_take"]))
    elif form.is_valid():
        try:
            return _decide(model_admin, request, publication, form)
        except approval.Changed as error:
            form.add_error(None, str(error))
            form.rebase(publication.revision)
        except approval.ApprovalError as error:
            form.add_error(None, str(error))
    return None


def _page_context(
    model_admin: ModelAdmin, request: HttpRequest, publication: Publication, form: PublicationForm
) -> dict[str, Any]:
    undecided = publication.state in approval.UNDECIDED
    may_approve = _may_approve(request)
    shown = versions.of(publication)
    return {
        **support.context(publication),
        **rewriting.context(request, publication),
        **beside.context(request, publication, publication.revision),
        **model_admin.admin_site.each_context(request),
        **_post_context(publication),
        **_frozen_context(publication),
        "opts": model_admin.opts,
        "title": publication.title,
        "publication": publication,
        "form": form,
        "overtaken": form.overtaken,
        "explanation": explain(publication),
        "may_edit": undecided and model_admin.has_change_permission(request, publication),
        "may_decide": undecided and may_approve,
        "may_settle": may_approve,
        "may_change": changing.options(publication) if may_approve else changing.Options(),
        "doubts": findings.doubts(publication),
        "reactions": in_words(totals([publication]).get(publication.pk, Counter())),
        "may_withdraw": _is_returnable(publication) and may_approve,
        "similar": similar(publication),
        "overtaken_by": versions.last_edit(publication) if form.overtaken else None,
        "sent_messages": findings.rows(publication),
        "versions": shown,
        "difference": versions.chosen(request, shown),
    }


def preview(model_admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """The post as it would go out with what is in the form right now. Nothing is written."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    publication = visible(model_admin, request, str(pk))
    publication.title = request.POST.get("title", "")[:1000]
    publication.text = publication.edited_text = request.POST.get("text", "").replace("\r\n", "\n")[:50_000]
    context = _post_context(publication) | support.context(publication) | {"typed": True}
    return TemplateResponse(request, "admin/publishing/preview.html", context)


def visible(model_admin: ModelAdmin, request: HttpRequest, object_id: str) -> Publication:
    if not object_id.isdecimal():
        raise Http404
    publications = Publication.objects.for_queue().select_related("article__source", "approved_by")
    publication = get_object_or_404(publications, pk=object_id)
    if not model_admin.has_view_permission(request, publication):
        raise PermissionDenied
    return publication


def _is_returnable(publication: Publication) -> bool:
    """Whether it can be taken back: decided, and no part of it is out or may be."""
    states = {message.state for message in publication.messages.all()}
    return publication.state in approval.RETURNABLE and states <= set(approval.NOT_SENT)


def _may_approve(request: HttpRequest) -> bool:
    return request.user.has_perm("publishing.approve_publication")


def _post_context(publication: Publication) -> dict[str, Any]:
    parts = render(publication)
    first = parts[0] if parts else None
    return {
        "posts": [_bubble(part, publication) for part in parts],
        "units": sum(part.units for part in parts),
        "max_units": first.limit if first else MAX_UNITS,
        "max_caption": MAX_CAPTION_UNITS if first and first.photo and not first.is_caption else None,
        "picture": _picture_that_is_missing(publication),
    }


@dataclass(frozen=True)
class Bubble:
    """One message as it will be sent: how it looks, how long it is, and the page Telegram previews below it."""

    html: SafeString
    photo: str
    units: int
    limit: int
    link: str
    host: str
    article: Article | None

    @property
    def left(self) -> int:
        return self.limit - self.units


def _bubble(part: Part, publication: Publication) -> Bubble:
    payload = part.payload()
    seen, options = look(payload), payload["link_preview_options"]
    link = "" if part.photo else options.get("url", "")
    return Bubble(
        seen.html, seen.photo, part.units, part.limit, link, urlsplit(link).hostname or "", publication.article
    )


def _picture_that_is_missing(publication: Publication) -> Picture | None:
    """The picture that the post should have had, and whose row says why it hasn't."""
    if not publication.channel.with_photos or publication.article is None:
        return None
    picture: Picture | None = getattr(publication.article, "picture", None)
    return picture if picture and not picture.media_id else None


def _frozen_context(publication: Publication) -> dict[str, Any]:
    """What stands in the channel, or was frozen to go there, where there is such a thing: a footer may have changed."""
    known = list(publication.messages.all())
    stands = standing.posts(known)
    frozen = [message.payload for message in known if message.action == Message.Action.SEND]
    payloads = [post.payload for post in stands] or frozen
    is_out = publication.state in (*Publication.OUT, Publication.State.CHANGING)
    return {"posts": [look(payload) for payload in payloads], "stands": bool(stands) and is_out} if payloads else {}


def _decide(
    model_admin: ModelAdmin, request: HttpRequest, publication: Publication, form: PublicationForm
) -> HttpResponse:
    """Save what was typed, and go on to what the button says; both or none of it."""
    revision = form.cleaned_data["revision"]
    deciding = {"_approve", "_schedule", "_reject", "_break"} & request.POST.keys()
    if deciding and not _may_approve(request):
        raise PermissionDenied
    with transaction.atomic():
        if form.is_changed() or not deciding:
            title, text = form.cleaned_data["title"], form.cleaned_data["text"]
            publication = approval.edit(
                publication.pk, by=decisions.decider(request), revision=revision, title=title, text=text
            )
            revision = publication.revision
        if "_approve" in request.POST:
            approval.approve(publication.pk, by=decisions.decider(request), revision=revision, hold=undo.hold())
    if "_approve" in request.POST:
        decisions.ring_channels([publication.pk])
        told = _("Approved: “%(title)s”.") % {"title": publication.title}
        undo.report(request, approval.Tally(1, 0, decided=(publication.pk,)), told)
        return HttpResponseRedirect(list_url(PendingPublication))
    if deciding:
        return decisions.question(request, model_admin, deciding.pop().removeprefix("_"), [publication])
    messages.success(request, _("Version %(revision)d is saved.") % {"revision": revision})
    return HttpResponseRedirect(request.path)


def _withdraw(request: HttpRequest, publication: Publication) -> HttpResponse:
    if not _may_approve(request):
        raise PermissionDenied
    try:
        approval.withdraw(publication.pk, by=decisions.decider(request))
    except approval.ApprovalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("It is back in the queue: change it, or decide again."))
    return HttpResponseRedirect(request.path)
