"""The preview of rows about users: who a key names, and what the action would change in them."""

from typing import Any
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.action import Action
from console.actions.shown import ALWAYS, is_shown, shown_of
from console.audit.entries import storable
from console.jobs import people, still_inactive
from console.jobs.group_members import GroupMembers
from console.jobs.listed import KeyKind
from console.jobs.plan_action import action_of
from console.jobs.row_inputs import Preparation
from console.models import Job, JobRow
from console.perform import guards
from console.protection import judge
from pingone_integration import schemas
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import MissingPermission, NotFound
from pingone_integration.schemas import Attribute
from pingone_integration.texts import Text, english
from pingone_integration.user_search import literal
from pingone_integration.users import User

Verdict = JobRow.Verdict

NOBODY = _("PingOne has no user with this key, or you may not see them.")
_SEVERAL = _("{count} users have this key.")
_NO_KEY = _("The row has no key.")
_ELSEWHERE = _("You cannot put users into this population.")


class Looking:
    """A look at rows as they would run with this action on the users whom their keys name."""

    def __init__(self, access: OrgAccess, job: Job, action: Action) -> None:
        self.access, self.job, self.action = access, job, action
        self.api: PingOneApi = access.pingone()
        self.inactive_before = still_inactive.before_of(job)
        attributes = _attributes(self.api) if self.action.form.looks_at_schema else ()
        listed = action_of(job).form.base_fields
        self.preparation = Preparation(
            access=access,
            action=action,
            shared=job.inputs,
            attributes=attributes,
            ignored=frozenset(listed) - action.form.base_fields.keys(),
        )

    def at(self, rows: list[JobRow]) -> None:
        """Give each row its verdict."""
        readable = [row for row in rows if not self._is_unreadable(row)]
        self._at(readable)

    def _is_unreadable(self, row: JobRow) -> bool:
        if row.problem:
            decide(row, Verdict.INVALID, row.problem)
        elif self.action.needs_user and not row.key.strip() and row.user_id is None:
            decide(row, Verdict.INVALID, _NO_KEY)
        return bool(row.verdict)

    def _at(self, rows: list[JobRow]) -> None:
        found = self.users_of(rows)
        known = [(row, found[row.key]) for row in rows]
        for row, users in known:
            if len(users) != 1:
                row.same_as = [person_of(user) for user in users]
                told = format_lazy(_SEVERAL, count=len(users)) if users else NOBODY
                decide(row, Verdict.AMBIGUOUS if users else Verdict.NOT_FOUND, told)
        single = self._still_fitting([(row, users[0]) for row, users in known if len(users) == 1])
        members = self._members([user for _row, user in single])
        for row, user in single:
            self.at_user(row, user, members)

    def users_of(self, rows: list[JobRow]) -> dict[str, tuple[User, ...]]:
        """Return the users whom the keys of the rows name, asked for many to a call."""
        kind, usernames = KeyKind(self.job.key_kind), {row.key: row.label for row in rows if row.label}
        return people.with_keys(self.access, self.api, kind, [row.key for row in rows], usernames=usernames)

    def _still_fitting(self, found: list[tuple[JobRow, User]]) -> list[tuple[JobRow, User]]:
        """Leave out who was active since the crawl, if the job is about inactive users."""
        if self.inactive_before is None:
            return found
        active = still_inactive.active_again(self.access.org, [user for _row, user in found], self.inactive_before)
        for row, user in found:
            if user.id in active:
                self.name(row, user)
                decide(row, Verdict.CONFLICT, still_inactive.ACTIVE_AGAIN)
        return [(row, user) for row, user in found if user.id not in active]

    def at_user(self, row: JobRow, user: User, members: GroupMembers | None = None) -> None:
        """Decide on a row about this user."""
        prepared = self.preparation.of(row, user)
        if prepared.verdict:
            self.name(row, user)
            decide(row, prepared.verdict, prepared.detail)
            return
        self.decide_on(row, user, prepared.inputs, members)

    def decide_on(self, row: JobRow, user: User, inputs: dict[str, Any], members: GroupMembers | None) -> None:
        self.name(row, user)
        if refusal := self.refusal(inputs):
            decide(row, Verdict.NOT_ALLOWED, refusal)
            return
        changes = self._changes(user, inputs, members)
        always = ALWAYS if self.inactive_before is None else (*ALWAYS, *still_inactive.SHOWN)
        row.inputs = storable(inputs)
        row.shown = {
            "changes": changes,
            "about": storable(shown_of(user, [*always, *(name for name in changes if self._is_of_user(name, inputs))])),
        }
        if all(old == new for old, new in changes.values()) and changes:
            decide(row, Verdict.NO_CHANGE)
        elif why := self._protection(user, inputs):
            decide(row, Verdict.PROTECTED, why)
        else:
            decide(row, Verdict.CHANGE)

    @staticmethod
    def name(row: JobRow, user: User) -> None:
        row.user_id, row.label, row.full_name = user.id, user.username, user.name.whole
        row.population_id = user.population_id

    def _is_of_user(self, name: str, inputs: dict[str, Any]) -> bool:
        return is_shown(name) or name in inputs.get("changes", {})

    def _changes(self, user: User, inputs: dict[str, Any], members: GroupMembers | None) -> dict[str, list[Any]]:
        """Return the values that would change, old and new. What a list of users does not show is left out."""
        expected: dict[str, Any] = storable(self.action.expected(inputs)) or {}
        old = storable(shown_of(user, [name for name in expected if self._is_of_user(name, inputs)]))
        if "direct_member" in expected and members is not None:
            old["direct_member"] = members.has_directly(user)
        if "password" in expected and user.password_status:
            old["password"] = user.password_status
        return {name: [old[name], new] for name, new in expected.items() if name in old}

    def _members(self, users: list[User]) -> GroupMembers | None:
        group_id = self.preparation.shared.get("group_id")
        if "group_id" not in self.action.form.base_fields or not group_id or not users:
            return None
        terms = [("username", user.username) for user in users]
        within = f"memberOfGroups[id eq {literal(str(group_id))}]"
        found = people.matching(self.access, self.api, terms, within=within)
        return GroupMembers(
            api=self.api,
            group_id=UUID(str(group_id)),
            ids=frozenset(user.id for some in found.values() for user in some),
        )

    def _protection(self, user: User, inputs: dict[str, Any]) -> Text:
        affected = self.action.affected(user.id, inputs)
        found = None if affected.is_nothing else judge.protection_of(self.access.org, self.api, affected, user)
        return found.sentence if found else ""

    def refusal(self, inputs: dict[str, Any]) -> Text:
        """Return why this operator may not do it, as far as it can be said without a start."""
        population_id = inputs.get("population_id")
        if population_id and not self.access.sees_population(population_id):
            return _ELSEWHERE
        if "population_id" in inputs and population_id is None and self.access.is_narrowed:
            return _ELSEWHERE
        return guards.lock_down_refusal(self.access, gives_access=self.action.gives_access(inputs))


def _attributes(api: PingOneApi) -> tuple[Attribute, ...]:
    """Return the environment's own attributes, none if PingOne does not show them: the others are known anyway."""
    try:
        return schemas.user_attributes(api)
    except (MissingPermission, NotFound):
        return ()


def person_of(user: User) -> dict[str, str]:
    return {"id": str(user.id), "username": user.username, "name": user.name.whole, "email": user.email}


def decide(row: JobRow, verdict: JobRow.Verdict, detail: Text = "") -> None:
    row.verdict, row.detail = verdict, english(detail)
