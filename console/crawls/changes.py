"""Who came into a population or left it, for the rules: by comparing two crawls, and by the record at once.

What a plan or a rule does causes nothing more, so that no two of them go round in circles.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from console.models import AuditEntry, Crawl, CrawledUser, Organization, Rule, RuleEffect
from pingone_integration.users import User
from pingone_integration.values import identifier

CREATES, MOVES, DELETES = "user.create", "user.move", "user.delete"
SWITCHES = {"user.activate": True, "user.deactivate": False}
OF_THEMSELVES = frozenset({AuditEntry.Channel.PLAN, AuditEntry.Channel.RULE})
NEVER = timedelta(days=365 * 100)  # what waits for a rule that has stopped

_AT_ONCE = 500
_Outcome = AuditEntry.Outcome
_MAY_HAVE_HAPPENED = (_Outcome.STARTED, _Outcome.UNKNOWN)


def compare(crawl: Crawl, last: Crawl) -> None:
    """Write the effects of the rules for who came and who left between two crawls. A second time writes nothing."""
    rules = _rules(crawl.organization, crawl.population_id)
    if not rules:
        return
    for some in _only_in(crawl, last):
        arrived = [one for one in some if not _is_on_record(last, one.user_id)]
        _effects(rules, [(one.user_id, one.username) for one in arrived], gives=True, cause=f"crawl {crawl.pk}")
    if not any(rule.takes_back for rule in rules):
        return
    for some in _only_in(last, crawl):
        gone = [one for one in some if not _is_on_record(last, one.user_id)]
        _effects(rules, [(one.user_id, one.username) for one in gone], gives=False, cause=f"crawl {crawl.pk}")


def follow(entry: AuditEntry, user: User | None) -> None:
    """Note what an action of the console, recorded just now, changes of who is where: for the rules at once.

    A query or two for an action that creates, moves, switches or deletes a user, none for any other.
    """
    if entry.outcome != _Outcome.SUCCEEDED or entry.organization is None:
        return
    user_id = identifier(entry.subject_id)
    if user_id is None:
        return
    if entry.action in SWITCHES:
        _note_switch(entry.organization, user_id, is_on=SWITCHES[entry.action])
    if entry.action not in {CREATES, MOVES, DELETES}:
        return
    came, left = _way_of(entry)
    if left and left != came:
        _note_departure(entry.organization, user_id, left)
    if entry.action == DELETES or entry.channel in OF_THEMSELVES:
        return
    username = user.username if user else entry.subject_name
    for population_id, gives in ((came, True), (left, False)):
        if population_id and population_id != (left if gives else came):
            rules = _rules(entry.organization, population_id)
            _effects(rules, [(user_id, username)], gives=gives, cause=f"entry {entry.entry}")


def begin_with(rule: Rule, crawl: Crawl) -> None:
    """Write the effects of a rule for everybody who was there when it was switched on."""
    for some in _parts(crawl.users.all()):
        _effects([rule], [(one.user_id, one.username) for one in some], gives=True, cause=f"preview {crawl.pk}")


def revive(organization: Organization) -> None:
    """Let what waits for a rule that is on be done now: it may have been written while the rule was stopped."""
    waiting = RuleEffect.objects.filter(state=RuleEffect.State.WAITING, due_at__gt=timezone.now() + NEVER / 2)
    at_work = Rule.objects.filter(organization=organization, state=Rule.State.ON)
    waiting.filter(rule__in=list(at_work)).update(due_at=timezone.now())


def _rules(organization: Organization, population_id: UUID) -> list[Rule]:
    at_work = (Rule.State.ON, Rule.State.STOPPED)
    return list(Rule.objects.filter(organization=organization, population_id=population_id, state__in=at_work))


def _effects(rules: Iterable[Rule], people: Iterable[tuple[UUID, str]], *, gives: bool, cause: str) -> None:
    now = timezone.now()
    rows = [
        RuleEffect(
            rule=rule,
            user_id=user_id,
            username=username,
            gives=gives,
            cause=cause,
            due_at=now if rule.state == Rule.State.ON else now + NEVER,
            wanted_at=now,
        )
        for rule in rules
        if gives or rule.takes_back
        for user_id, username in people
    ]
    RuleEffect.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_AT_ONCE)


def _note_switch(organization: Organization, user_id: UUID, *, is_on: bool) -> None:
    changes: dict[str, object] = {"enabled": is_on} | ({"active_at": timezone.now()} if is_on else {})
    CrawledUser.objects.filter(user_id=user_id, crawl__organization=organization).update(**changes)


def _note_departure(organization: Organization, user_id: UUID, population_id: UUID) -> None:
    of_population = Crawl.objects.filter(organization=organization, population_id=population_id)
    CrawledUser.objects.filter(user_id=user_id, crawl__in=of_population).delete()


def _way_of(entry: AuditEntry) -> tuple[UUID | None, UUID | None]:
    """Return the population that the user of this entry came into, and the one they left."""
    if entry.action == CREATES:
        return entry.subject_population, None
    return identifier(str(entry.inputs.get("population_id") or "")), entry.subject_population


def _is_on_record(last: Crawl, user_id: UUID) -> bool:
    """Return whether the console itself moved the user since the last crawl: then `follow` has seen it, or a plan did.

    Of an unknown outcome only that of a plan or rule counts: the others had no effect yet.
    """
    moves = AuditEntry.objects.current().filter(
        organization=last.organization,
        subject_id=str(user_id),
        action__in=(CREATES, MOVES, DELETES),
        started_at__gt=last.started_at,
    )
    for entry in moves.order_by("-sequence"):
        if entry.outcome == _Outcome.SUCCEEDED or (
            entry.outcome in _MAY_HAVE_HAPPENED and entry.channel in OF_THEMSELVES
        ):
            return last.population_id in _way_of(entry)
    return False


def _only_in(crawl: Crawl, other: Crawl) -> Iterator[list[CrawledUser]]:
    also = CrawledUser.objects.filter(crawl=other, user_id=OuterRef("user_id"))
    return _parts(crawl.users.filter(~Exists(also)))


def _parts(found: QuerySet[CrawledUser]) -> Iterator[list[CrawledUser]]:
    after = 0
    while some := list(found.filter(pk__gt=after).order_by("pk")[:_AT_ONCE]):
        after = some[-1].pk
        yield some


def last_read(organization: Organization, population_id: UUID) -> Crawl | None:
    """Return what is known of the population, or None."""
    current = Crawl.objects.filter(organization=organization, population_id=population_id, state=Crawl.State.CURRENT)
    return current.select_related("organization").first()
