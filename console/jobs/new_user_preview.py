"""The preview of rows about new users: whether they can be created, and who is perhaps the same person."""

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.audit.entries import storable
from console.jobs.known_people import KnownPeople, known_people
from console.jobs.user_preview import Looking, decide, person_of
from console.models import JobRow

Verdict = JobRow.Verdict

_TAKEN = _("The username is taken by {user}.")
_SAME = _("Perhaps the same person: {users}.")


class LookingAtNewUsers(Looking):
    """A look at rows as they would create users. No row names somebody who is there already."""

    def _at(self, rows: list[JobRow]) -> None:
        prepared = [(row, self.preparation.of(row, None)) for row in rows]
        for row, one in prepared:
            if one.verdict:
                decide(row, one.verdict, one.detail)
        left = [(row, one.inputs) for row, one in prepared if not one.verdict]
        known = known_people(self.access, self.api, [inputs["profile"] for _row, inputs in left])
        for row, inputs in left:
            self._at_new_user(row, inputs, known)

    def again_as_new(self, row: JobRow) -> None:
        """Show a row as a new user again, which was decided to be an update of somebody."""
        row.user_id = None
        _show_new_user(row, self.preparation.of(row, None).inputs)

    def _at_new_user(self, row: JobRow, inputs: dict[str, Any], known: KnownPeople) -> None:
        profile = inputs["profile"]
        _show_new_user(row, inputs)
        if refusal := self.refusal(inputs):
            decide(row, Verdict.NOT_ALLOWED, refusal)
            return
        same = known.perhaps(profile)
        row.same_as = [person_of(user) for user in same]
        if taken := known.with_username(profile):
            decide(row, Verdict.CONFLICT, format_lazy(_TAKEN, user=taken.username))
        elif same:
            names = ", ".join(user.username for user in same)
            decide(row, Verdict.SAME_PERSON, format_lazy(_SAME, users=names))
        else:
            decide(row, Verdict.CREATE)


def _show_new_user(row: JobRow, inputs: dict[str, Any]) -> None:
    profile = inputs["profile"]
    row.label, row.inputs = profile["username"], storable(inputs)
    row.full_name = " ".join(filter(None, [profile.get("given_name"), profile.get("family_name")]))
    row.population_id = inputs["population_id"]
    row.shown = {"changes": {name: ["", value] for name, value in storable(profile).items()}, "about": {}}
