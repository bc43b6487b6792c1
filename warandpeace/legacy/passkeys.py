"""Passkeys of people who are known here: the old file names them, and makes no accounts."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from django_otp_webauthn.models import WebAuthnCredential

from warandpeace.legacy import clocks
from warandpeace.legacy.stream import New, RowStream
from warandpeace.legacy.values import Old, key, number, text
from warandpeace.transfer.errors import Unfit
from warandpeace.transfer.jsonb import parse_json
from warandpeace.transfer.tables import Table

PASSKEY = Table(WebAuthnCredential)


class Passkeys(RowStream):
    name = "webauthn_credential"
    main = PASSKEY
    targets = (PASSKEY,)
    old_columns = (
        "id",
        "user_id",
        "credential_id",
        "public_key",
        "sign_count",
        "transports",
        "aaguid",
        "created_at",
        "last_used_at",
    )

    def convert(self, old: Old) -> New:
        name, created = text(old, "user_id"), clocks.moment(old["created_at"], "created_at")
        if name not in self.setting.users:
            raise Unfit(f"nobody here has the user name {name!r}: make that account, then run the transfer again")
        if not isinstance(old["credential_id"], bytes) or not isinstance(old["public_key"], bytes):
            raise Unfit("credential_id or public_key is no sequence of bytes")
        transports = parse_json(text(old, "transports") or "[]")
        values = {
            "id": key(old),
            "user_id": self.setting.users[name],
            "name": "Passkey",
            "confirmed": True,
            "credential_id": old["credential_id"],
            "credential_id_sha256": sha256(old["credential_id"]).hexdigest(),
            "public_key": old["public_key"],
            "sign_count": number(old, "sign_count"),
            "transports": transports if isinstance(transports, list) else [],
            "aaguid": _aaguid(text(old, "aaguid")),
            "created_at": created,
            "last_used_at": clocks.moment(old["last_used_at"], "last_used_at") if old["last_used_at"] else None,
        }
        return [(PASSKEY, PASSKEY.row(values))]


def _aaguid(written: str) -> str:
    try:
        return str(UUID(written)) if written else str(UUID(int=0))
    except ValueError:
        raise Unfit("aaguid is no UUID") from None
