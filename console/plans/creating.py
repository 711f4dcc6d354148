"""The first step of a plan that creates its person: once, also if a worker is killed or PingOne does not answer.

What may have happened is looked up by the username: it has to be the user whom this run creates, and no older than the
run's first try. Anybody else with the username is left alone.
"""

from datetime import timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.actions.outcome import Failed
from console.actions.profile_forms import profile_values
from console.audit import entries
from console.audit.entries import Outcome, Subject, storable
from console.models import AuditEntry, PlanRun, PlanRunStep
from console.perform.user_operation import perform
from console.plans import own_password
from console.plans.ahead import PASSWORD
from console.plans.definition import ActionStep
from console.plans.doing import MOST_ROUNDS, TRANSIENT, MayNot, TryLater, access_for, begun, circumstances_of, words_of
from console.plans.held import Held
from console.plans.person import as_left
from console.plans.targets import Target
from console.protection.facts import folded
from pingone_integration import users
from pingone_integration.errors import Duplicate, NotFound
from pingone_integration.texts import Text, english
from pingone_integration.user_search import literal
from pingone_integration.users import User

IN_FLIGHT = timedelta(seconds=50)  # a request of a killed worker has ended by then
FOUND_AFTER = timedelta(seconds=5)  # PingOne's search finds a new user a little later
CLOCKS = timedelta(minutes=1)  # by which PingOne's may differ from ours

State = PlanRunStep.State

_COMPARED = ("email", "given_name", "family_name")
_FOUND = _("The user was looked up: they were created.")
_NOT_CREATED = _("The user was looked up: they were not created.")
_TAKEN = _("Someone else has the username.")
_ANOTHER = _("Another plan runs for this user.")


class Creation:
    """The step that creates the person of a run, as one worker holds it."""

    def __init__(self, held: Held, row: PlanRunStep, step: ActionStep) -> None:
        self.held, self.run, self.row, self.action = held, held.run, row, step.of_catalogue

    def go_on(self) -> timedelta | None:
        """Create the person, or settle what was begun. Return how long to wait for the next look; None: it is settled.

        Raises TryLater and MayNot.
        """
        access_for(self.run, self.action)
        if self.row.targets is None:
            since = self.row.reached_at or timezone.now()  # that of the first try, also when it is tried again
            begins = [{"inputs": {}, "name": ""}]
            self.held.store(self.row, state=State.STARTED, reached_at=since, targets=begins)
        while self._tries < MOST_ROUNDS:
            submission = self.row.submission(f"create {self._tries}")
            entry = begun(self.run, submission) or self._try(submission)
            pause = self._settle(AuditEntry.objects.current().get(entry=entry.entry)) if entry else timedelta()
            if pause is not None:
                return pause or None
        self._ends(State.FAILED, _NOT_CREATED)
        return None

    @property
    def _target(self) -> Target:
        target: Target = (self.row.targets or [{}])[0]
        return target

    @property
    def _tries(self) -> int:
        return int(self._target.get("again", 0))

    def _try(self, submission: UUID) -> AuditEntry | None:
        """Ask PingOne to create them. Return the entry; None: it has an end already. Raises TryLater and MayNot."""
        inputs = self.action.inputs_on_record(self.run.choices["1"])
        access = access_for(self.run, self.action)
        try:
            result = perform(access, self.action, None, inputs, circumstances_of(self.run, submission))
        except (PermissionDenied, Http404):  # taken away just now
            raise MayNot from None
        if isinstance(result, Failed) and isinstance(result.error, TRANSIENT):
            self._next_try()
            raise TryLater
        if result.entry is None or result.entry.outcome == Outcome.REFUSED:
            self._ends(State.REFUSED, words_of(result), result.entry)
            return None
        return result.entry

    def _settle(self, entry: AuditEntry) -> timedelta | None:
        """Settle one try. Return how long to wait; zero: it has an end; None: it has not happened. Raises TryLater."""
        if entry.outcome == Outcome.SUCCEEDED:
            self._adopt(entry, self._read(UUID(entry.subject_id)))
            return timedelta()
        if entry.outcome in {Outcome.STARTED, Outcome.UNKNOWN}:
            return self._settle_open(entry)
        found = self._looked_up() if self.row.attempt or self._tries else None
        if found and self._is_ours(found):  # an earlier try, which the search did not show at that time
            self._adopt(entry, found)
        else:
            why = _TAKEN if entry.error_kind == Duplicate.kind else entry.note or _NOT_CREATED
            self._ends(State.FAILED, why, entry)
        return timedelta()

    def _settle_open(self, entry: AuditEntry) -> timedelta | None:
        in_flight = entry.started_at + IN_FLIGHT - timezone.now()
        if entry.outcome == Outcome.STARTED and in_flight > timedelta():
            return in_flight
        found = self._looked_up()
        if found is None and not self._target.get("looked"):
            self._target["looked"] = True
            self.held.store(self.row, targets=self.row.targets)
            return FOUND_AFTER
        with transaction.atomic():  # the entry has its end, and the run knows of it, or neither
            if found and self._is_ours(found):
                named = storable({"username": found.username})
                about = _about(found)
                entry = entries.close(entry, Outcome.SUCCEEDED, subject=about, after=named, note=_FOUND, durable=False)
                self._adopt(entry, found)
                return timedelta()
            entries.close(entry, Outcome.FAILED, note=_TAKEN if found else _NOT_CREATED, durable=False)
            if found:
                self._ends(State.FAILED, _TAKEN, entry)
                return timedelta()
            self._next_try()
            return None

    def _next_try(self) -> None:
        self._target["again"] = self._tries + 1
        self._target.pop("looked", None)
        self.held.store(self.row, targets=self.row.targets)

    def _looked_up(self) -> User | None:
        username = self.run.person_name
        page = self.held.asked(lambda: users.search(self.held.api, filter=f"username eq {literal(username)}"))
        return next((one for one in page.items if folded(one.username) == folded(username)), None)

    def _is_ours(self, found: User) -> bool:
        """Return whether this run created the user: not before its first try, and with the name and email typed."""
        since = self.row.reached_at
        if found.created_at is None or since is None or found.created_at < since - CLOCKS:
            return False
        typed, theirs = self.run.choices["1"]["profile"], profile_values(found)
        return all(folded(str(typed.get(name) or "")) == folded(theirs[name]) for name in _COMPARED)

    def _adopt(self, entry: AuditEntry, user: User | None) -> None:
        """Go on with the person who was created. `user` None: gone again.

        Where they cannot choose a password by themselves, the run waits for somebody who gives them one.
        """
        self._target.pop("looked", None)
        about = _about(user) if user else None
        changes: dict[str, object] = {
            "person_id": about.id if about else UUID(entry.subject_id),
            "person_name": about.name if about else entry.subject_name,
            "person_full_name": about.full_name if about else entry.subject_full_name,
        }
        if user:
            changes |= {"population_id": user.population_id, "as_left": as_left(user)}
            if own_password.obstacle(self.run.organization, user):
                changes["choices"] = self.run.choices | {PASSWORD: {"given": "on"}}
        try:
            with transaction.atomic():
                self.held.change(**changes)
                self._ends(State.DONE, "", entry)
        except IntegrityError:
            self.held.stop(PlanRun.Stop.FAILED, _ANOTHER)

    def _read(self, user_id: UUID) -> User | None:
        try:
            return self.held.asked(lambda: users.get(self.held.api, user_id))
        except NotFound:
            return None

    def _ends(self, state: PlanRunStep.State, why: Text, entry: AuditEntry | None = None) -> None:
        of_entry = {"entry": str(entry.entry)} if entry else {}
        self._target.update({"state": str(state), "detail": english(why)} | of_entry)
        self.held.store(self.row, state=state, detail=english(why), targets=self.row.targets)


def _about(user: User) -> Subject:
    return Subject(
        kind=AuditEntry.Subject.USER,
        id=user.id,
        name=user.username,
        full_name=user.name.whole,
        email=user.email,
        population_id=user.population_id,
    )
