"""After the post, in the admin: each change is asked for on a page of its own that says what will happen.

Editing asks for the text first. Posting again asks twice: subscribers would get everything once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from publishing import changing, standing
from publishing.admin import decisions
from publishing.approval import ApprovalError
from publishing.models import Message, Publication
from publishing.preview import look

Action = Message.Action

# Telegram promises deletions for so long; in some chats it allows them later, too.
DELETABLE_FOR = timedelta(hours=48)


class ChangeForm(forms.Form):
    """The number of the last change that was seen: what was decided since is not overruled unknowingly."""

    seen = forms.IntegerField(widget=forms.HiddenInput)


class EditForm(ChangeForm):
    revision = forms.IntegerField(widget=forms.HiddenInput)
    title = forms.CharField(label=gettext_lazy("Title"), max_length=1000, widget=UnfoldAdminTextInputWidget)
    text = forms.CharField(
        label=gettext_lazy("Text of the publication"),
        max_length=50_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 14}),
    )
    note = forms.CharField(
        label=gettext_lazy("Correction note"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("What was wrong, for the readers. It becomes the last paragraph; it may stay empty."),
        widget=UnfoldAdminTextInputWidget,
    )

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")


class RepostForm(ChangeForm):
    twice = forms.BooleanField(
        label=gettext_lazy("Yes, subscribers are to get it once more"), widget=UnfoldBooleanWidget
    )


FORMS: dict[str, type[ChangeForm]] = {"edit": EditForm, "delete": ChangeForm, "post_again": RepostForm}


def change(model_admin: ModelAdmin, request: HttpRequest, publication: Publication, what: str) -> HttpResponse:
    """The page that asks for one change, and what its button does."""
    if not request.user.has_perm("publishing.approve_publication"):
        raise PermissionDenied
    if what == "cancel":
        return _cancel(request, publication)
    if what not in FORMS:
        raise Http404
    form = FORMS[what](request.POST or None, initial=_initial(publication))
    plan: Sequence[Message] = ()
    try:
        is_ready = form.is_valid() and "back" not in request.POST
        if is_ready or what != "edit":
            plan = _plan(publication, what, form)
        if is_ready and "sure" in request.POST:
            return _answer(request, publication, _decide(request, publication, what, form))
    except ApprovalError as error:
        if not form.is_bound:
            return _answer(request, publication, str(error), messages.ERROR)
        form.add_error(None, str(error))
    context = _context(model_admin, publication, what, form, plan)
    return TemplateResponse(
        request, "admin/publishing/change.html", model_admin.admin_site.each_context(request) | context
    )


def _initial(publication: Publication) -> dict[str, Any]:
    return {
        "seen": changing.last_change(publication.messages.all()),
        "revision": publication.revision,
        "title": publication.title,
        "text": publication.final_text,
    }


def _plan(publication: Publication, what: str, form: ChangeForm) -> Sequence[Message]:
    """The messages the change would need; of an edit once its text is written."""
    if what == "delete":
        return changing.plan_deletion(publication)
    if what == "post_again":
        return changing.plan_posting(publication)
    said = form.cleaned_data
    return changing.plan_edit(copy(publication), title=said["title"], text=said["text"], note=said["note"])


def _decide(request: HttpRequest, publication: Publication, what: str, form: ChangeForm) -> str:
    """Do it; what to tell the person."""
    by, said = decisions.decider(request), form.cleaned_data
    if what == "edit":
        changing.edit(publication.pk, by=by, **said)
        return _("The post is being edited.")
    if what == "delete":
        changing.delete(publication.pk, by=by, seen=said["seen"])
        return _("The post is being deleted.")
    changing.post_again(publication.pk, by=by, seen=said["seen"])
    return _("It is being posted again.")


def _cancel(request: HttpRequest, publication: Publication) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        changing.cancel(publication.pk, by=decisions.decider(request))
    except ApprovalError as error:
        return _answer(request, publication, str(error), messages.ERROR)
    return _answer(request, publication, _("Taken back: the channel stays as it is."))


def _answer(
    request: HttpRequest, publication: Publication, told: str, level: int = messages.SUCCESS
) -> HttpResponseRedirect:
    messages.add_message(request, level, told)
    decisions.ring_channels([publication.pk])
    return HttpResponseRedirect(reverse("admin:publishing_publication_change", args=[publication.pk]))


def _context(
    model_admin: ModelAdmin, publication: Publication, what: str, form: ChangeForm, plan: Sequence[Message]
) -> dict[str, Any]:
    titles = {"edit": _("Edit in the channel"), "delete": _("Delete from the channel"), "post_again": _("Post again")}
    posts = standing.posts(publication.messages.all())
    return {
        "opts": model_admin.opts,
        "title": titles[what],
        "what": what,
        "form": form,
        "publication": publication,
        "is_sure": bool(plan),
        "consequences": consequences(publication, plan),
        "before": [look(post.payload) for post in posts],
        "after": [look(message.payload) for message in plan if message.action != Message.Action.DELETE],
    }


def consequences(publication: Publication, plan: Sequence[Message]) -> list[str]:
    """What will happen, in sentences: what is edited, deleted and posted, and what Telegram may say to it."""
    actions = [message.action for message in plan]
    edits, deletions, posts = (actions.count(action) for action in (Action.EDIT, Action.DELETE, Action.SEND))
    told = []
    if edits:
        text = ngettext("%(count)d message is edited where it stands.", "%(count)d messages are edited.", edits)
        told += [text % {"count": edits}, _("Nobody is notified; Telegram marks it as edited.")]
    if deletions:
        text = ngettext("%(count)d message is deleted for everybody.", "%(count)d messages are deleted.", deletions)
        told.append(text % {"count": deletions})
    if posts:
        text = ngettext("%(count)d message is posted as a new one.", "%(count)d messages are posted.", posts)
        told += [text % {"count": posts}, _("Subscribers are notified once more.")]
        if standing.posts(publication.messages.all()):
            told.append(_("What stands in the channel stays there, so it will be there twice."))
    if any(_is_old(message) for message in plan):
        told.append(_("It was posted more than 48 hours ago: Telegram may refuse to delete it. You will be told."))
    return told


def _is_old(message: Message) -> bool:
    """Whether Telegram may refuse to delete the post that is to be deleted."""
    sent_at = message.target.sent_at if message.target and message.action == Action.DELETE else None
    return sent_at is not None and sent_at < timezone.now() - DELETABLE_FOR
