"""Recovery codes of operators, kept as hashes: whoever has the database and all keys learns none of them.

allauth derives its codes from a sealed seed. This class stands in place of its own (console/apps.py). The plain codes
are shown once, on the page that follows: until then they wait sealed in the browser session.
"""

import secrets
from base64 import b64encode
from hashlib import pbkdf2_hmac
from typing import Any

from allauth.core import context
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.conf import settings
from django.db import transaction

from console.operators.accounts import SECOND_FACTORS
from console.session_slot import SessionSlot
from pingone_integration.errors import SealBroken
from pingone_integration.sealing import seal, unseal

Json = dict[str, Any]


class HashedRecoveryCodes(RecoveryCodes):  # type: ignore[misc]
    """The codes of one operator. `data["hashes"]` has one for each, and "" in place of a used one."""

    def __init__(self, instance: Authenticator) -> None:
        super().__init__(instance)
        self.instance: Authenticator = instance
        self._plain: list[str] = []  # only where they were just made, or are shown

    @classmethod
    def activate(cls, user: Any) -> "HashedRecoveryCodes":
        if kept := Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first():
            return cls(kept)
        digits = app_settings.RECOVERY_CODE_DIGITS
        plain = [f"{secrets.randbelow(10**digits):0{digits}}" for _ in range(app_settings.RECOVERY_CODE_COUNT)]
        made = cls(
            Authenticator.objects.create(
                user=user, type=Authenticator.Type.RECOVERY_CODES, data=hashed(dict.fromkeys(plain, True))
            )
        )
        made._plain = plain
        if slot := _slot():
            slot.set(seal(SECOND_FACTORS, " ".join(plain)))
        return made

    def generate_codes(self) -> list[str]:
        """Return one text for each code, used ones too. Only a code that was just made is told."""
        return self._plain or ["" for _one in self._data["hashes"]]

    def get_unused_codes(self) -> list[str]:
        return self._plain or ["" for one in self._data["hashes"] if one]

    @property
    def did_view(self) -> bool:
        """Return whether there is nothing to show any more: it is shown once, in the browser where it was made."""
        slot = _slot()
        return slot is None or not slot.get()

    def mark_as_viewed(self) -> None:
        slot = _slot()
        try:
            self._plain = unseal(SECOND_FACTORS, slot.pop()).split() if slot else []
        except SealBroken:
            self._plain = []  # of a key that is gone

    @transaction.atomic
    def validate_code(self, code: str) -> bool:
        """Use up the code, once: also of several requests at once."""
        self.instance = Authenticator.objects.select_for_update().get(pk=self.instance.pk)
        data = self._data
        tried = _hash("".join(code.split()), data["salt"], data["rounds"])
        hashes = data["hashes"]
        found = [secrets.compare_digest(one, tried) for one in hashes]
        if not any(found):
            return False
        left = ["" if is_it else one for one, is_it in zip(hashes, found, strict=True)]
        self.instance.data = data | {"hashes": left}
        self.instance.save(update_fields=["data"])
        return True

    @property
    def _data(self) -> Json:
        """Return the hashes, also of codes that the version before made while it still ran."""
        return converted(self.instance.data)


def converted(data: Json) -> Json:
    """Return what allauth keeps, with hashes in place of a seed. Of a seed that cannot be opened, no code is left."""
    if "hashes" in data:
        return data
    derived = RecoveryCodes(Authenticator(data=data))
    try:
        plain, unused = derived.generate_codes(), set(derived.get_unused_codes())
    except SealBroken:
        return hashed({})
    return hashed({code: code in unused for code in plain})


def hashed(codes: dict[str, bool]) -> Json:
    """Return what is kept of these codes: a hash of each that is unused.

    One salt for one operator: a code that is typed has to be hashed once, and not once for each that is left.
    `migrated_codes` tells the version before, which may still run, that there are none: it would look for a seed.
    """
    salt, rounds = secrets.token_hex(16), settings.RECOVERY_CODE_ROUNDS
    hashes = [_hash(code, salt, rounds) if is_unused else "" for code, is_unused in codes.items()]
    return {"hashes": hashes, "salt": salt, "rounds": rounds, "migrated_codes": []}


def _hash(code: str, salt: str, rounds: int) -> str:
    return b64encode(pbkdf2_hmac("sha512", code.encode(), bytes.fromhex(salt), rounds)).decode()


def _slot() -> SessionSlot | None:
    return SessionSlot(context.request.session, "recovery-codes") if context.request else None
