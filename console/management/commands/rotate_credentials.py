"""`manage.py rotate_credentials`: what pingone_integration's command does, for operators' second factors as well."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management import CommandError

from console.accounts import SECOND_FACTORS
from pingone_integration.errors import SealBroken
from pingone_integration.management.commands import rotate_credentials
from pingone_integration.sealing import reseal

_SEALED = ("secret", "seed")  # of an authenticator app, of recovery codes


class Command(rotate_credentials.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = []
        for pk in Authenticator.objects.values_list("pk", flat=True):
            try:
                _reseal(pk)
            except SealBroken:
                unreadable.append(pk)
        super().handle(*args, **options)
        if unreadable:
            raise CommandError(f"Second factors that cannot be opened with any of CREDENTIAL_KEYS: {unreadable}")


def _reseal(pk: int) -> None:
    """Raises SealBroken. Conditional on what it read, so that it gives no used recovery code back."""
    rows = Authenticator.objects.filter(pk=pk)
    while authenticator := rows.first():
        read = authenticator.data
        fresh = {key: reseal(SECOND_FACTORS, value) if key in _SEALED else value for key, value in read.items()}
        if rows.filter(data=read).update(data=fresh):
            return
