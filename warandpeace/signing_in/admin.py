"""The list of who is signed in. Passkeys and secrets of apps are in no list: each person keeps their own."""

from __future__ import annotations

from importlib import import_module

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from usage.listing import LargeTableAdmin
from warandpeace.signing_in.models import SignIn

# Their own admins show the secrets; imported first, or they would register themselves after us.
for plugin, model in (("otp_static", StaticDevice), ("otp_totp", TOTPDevice)):
    import_module(f"django_otp.plugins.{plugin}.admin")
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(SignIn)
class SignInAdmin(LargeTableAdmin):
    """Who is signed in where. Deleting a row signs that person out there."""

    list_display = ("user", "device", "address", "since", "seen_at")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    sortable_by = ()
    fields = ("user", "device", "address", "since", "seen_at")
    empty_text = _("Nobody is signed in.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SignIn]:
        return super().get_queryset(request).open()  # type: ignore[no-any-return]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SignIn | None = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: SignIn) -> None:
        SignIn.objects.filter(pk=obj.pk).end()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SignIn]) -> None:
        SignIn.objects.filter(pk__in=queryset.values("pk")).end()
