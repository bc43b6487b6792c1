"""The template of a channel's posts in the admin: the field, and beside it a sample post that follows the typing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextareaWidget

from publishing.models import Channel
from publishing.post_template import PLACEHOLDERS, standard
from publishing.preview import look
from publishing.rendering import compose
from publishing.template_syntax import MAX_LENGTH, TAGS, TemplateError, read

LANGUAGES = tuple(code for code, _name in settings.LANGUAGES)


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A channel that uses the standard template shows it, ready to be changed; unchanged it stays the standard one."""

    class Meta:
        model = Channel
        fields = "__all__"  # noqa: DJ007  the admin names them
        widgets = {
            "template": UnfoldAdminTextareaWidget(
                attrs={"rows": 11, "style": "font-family: monospace", "spellcheck": "false"}
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        template = self.fields.get("template")
        if template is None:  # somebody who may only look has no fields
            return
        self.initial["template"] = self.instance.template or standard(self.instance.language)
        template.help_text = explanation()
        template.widget.attrs |= {
            "hx-post": reverse("admin:publishing_channel_sample"),
            "hx-trigger": "input delay:300ms from:closest form",
            "hx-target": "#sample",
            "hx-swap": "outerHTML",
            "hx-sync": "this:replace",
        }

    def clean_template(self) -> str:
        template = str(self.cleaned_data["template"]).replace("\r\n", "\n").strip()
        return "" if template in map(standard, LANGUAGES) else template

    def clean(self) -> dict[str, Any] | None:
        said = super().clean()
        asked = {name: self.cleaned_data[name] for name in ("kind", "chat_id") if name in self.cleaned_data}
        if "chat_id" in asked and Channel(**asked).lacks_chat and not self.cleaned_data.get("is_paused"):
            self.add_error("chat_id", _("Without a chat nothing can be posted: name it, or leave the channel paused."))
        return said


def explanation() -> SafeString:
    """What may stand in a template, for the person who writes one."""
    meanings = {
        "title": _("the headline"),
        "text": _("the text"),
        "source": _("the name of the source"),
        "link": _("the address of the article"),
        "tags": _("its tags as #hashtags"),
        "footer": _("the channel's footer"),
        "date": _("the day of the article"),
    }
    context = {"meanings": [(name, meanings[name]) for name in PLACEHOLDERS], "tags": TAGS}
    return render_to_string("admin/publishing/channel/explanation.html", context)


def of_channel(channel: Channel) -> SafeString:
    """The sample of a channel as it is stored."""
    return render_to_string("admin/publishing/channel/sample.html", _context(channel))


def typed(data: QueryDict) -> dict[str, Any]:
    """The sample's context for what stands in the form right now; nothing is written."""
    language = data.get("language", "")
    channel = Channel(
        template=data.get("template", "")[:MAX_LENGTH],
        footer=data.get("footer", "")[:500],
        language=language if language in LANGUAGES else LANGUAGES[0],
        with_photos="with_photos" in data,
    )
    return _context(channel)


def _context(channel: Channel) -> dict[str, Any]:
    try:
        template = read(channel.template or standard(channel.language))
    except TemplateError as error:
        return {"error": str(error)}
    with translation.override(channel.language):
        parts = compose(
            title=_("A headline"),
            text=_("And this is what a post looks like.\n\nIt may have several paragraphs."),
            source_url="https://news.example/1",
            source=_("Name of the source"),
            tags=[_("economy"), _("key rate")],
            footer=channel.footer,
            published_at=timezone.localtime(),
            language=channel.language,
            template=template,
        )
    return {"posts": [look(part.payload()) for part in parts], "with_photos": channel.with_photos}
