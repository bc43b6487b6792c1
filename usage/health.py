"""Which keys may be used, how they and their providers are doing, and what their failures lead to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from usage import environment, prompts
from usage.models import Alert, ApiKey, Provider
from usage.prompts import LlmError, ProviderFailed

# How long a key rests after its first 429 that names no time; doubled each time, up to the longest.
COOL_DOWN = timedelta(seconds=30)
LONGEST_COOL_DOWN = timedelta(hours=1)
# A region is not unblocked by asking often.
REGION_PAUSE = timedelta(hours=6)
# After so many failures in a row a provider rests, first this long, then twice as long each time. Never for long: one
# call in vain costs little, and who is back again should be asked again within half a minute.
PATIENCE = 5
REST = timedelta(seconds=5)
LONGEST_REST = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Credential:
    """A key and its secret; neither where a server asks for none."""

    key: ApiKey | None = None
    secret: str = field(default="", repr=False)

    @property
    def key_hash(self) -> str:
        return self.key.key_hash if self.key else ""


def credentials(provider: Provider) -> list[Credential]:
    """What the provider may be asked with now, the healthiest first, then whoever was used the longest ago.

    Raises NoUsableKey where the environment has keys for its server and each is off or cooling down.
    """
    secrets = {environment.key_hash(secret): secret for secret in environment.secrets_for(provider.base_url)}
    if not secrets:
        return [Credential()]
    rows = _rows(provider, secrets)
    now = timezone.now()
    usable = [key for key in rows if key.is_enabled and not (key.cooling_down_until and key.cooling_down_until > now)]
    if not usable:
        raise prompts.NoUsableKey(_("Each key of %(provider)s is off or cooling down.") % {"provider": provider.name})
    order = list(secrets)
    usable.sort(key=lambda key: (bool(key.consecutive_failures), _used(key), order.index(key.key_hash)))
    return [Credential(key, secrets[key.key_hash]) for key in usable]


def _rows(provider: Provider, secrets: dict[str, str]) -> list[ApiKey]:
    """The rows of the secrets; one that is new in the environment gets its row now."""
    rows = list(provider.keys.filter(key_hash__in=secrets))
    if len(rows) < len(secrets):
        environment.sync_keys(provider)
        rows = list(provider.keys.filter(key_hash__in=secrets))
    return rows


def _used(key: ApiKey) -> float:
    return key.last_used_at.timestamp() if key.last_used_at else 0.0


def refuse_resting(provider: Provider) -> None:
    """Raises Resting while the provider is not to be asked."""
    if provider.skipped_until and provider.skipped_until > timezone.now():
        raise prompts.Resting(provider.skip_reason)


# --- what an outcome changes; called inside the transaction that writes it down ---------------------------------------


def use(key: ApiKey) -> None:
    """Note that a call with the key is about to be made."""
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now(), request_count=F("request_count") + 1)


def answered(provider: Provider, key_hash: str) -> None:
    """Forget the failures of a key and a provider that has answered."""
    _keys(provider, key_hash).update(last_good_at=timezone.now(), consecutive_failures=0, cooling_down_until=None)
    has_failed = Q(consecutive_failures__gt=0) | Q(skipped_until__isnull=False)
    if Provider.objects.filter(has_failed, pk=provider.pk).update(
        consecutive_failures=0, skipped_until=None, skip_reason=""
    ):
        Alert.is_over(Alert.Code.MODEL_SILENT, provider.name)


def failed(provider: Provider, key_hash: str, error: LlmError) -> None:
    """Note a failure, and let the key cool down, switch it off, or let the provider rest."""
    now = timezone.now()
    keys = _keys(provider, key_hash)
    keys.update(
        last_failure_at=now,
        last_failure=str(error)[:200],
        failure_count=F("failure_count") + 1,
        consecutive_failures=F("consecutive_failures") + 1,
    )
    match error:
        case prompts.KeyRefused() if key_hash:
            keys.update(is_enabled=False)
        case prompts.RateLimited() if key_hash:
            keys.update(cooling_down_until=now + _cool_down(keys, error))
        case prompts.RegionBlocked():
            _rest(provider, now + REGION_PAUSE, error)
        case prompts.SchemaRefused():
            Provider.objects.filter(pk=provider.pk).update(takes_schema=False)
        case ProviderFailed():
            _lose_patience(provider, error, now)


def sound_alarm(provider: Provider, key_hash: str, error: LlmError) -> None:
    """Tell people of what they must see to. Outside of any transaction of the ledger."""
    if isinstance(error, prompts.KeyRefused):
        what = f"{provider.name}:{key_hash[:8] or '-'}"
        off = _("%(error)s It is switched off until somebody switches it on again.") % {"error": error}
        Alert.sound(Alert.Code.KEY_REFUSED, what, off if key_hash else str(error))
    elif isinstance(error, prompts.RegionBlocked):
        Alert.sound(Alert.Code.REGION_BLOCKED, provider.name, str(error))
    elif isinstance(error, ProviderFailed) and _is_out_of_patience(provider):
        Alert.sound(Alert.Code.MODEL_SILENT, provider.name, f"{provider.name}: {error}")


def _keys(provider: Provider, key_hash: str) -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(provider=provider.pk, key_hash=key_hash)


def _cool_down(keys: QuerySet[ApiKey], error: prompts.RateLimited) -> timedelta:
    if error.retry_after is not None:
        return max(error.retry_after, timedelta(seconds=1))
    failures: int = keys.values_list("consecutive_failures", flat=True).first() or 1
    return min(COOL_DOWN * (1 << min(failures - 1, 10)), LONGEST_COOL_DOWN)


def _lose_patience(provider: Provider, error: LlmError, now: datetime) -> None:
    row = Provider.objects.filter(pk=provider.pk)
    row.update(consecutive_failures=F("consecutive_failures") + 1)
    failures = row.values_list("consecutive_failures", flat=True).first() or 0
    if failures >= PATIENCE:
        _rest(provider, now + min(REST * 2 ** min(failures - PATIENCE, 10), LONGEST_REST), error)


def _is_out_of_patience(provider: Provider) -> bool:
    return Provider.objects.filter(pk=provider.pk, consecutive_failures__gte=PATIENCE).exists()


def _rest(provider: Provider, until: datetime, error: LlmError) -> None:
    Provider.objects.filter(pk=provider.pk).update(skipped_until=until, skip_reason=str(error)[:200])
