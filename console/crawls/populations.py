"""Which populations are crawled: those of the last sync, while an org admin has crawls switched on."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from console.access import OrgAccess, Permission
from console.audit import entries
from console.audit.entries import Subject
from console.models import AuditEntry, Crawl, CrawledUser, CrawlSettings, CrawlWork, Organization
from pingone_integration import population_sync


def is_on(organization: Organization) -> bool:
    return CrawlSettings.objects.filter(organization=organization).exists()


def switch_on(access: OrgAccess, *, source_address: str = "") -> None:
    """Let the worker read every population once a day. The first crawls begin at once."""
    _require(access)
    with transaction.atomic():
        _settings, is_new = CrawlSettings.objects.get_or_create(
            organization=access.org, defaults={"switched_on_by": access.operator}
        )
        if is_new:
            _record(access, "crawls.switched-on", source_address)
    enter(access.org)


def switch_off(access: OrgAccess, *, source_address: str = "") -> None:
    """Stop reading, and forget what was read."""
    _require(access)
    with transaction.atomic():
        if CrawlSettings.objects.filter(organization=access.org).delete()[0]:
            _record(access, "crawls.switched-off", source_address)
    _forget(access.org, keeps=frozenset())


def enter(organization: Organization) -> None:
    """Create the work on populations that are new, and delete what is known of those that are gone."""
    known = frozenset(population_sync.synced(organization.connection).values_list("population_id", flat=True))
    if not known or not is_on(organization):
        return
    CrawlWork.objects.bulk_create(
        [CrawlWork(organization=organization, population_id=one) for one in sorted(known)], ignore_conflicts=True
    )
    _forget(organization, keeps=known)


def crawl_now(access: OrgAccess, population_id: UUID) -> None:
    _require(access)
    CrawlWork.want(access.org, population_id)


def accept(access: OrgAccess, crawl_id: int, *, source_address: str = "") -> bool:
    """Believe a crawl that is held: the worker then compares it, and the rules act. False: it is not held anymore."""
    _require(access)
    with transaction.atomic():
        held = Crawl.objects.filter(pk=crawl_id, organization=access.org, state=Crawl.State.HELD)
        now = timezone.now()
        if not held.update(state=Crawl.State.ACCEPTED, accepted_by=access.operator, accepted_at=now):
            return False
        crawl = Crawl.objects.get(pk=crawl_id)
        _record(
            access,
            "crawl.accepted",
            source_address,
            population_id=crawl.population_id,
            inputs={"held": crawl.held, "users": crawl.people, "users_before": crawl.people_before},
        )
        CrawlWork.want(access.org, crawl.population_id)
    return True


def _require(access: OrgAccess) -> None:
    access.require(Permission.MANAGE_POLICIES)
    access.require_org_admin()
    if access.viewing_as is not None:
        raise PermissionDenied(Permission.MANAGE_POLICIES)


def _forget(organization: Organization, *, keeps: frozenset[UUID]) -> None:
    gone = CrawlWork.objects.filter(organization=organization).exclude(population_id__in=keeps)
    if not gone.exists() and keeps:
        return
    crawls = Crawl.objects.filter(organization=organization).exclude(population_id__in=keeps)
    CrawledUser.objects.filter(crawl__in=crawls).delete()
    crawls.delete()
    gone.delete()


def _record(
    access: OrgAccess,
    event: str,
    source_address: str,
    *,
    population_id: UUID | None = None,
    inputs: dict[str, object] | None = None,
) -> None:
    name = population_sync.name_of(access.org.connection_id, population_id) or access.org.name
    entries.record(
        access.org,
        event,
        subject=Subject(kind=AuditEntry.Subject.POLICY, id=population_id or access.org.slug, name=name),
        operator=access.operator,
        source_address=source_address,
        inputs=inputs,
    )
