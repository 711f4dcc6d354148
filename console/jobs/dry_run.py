"""The preview of a job (dry run): row by row what would happen, without a write.

It goes on where it ended: a row without a verdict has not been looked at.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.action import Action
from console.actions.catalogue import BY_KEY
from console.actions.effect import shows
from console.actions.shown import ALWAYS, is_shown, shown_of
from console.audit.entries import storable
from console.jobs import people, repeats, still_inactive
from console.jobs.group_members import GroupMembers
from console.jobs.known_people import KnownPeople, known_people
from console.jobs.listed import KeyKind
from console.jobs.plan_action import action_of
from console.jobs.row_inputs import Preparation
from console.models import AuditEntry, Job, JobRow
from console.perform import guards, undo
from console.protection import judge
from pingone_integration import schemas
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import MissingPermission, NotFound
from pingone_integration.schemas import Attribute
from pingone_integration.texts import Text, english
from pingone_integration.user_search import literal
from pingone_integration.users import User

AT_ONCE = 100  # rows
Verdict = JobRow.Verdict

_NOBODY = _("PingOne has no user with this key, or you may not see them.")
_SEVERAL = _("{count} users have this key.")
_NO_KEY = _("The row has no key.")
_TAKEN = _("The username is taken by {user}.")
_SAME = _("Perhaps the same person: {users}.")
_NO_ENTRY = _("The values before it are not on record.")
_CHANGED_SINCE = _("The user has changed since then.")
_ELSEWHERE = _("You cannot put users into this population.")
SAVED = ("user_id", "label", "full_name", "population_id", "verdict", "shown", "same_as", "detail", "inputs")


def run(looking: "Looking", job: Job, goes_on: Callable[[], bool]) -> bool:
    """Look at the rows that have no verdict yet. Return False if `goes_on` said to stop before the end.

    Raises PingOneErrors: what was looked at is stored.
    """
    while rows := list(job.rows.filter(verdict="").order_by("number")[:AT_ONCE]):
        if not goes_on():
            return False
        looking.at(rows)
        JobRow.objects.bulk_update(rows, SAVED)
    repeats.mark(job)
    return True


class Looking:
    """A look at rows as they would run with this action."""

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
        readable = [row for row in rows if not self._is_unreadable(row)]
        if self.job.undoes_id or self.job.source == Job.Source.UNDO:
            self._at_undone(readable)
        elif self.action.needs_user:
            self._at_users(readable)
        else:
            self._at_new_users(readable)

    def _is_unreadable(self, row: JobRow) -> bool:
        if row.problem:
            _decide(row, Verdict.INVALID, row.problem)
        elif self.action.needs_user and not row.key.strip() and row.user_id is None:
            _decide(row, Verdict.INVALID, _NO_KEY)
        return bool(row.verdict)

    def _at_users(self, rows: list[JobRow]) -> None:
        kind, beside = KeyKind(self.job.key_kind), {row.key: row.label for row in rows if row.label}
        found = people.with_keys(self.access, self.api, kind, [row.key for row in rows], usernames=beside)
        known = [(row, found[row.key]) for row in rows]
        for row, users in known:
            if len(users) != 1:
                row.same_as = [_person(user) for user in users]
                told = format_lazy(_SEVERAL, count=len(users)) if users else _NOBODY
                _decide(row, Verdict.AMBIGUOUS if users else Verdict.NOT_FOUND, told)
        single = self._still_fitting([(row, users[0]) for row, users in known if len(users) == 1])
        members = self._members([user for _row, user in single])
        for row, user in single:
            self.at_user(row, user, members)

    def _still_fitting(self, found: list[tuple[JobRow, User]]) -> list[tuple[JobRow, User]]:
        """Leave out who was active since the crawl, if the job is about inactive users."""
        if self.inactive_before is None:
            return found
        active = still_inactive.active_again(self.access.org, [user for _row, user in found], self.inactive_before)
        for row, user in found:
            if user.id in active:
                self._name(row, user)
                _decide(row, Verdict.CONFLICT, still_inactive.ACTIVE_AGAIN)
        return [(row, user) for row, user in found if user.id not in active]

    def at_user(self, row: JobRow, user: User, members: GroupMembers | None = None) -> None:
        """Decide on a row about this user."""
        prepared = self.preparation.of(row, user)
        if prepared.verdict:
            self._name(row, user)
            _decide(row, prepared.verdict, prepared.detail)
            return
        self._at_user(row, user, prepared.inputs, members)

    def _at_user(self, row: JobRow, user: User, inputs: dict[str, Any], members: GroupMembers | None) -> None:
        self._name(row, user)
        if refusal := self._refusal(inputs):
            _decide(row, Verdict.NOT_ALLOWED, refusal)
            return
        changes = self._changes(user, inputs, members)
        always = ALWAYS if self.inactive_before is None else (*ALWAYS, *still_inactive.SHOWN)
        row.inputs = storable(inputs)
        row.shown = {
            "changes": changes,
            "about": storable(shown_of(user, [*always, *(name for name in changes if self._is_of_user(name, inputs))])),
        }
        if all(old == new for old, new in changes.values()) and changes:
            _decide(row, Verdict.NO_CHANGE)
        elif why := self._protection(user, inputs):
            _decide(row, Verdict.PROTECTED, why)
        else:
            _decide(row, Verdict.CHANGE)

    @staticmethod
    def _name(row: JobRow, user: User) -> None:
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

    def _at_undone(self, rows: list[JobRow]) -> None:
        """Look at the rows of a job that undoes another: each reverses an entry of the record."""
        entries = AuditEntry.objects.current().filter(
            organization=self.access.org, entry__in=[row.undone_entry for row in rows if row.undone_entry]
        )
        known = {entry.entry: entry for entry in entries}
        for row in rows:
            entry = known.get(row.undone_entry) if row.undone_entry else None
            problem = undo.problem_with_undo(entry) if entry else _NO_ENTRY
            found = people.with_keys(self.access, self.api, KeyKind.ID, [row.key])[row.key]
            if problem or entry is None:
                _decide(row, Verdict.INVALID, problem)
            elif not found:
                _decide(row, Verdict.NOT_FOUND, _NOBODY)
            else:
                self._at_entry(row, found[0], entry)

    def _at_entry(self, row: JobRow, user: User, entry: AuditEntry) -> None:
        undone = BY_KEY[entry.action]
        try:
            inputs = undone.undo.inputs(entry.before or {}, entry.inputs) if undone.undo else {}
        except (KeyError, TypeError, ValueError):
            _decide(row, Verdict.INVALID, _NO_ENTRY)
            return
        self._at_user(row, user, inputs, None)
        after = entry.after or {}
        own = [name for name in after if is_shown(name) or name in inputs.get("changes", {})]
        if row.verdict == Verdict.CHANGE and not shows({one: after[one] for one in own}, storable(shown_of(user, own))):
            _decide(row, Verdict.CONFLICT, _CHANGED_SINCE)

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

    def _refusal(self, inputs: dict[str, Any]) -> Text:
        """Return why this operator may not do it, as far as it can be said without a start."""
        population_id = inputs.get("population_id")
        if population_id and not self.access.sees_population(population_id):
            return _ELSEWHERE
        if "population_id" in inputs and population_id is None and self.access.is_narrowed:
            return _ELSEWHERE
        return guards.lock_down_refusal(self.access, gives_access=self.action.gives_access(inputs))

    def _at_new_users(self, rows: list[JobRow]) -> None:
        prepared = [(row, self.preparation.of(row, None)) for row in rows]
        for row, one in prepared:
            if one.verdict:
                _decide(row, one.verdict, one.detail)
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
        if refusal := self._refusal(inputs):
            _decide(row, Verdict.NOT_ALLOWED, refusal)
            return
        same = known.perhaps(profile)
        row.same_as = [_person(user) for user in same]
        if taken := known.with_username(profile):
            _decide(row, Verdict.CONFLICT, format_lazy(_TAKEN, user=taken.username))
        elif same:
            names = ", ".join(user.username for user in same)
            _decide(row, Verdict.SAME_PERSON, format_lazy(_SAME, users=names))
        else:
            _decide(row, Verdict.CREATE)


def _attributes(api: PingOneApi) -> tuple[Attribute, ...]:
    """Return the environment's own attributes, none if PingOne does not show them: the others are known anyway."""
    try:
        return schemas.user_attributes(api)
    except (MissingPermission, NotFound):
        return ()


def _show_new_user(row: JobRow, inputs: dict[str, Any]) -> None:
    profile = inputs["profile"]
    row.label, row.inputs = profile["username"], storable(inputs)
    row.full_name = " ".join(filter(None, [profile.get("given_name"), profile.get("family_name")]))
    row.population_id = inputs["population_id"]
    row.shown = {"changes": {name: ["", value] for name, value in storable(profile).items()}, "about": {}}


def _person(user: User) -> dict[str, str]:
    return {"id": str(user.id), "username": user.username, "name": user.name.whole, "email": user.email}


def _decide(row: JobRow, verdict: JobRow.Verdict, detail: Text = "") -> None:
    row.verdict, row.detail = verdict, english(detail)
