"""`manage.py rotate_credentials`: every stored secret sealed with the newest key, so that older keys can go."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management import BaseCommand, CommandError
from django.db.models import QuerySet

from pingone_integration.errors import SealBroken
from pingone_integration.models import HoldsSecrets
from pingone_integration.sealing import reseal


class Command(BaseCommand):
    help = (
        "Seal every stored secret with the first of CREDENTIAL_KEYS. Put the new key in front of the old ones, restart "
        "the servers, run this, then remove the old keys. Safe while the servers run; may be repeated."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        resealed, unreadable = 0, []
        for model, column in _sealed_columns():
            for pk in QuerySet(model).exclude(**{column: ""}).values_list("pk", flat=True):
                try:
                    resealed += _reseal(model, pk, column)
                except SealBroken:
                    unreadable.append(f"{model.__name__} {pk}: {column}")
        self.stdout.write(f"{resealed} secrets are sealed with the newest key.")
        if unreadable:
            listed = "\n".join(f"  {one}" for one in unreadable)
            raise CommandError(f"{len(unreadable)} cannot be opened with any of CREDENTIAL_KEYS:\n{listed}")


def _sealed_columns() -> Iterator[tuple[type[HoldsSecrets], str]]:
    for model in apps.get_models():
        if issubclass(model, HoldsSecrets):
            for column in model.secret_columns():
                yield model, column


def _reseal(model: type[HoldsSecrets], pk: Any, column: str) -> int:
    """1 when the secret is sealed anew, 0 when it is gone. Raises SealBroken.

    Conditional on the value it read, so that it never puts an old token back over one that a refresh has just stored.
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
