"""How the admin looks: its names, its colours and its files. Read by Unfold through `settings.UNFOLD`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

# Navy to sky. Steps 600 and darker carry white text, and 500 reads on the dark ground (WCAG AA).
NAVY = {
    "50": "#eef3fc",
    "100": "#dfe8f9",
    "200": "#c8d6f1",
    "300": "#a3bce9",
    "400": "#7ea3e4",
    "500": "#5b8bdd",
    "600": "#2f5fb8",
    "700": "#1f4490",
    "800": "#1b365d",
    "900": "#152a4a",
    "950": "#0d1b31",
}


def _file(name: str) -> Any:
    """The address of one of our static files, asked for when a page is made: the manifest has to be there by then."""

    def address(request: HttpRequest) -> str:
        return static(f"warandpeace/{name}")

    return address


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("War and Peace"),
    "SITE_HEADER": _("War and Peace"),
    "SITE_SUBHEADER": _("Newsroom"),
    "SITE_ICON": _file("logo.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _file("logo.svg")}],
    "SHOW_LANGUAGES": True,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "warandpeace.dashboard.dashboard",
    "STYLES": [_file("admin.css")],
    "BORDER_RADIUS": "8px",
    "COLORS": {"primary": NAVY},
    "ACCOUNT": {
        "navigation": [
            {"title": _("My sign-in"), "link": reverse_lazy("signing_in:mine")},
            {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
        ]
    },
    "SIDEBAR": {"navigation": "warandpeace.navigation.sidebar"},
}
