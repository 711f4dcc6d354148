"""`manage.py rotate_credentials`: pingone_integration's command, extended to operators' second factors."""

from collections.abc import Callable, Iterator
from functools import partial

from allauth.mfa.models import Authenticator

from console.operators.accounts import SECOND_FACTORS
from pingone_integration.management.commands import rotate_credentials
from pingone_integration.sealing import reseal

_SEALED = ("secret",)  # of an authenticator app; of recovery codes there are hashes


class Command(rotate_credentials.Command):
    remedy = (
        f"{rotate_credentials.PUT_BACK}. If the key is lost, an org admin enters the client secret and connects again, "
        "and operators set up their second factor again."
    )

    def sealed(self) -> Iterator[tuple[str, Callable[[], int]]]:
        yield from super().sealed()
        for authenticator in Authenticator.objects.select_related("user"):
            if any(key in authenticator.data for key in _SEALED):
                yield (
                    f"Second factor of {authenticator.user.email}: {authenticator.type}",
                    partial(_reseal, authenticator.pk),
                )


def _reseal(pk: int) -> int:
    """Reseal one authenticator. Return 1, or 0 if it is gone. Raises SealBroken.

    The update depends on the data it read (optimistic locking), so that no change is undone.
    """
    rows = Authenticator.objects.filter(pk=pk)
    while authenticator := rows.first():
        read = authenticator.data
        fresh = {key: reseal(SECOND_FACTORS, value) if key in _SEALED else value for key, value in read.items()}
        if rows.filter(data=read).update(data=fresh):
            return 1
    return 0
