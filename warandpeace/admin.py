"""The admin of what comes with other packages, in the theme's clothes: people, roles, schedules, failed sign-ins."""

from __future__ import annotations

from typing import Any, cast

from axes import admin as axes_admin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin, messages
from django.contrib.admin import RelatedFieldListFilter
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_celery_beat import admin as beat_admin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from usage.listing import ReadOnlyInline, SimpleSave
from warandpeace import admin_backups, admin_transfer, admin_usage  # noqa: F401  register their own
from warandpeace.audit import admin as audit_admin  # noqa: F401  registers its own
from warandpeace.roles import label_of, role_of
from warandpeace.signing_in import admin as sign_in_admin  # noqa: F401  registers its own
from warandpeace.signing_in import factors
from warandpeace.signing_in.models import SignIn

# Our admin comes first of all, so these are registered already only because their modules are imported above.
for model in (
    AccessAttempt,
    AccessFailureLog,
    AccessLog,
    ClockedSchedule,
    CrontabSchedule,
    Group,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
    User,
):
    admin.site.unregister(model)


# Django keeps the names of permissions in English rows; these are shown instead.
VERBS = {"add": _("add"), "change": _("change"), "delete": _("delete"), "view": _("view")}
SINGLE = {
    "approve_publication": _("approve, schedule and reject publications"),
    "pause_channel": _("pause and resume channels"),
}


def permission_label(permission: Permission) -> str:
    """A permission in the reader's language: what it is about, and the verb."""
    verb = SINGLE.get(permission.codename) or VERBS.get(permission.codename.partition("_")[0]) or permission.name
    return f"{permission.content_type.app_labeled_name}: {verb}"


class ReadablePermissions:
    """Names permissions in the forms of users and groups."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]
        if db_field.remote_field.model is Permission:
            field.label_from_instance = permission_label
        if db_field.remote_field.model is Group:
            field.label_from_instance = label_of
        return field


class RoleFilter(RelatedFieldListFilter):
    """People by their roles, which are called as people call them."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return [(str(group.pk), label_of(group)) for group in Group.objects.order_by("pk")]


@admin.register(User)
class UserAdmin(ReadablePermissions, SimpleSave, auth_admin.UserAdmin, ModelAdmin):  # type: ignore[type-arg, misc]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "roles", "is_active", "is_superuser", "last_login")
    list_filter = (("groups", RoleFilter), "is_active", "is_superuser")

    actions = ("remove_second_factors",)

    def get_queryset(self, request):  # type: ignore[no-untyped-def]
        return super().get_queryset(request).prefetch_related("groups")

    @action(description=_("Remove second factors, and sign out everywhere"), permissions=["change"])
    def remove_second_factors(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """For who has lost them: they come in with the password alone, and set up new ones."""
        for user in users:
            factors.reset(user, by=cast("User", request.user))
            SignIn.objects.of(user).end()
        done = ngettext("%(count)d person signs in anew.", "%(count)d people sign in anew.", len(users))
        messages.success(request, done % {"count": len(users)})

    @display(description=_("name"))
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @display(description=_("roles"))
    def roles(self, user: User) -> str:
        return ", ".join(map(label_of, user.groups.all()))


@admin.register(Group)
class GroupAdmin(ReadablePermissions, SimpleSave, auth_admin.GroupAdmin, ModelAdmin):  # type: ignore[misc]
    list_display = ("label", "purpose")
    readonly_fields = ("in_words",)

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        """Who may not change it reads the words alone: the list of permissions would say the same in English."""
        chosen = ("permissions",) if self.has_change_permission(request, obj) else ()
        return ("name", "in_words", *chosen)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **options: Any) -> HttpResponse:  # type: ignore[override]
        """The head of the page calls the group as the list does."""
        if group := context.get("original"):
            label = label_of(group)
            context |= {"original": Group(pk=group.pk, name=label), "subtitle": label}
        page: HttpResponse = super().render_change_form(request, context, **options)
        return page

    @display(description=_("in words"))
    def in_words(self, group: Group) -> SafeString:
        """The purpose of one of our roles, and of every group each thing it may do, by what it is done to."""
        if group.pk is None:
            return format_html("{}", _("Save the group to read here what it may do."))
        allowed = dict[str, list[str]]()
        for permission in group.permissions.select_related("content_type"):
            about, verb = permission_label(permission).rsplit(": ", 1)
            allowed.setdefault(about, []).append(verb)
        lines = format_html_join("", "<li>{}: {}</li>", ((about, ", ".join(verbs)) for about, verbs in allowed.items()))
        return format_html('<p>{}</p><ul class="wp-list">{}</ul>', self.purpose(group), lines)

    @display(description=_("name"), ordering="name")
    def label(self, group: Group) -> str:
        return label_of(group)

    @display(description=_("what it may do"))
    def purpose(self, group: Group) -> str | Promise:
        role = role_of(group)
        return role.purpose if role else ""


class TaskSelectWidget(UnfoldAdminSelectWidget, beat_admin.TaskSelectWidget):
    pass


class PeriodicTaskForm(beat_admin.PeriodicTaskForm):
    def __init__(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelectWidget()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(SimpleSave, beat_admin.PeriodicTaskAdmin, ModelAdmin):
    form = PeriodicTaskForm
    list_display = ("name", "enabled", "schedule_text", "last_run_at", "description")
    list_filter = ("enabled",)
    date_hierarchy = None
    # The package's own has an inline script, which the content security policy forbids.
    change_form_template = None

    @display(description=_("In words"))
    def crontab_translation(self, task: PeriodicTask) -> str:
        return task.crontab.human_readable if task.crontab else "—"

    @display(description=_("Schedule"))
    def schedule_text(self, task: PeriodicTask) -> str:
        return str(task.interval or task.crontab or task.solar or task.clocked or "")


class TasksOfSchedule(ReadOnlyInline):
    model = PeriodicTask
    fields = ("name", "task", "enabled")
    verbose_name_plural = _("Tasks on this schedule")


@admin.register(IntervalSchedule, ClockedSchedule, SolarSchedule)
class ScheduleAdmin(ModelAdmin):
    inlines = (TasksOfSchedule,)


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(beat_admin.CrontabScheduleAdmin, ModelAdmin):
    inlines = (TasksOfSchedule,)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(axes_admin.AccessAttemptAdmin, ModelAdmin):
    """Deleting a row lets that person try again at once."""

    date_hierarchy = None
    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "user_agent")
    list_filter = (axes_admin.IsLockedOutFilter,)
    search_fields = ("username", "ip_address")
    # What was typed may be a password in the wrong field: never shown.
    fieldsets = ((None, {"fields": ("username", "ip_address", "failures_since_start", "attempt_time", "user_agent")}),)
    actions = ()
