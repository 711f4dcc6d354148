"""allauth's form to set up an authenticator app. Until the app is set up, its secret waits sealed in the session."""

from contextlib import suppress
from typing import Any

from allauth.core import context
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY

from console.operators.accounts import SECOND_FACTORS
from console.operators.sign_in_forms import ActivateTOTPForm
from console.session_slot import SessionSlot
from pingone_integration.errors import SealBroken
from pingone_integration.sealing import seal, unseal


class ActivateForm(ActivateTOTPForm):
    def __init__(self, *args: Any, **options: Any) -> None:
        """Open the secret while allauth reads or replaces it: the session is stored after the request."""
        slot = SessionSlot(context.request.session, SECRET_SESSION_KEY)
        if sealed := slot.pop():
            with suppress(SealBroken):  # its key is gone: allauth makes another secret
                slot.set(unseal(SECOND_FACTORS, sealed))
        super().__init__(*args, **options)
        slot.set(seal(SECOND_FACTORS, self.secret))
