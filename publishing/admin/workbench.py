"""The workbench of a digest: what its buttons do. What was seen is what is changed, and what is approved."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from publishing import approval, digests
from publishing.admin import decisions, digest_page
from publishing.digests import editing, finishing
from publishing.models import Digest, Publication
from publishing.tasks import build_digest
from usage.doorbell import ring

# Takes the digest, the revision the person has seen, and what the button is about.
Verb = Callable[[HttpRequest, Digest, int, str], None]


def workbench(model_admin: ModelAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """The page of one digest. `?with=` shows what changed since another version of it."""
    digest = _visible(model_admin, request, object_id)
    may_edit = model_admin.has_change_permission(request, digest)
    typed: Mapping[str, str] = {}
    if request.method == "POST":
        try:
            return _act(model_admin, request, digest)
        except (digests.DigestError, approval.ApprovalError) as error:
            messages.error(request, str(error))
            # What somebody wrote by hand is not lost to somebody else's change: the page comes back with it.
            if "_write" not in request.POST:
                return HttpResponseRedirect(request.path)
            typed = request.POST
            digest.refresh_from_db()
    context = digest_page.context(digest, may_edit=may_edit, may_approve=_may_approve(request), typed=typed)
    if other := digest_page.other_version(digest, request.GET.get("with", "")):
        context |= digest_page.comparison(digest, other)
    site = model_admin.admin_site.each_context(request)
    return TemplateResponse(
        request, "admin/publishing/digest.html", {**site, "opts": model_admin.opts, "title": str(digest), **context}
    )


def _visible(model_admin: ModelAdmin, request: HttpRequest, object_id: str) -> Digest:
    if not object_id.isdecimal():
        raise Http404
    digest = get_object_or_404(Digest.objects.select_related("channel", "created_by"), pk=int(object_id[:18]))
    if not model_admin.has_view_permission(request, digest):
        raise PermissionDenied
    return digest


def _may_approve(request: HttpRequest) -> bool:
    return request.user.has_perm("publishing.approve_publication")


def _act(model_admin: ModelAdmin, request: HttpRequest, digest: Digest) -> HttpResponse:
    """Do what a button says. Raises DigestError or ApprovalError."""
    if not model_admin.has_change_permission(request, digest):
        raise PermissionDenied
    revision = _number(request.POST.get("revision", ""))
    if deciding := {"_approve", "_schedule", "_reject"} & request.POST.keys():
        return _decide(model_admin, request, digest, revision, deciding.pop())
    if "_again" in request.POST:
        again = digests.request(digest.period, digest.channel, digest.period_start, by=decisions.decider(request))
        ring(build_digest, again.pk)
        return HttpResponseRedirect(reverse("admin:publishing_digest_change", args=[again.pk]))
    name = next((name for name in VERBS if name in request.POST), None)
    if name is None:
        return HttpResponse(status=400)
    about = str(request.POST[name])
    VERBS[name](request, digest, revision, about)
    ring(build_digest, digest.pk)
    section = about.partition(":")[0]
    return HttpResponseRedirect(f"{request.path}#section-{section}" if section.isdecimal() else request.path)


def _decide(model_admin: ModelAdmin, request: HttpRequest, digest: Digest, revision: int, verb: str) -> HttpResponse:
    """Approve the post as it was seen, or ask for the time or the reason. Raises DigestError or ApprovalError."""
    if not _may_approve(request):
        raise PermissionDenied
    publication = finishing.publication_of(digest)
    if publication is None:
        raise digests.Settled(_("It has no post: make a new version."))
    if digest.revision != revision:
        raise digests.Overtaken(_("Somebody has changed this digest meanwhile. Look at it as it is now first."))
    if verb == "_reject":
        return decisions.question(request, model_admin, "reject", [publication])
    if digest.sections.filter(is_awaited=True, is_included=True).exists():
        raise digests.Settled(_("A section is still being written: wait for it, or take it out."))
    if verb == "_schedule":
        return decisions.question(request, model_admin, "schedule", [publication])
    return _approve(request, digest, publication)


def _approve(request: HttpRequest, digest: Digest, publication: Publication) -> HttpResponse:
    seen = _number(request.POST.get("publication_revision", ""))
    approval.approve(publication.pk, by=decisions.decider(request), revision=seen)
    decisions.ring_channels([publication.pk])
    messages.success(request, _("Approved: “%(title)s”.") % {"title": digest})
    return HttpResponseRedirect(request.path)


def _number(given: str) -> int:
    """A number from a form; 0, which is nobody's, for anything else."""
    return int(given[:18]) if given.isascii() and given.isdecimal() else 0


# --- what changes the digest itself ---------------------------------------------------------------------------------


def _order(request: HttpRequest, digest: Digest, revision: int, about: str) -> None:
    order = [_number(number) for number in about.split(",")[:200]]
    editing.arrange(digest.pk, order, revision=revision, by=decisions.decider(request))


def _move(request: HttpRequest, digest: Digest, revision: int, about: str) -> None:
    """One place up or down: the way without the script."""
    number, _separator, way = about.partition(":")
    order = [section.pk for section in finishing.included(digest)]
    if _number(number) in order:
        place = order.index(_number(number))
        order.insert(max(place + (-1 if way == "up" else 1), 0), order.pop(place))
    editing.arrange(digest.pk, order, revision=revision, by=decisions.decider(request))


def _pin(request: HttpRequest, digest: Digest, revision: int, about: str) -> None:
    number, _separator, way = about.partition(":")
    editing.pin(digest.pk, _number(number), revision=revision, is_pinned=way != "off", by=decisions.decider(request))


def _take_in(request: HttpRequest, digest: Digest, revision: int, about: str) -> None:
    editing.take_in(digest.pk, _number(about), revision=revision, by=decisions.decider(request))


def _take_out(request: HttpRequest, digest: Digest, revision: int, about: str) -> None:
    editing.take_out(digest.pk, _number(about), revision=revision, by=decisions.decider(request))


def _rewrite(request: HttpRequest, digest: Digest, revision: int, about: str) -> None:
    wish = request.POST.get("instruction", "")
    editing.rewrite(digest.pk, _number(about), revision=revision, instruction=wish, by=decisions.decider(request))


def _write(request: HttpRequest, digest: Digest, revision: int, about: str) -> None:
    text = request.POST.get("text", "").replace("\r\n", "\n")[: digest_page.LONGEST_TEXT]
    heading, by = request.POST.get("heading", ""), decisions.decider(request)
    editing.write(digest.pk, _number(about), revision=revision, heading=heading, text=text, by=by)


def _put_back(request: HttpRequest, digest: Digest, revision: int, about: str) -> None:
    editing.put_back(digest.pk, _number(about), revision=revision, by=decisions.decider(request))


def _set_aside(request: HttpRequest, digest: Digest, revision: int, about: str) -> None:
    _section, _separator, rest = about.partition(":")
    number, _separator, way = rest.partition(":")
    editing.set_aside(
        digest.pk, _number(number), revision=revision, is_dropped=way != "off", by=decisions.decider(request)
    )


def _entitle(request: HttpRequest, digest: Digest, revision: int, about: str) -> None:
    editing.entitle(digest.pk, about, revision=revision, by=decisions.decider(request))


VERBS: Mapping[str, Verb] = {
    "_order": _order,
    "_move": _move,
    "_pin": _pin,
    "_take_in": _take_in,
    "_take_out": _take_out,
    "_rewrite": _rewrite,
    "_write": _write,
    "_put_back": _put_back,
    "_set_aside": _set_aside,
    "_entitle": _entitle,
}
