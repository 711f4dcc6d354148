"""`manage.py rotate_credentials`: key rotation. Seals every stored secret with the newest key."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.apps import apps
from django.core.management import BaseCommand, CommandError
from django.db.models import QuerySet

from pingone_integration.errors import SealBroken
from pingone_integration.models import HoldsSecrets
from pingone_integration.sealing import reseal
from pingone_integration.texts import english

PUT_BACK = "Put the key they were sealed with back into CREDENTIAL_KEYS and run this again"


class Command(BaseCommand):
    remedy = f"{PUT_BACK}. If the key is lost, enter the client secret again and connect again."
    help = (
        "Encrypt every stored secret with the first of CREDENTIAL_KEYS. Put the new key before the old ones, restart "
        "the servers, run this, then remove the old keys. Safe while the servers run, and safe to repeat."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        resealed, unreadable = 0, []
        for what, reseal_it in self.sealed():
            try:
                resealed += reseal_it()
            except SealBroken as error:
                unreadable.append(f"  {what}: {english(error.cause)}")
        self.stdout.write(f"Secrets sealed with the newest key: {resealed}")
        if unreadable:
            raise CommandError(
                "\n".join([f"Secrets that cannot be opened, not changed: {len(unreadable)}", *unreadable, self.remedy])
            )

    def sealed(self) -> Iterator[tuple[str, Callable[[], int]]]:
        """Yield name and reseal function of each sealed secret; the function returns the number of secrets."""
        for model, column in _sealed_columns():
            for pk in QuerySet(model).exclude(**{column: ""}).values_list("pk", flat=True):
                yield f"{model.__name__} {pk}: {column}", partial(_reseal, model, pk, column)


def _sealed_columns() -> Iterator[tuple[type[HoldsSecrets], str]]:
    for model in apps.get_models():
        if issubclass(model, HoldsSecrets):
            for column in model.secret_columns():
                yield model, column


def _reseal(model: type[HoldsSecrets], pk: Any, column: str) -> int:
    """Seal the secret again; return 1, or 0 if it is gone. Raises SealBroken.

    Optimistic locking: writes only over the value that it read, never over a token that a refresh has just stored.
    """
    rows: QuerySet[HoldsSecrets] = QuerySet(model)
    while row := rows.filter(pk=pk).first():
        sealed = getattr(row, column)
        if not sealed:
            return 0
        fresh = reseal(row.place_of(column.removeprefix("sealed_")), sealed)
        if rows.filter(pk=pk, **{column: sealed}).update(**{column: fresh}):
            return 1
    return 0
