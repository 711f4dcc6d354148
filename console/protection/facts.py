"""What the console knows of a user and groups without a call to PingOne: marks, operators, and the table of groups.

One query, so that a page can say who is protected.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from json import loads
from typing import Any
from unicodedata import normalize
from uuid import UUID

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.utils import timezone

from console.models import GroupReading, KnownGroup, Membership, Organization, ProtectedMark
from console.protection import prepared
from console.protection.groups import BELIEVED_FOR
from console.protection.prepared import Build, Rows, Values

NOWHERE = UUID(int=0)  # as the environment of a connection without one


@dataclass(frozen=True, kw_only=True)
class Facts:
    is_marked: bool = False  # the user
    marked_groups: dict[UUID, str] = field(default_factory=dict)  # by ID: the name of the marked one; nested ones too
    giving_groups: dict[UUID, str] = field(default_factory=dict)  # names by ID; so are the others
    other_groups: dict[UUID, str] = field(default_factory=dict)
    operators: frozenset[str] = frozenset()  # their addresses, see `folded`
    table_is_fresh: bool = False  # False: nothing is known of groups
    shows_roles: bool = True  # False: the connection may not read role assignments
    more: dict[str, dict[UUID, str]] = field(default_factory=dict)  # by kind: what the caller asked for besides

    def unknown(self, group_ids: Iterable[UUID]) -> frozenset[UUID]:
        """Return the groups of which the table says nothing."""
        return frozenset(group_ids) - set(self.giving_groups) - set(self.other_groups)


def folded(text: str) -> str:
    """Return the text for comparison, where spellings that look the same are the same."""
    return normalize("NFKC", normalize("NFKC", text.strip()).casefold())


def facts_of(
    organization: Organization, user_id: UUID | None, group_ids: Iterable[UUID], *, build: Build | None = None
) -> Facts:
    """Return the facts about the user and these groups. `build` makes `query`, with more that a page needs."""
    group_ids = list(group_ids)
    rows = prepared.rows(
        build or query,
        Values(
            organization=organization.pk,
            environment=organization.connection.managed_environment_id or NOWHERE,
            user=user_id or NOWHERE,
            groups=tuple(group_ids) or (NOWHERE,),
            now=timezone.now(),
        ),
    )
    by_kind: dict[str, dict[UUID, str]] = {}
    for kind, found, name in rows:
        by_kind.setdefault(kind, {})[UUID(found)] = name
    fresh = {"fresh", "fresh without roles"} & set(by_kind)
    names = by_kind.get("linking mark", {})
    nested = {
        UUID(one): names[marked] for marked, links in by_kind.get("linked to mark", {}).items() for one in loads(links)
    }
    nested = {group_id: name for group_id, name in nested.items() if group_id in group_ids}
    return Facts(
        is_marked=user_id in by_kind.get(ProtectedMark.Kind.USER, {}),
        marked_groups=nested | by_kind.get(ProtectedMark.Kind.GROUP, {}),
        giving_groups=by_kind.get("giving", {}) if fresh else {},
        other_groups=by_kind.get("other", {}) if fresh == {"fresh"} else {},
        operators=frozenset(folded(email) for email in by_kind.get("operator", {}).values()),
        table_is_fresh=bool(fresh),
        shows_roles="fresh without roles" not in fresh,
        more=by_kind,
    )


def query(values: Values, *more: Rows) -> Rows:
    """Return the query of the facts: marks, the table of groups, operators, and `more`, which is made by `rows_of`."""
    marks = ProtectedMark.objects.filter(organization=values.organization).filter(in_force(values.now))
    known = KnownGroup.objects.filter(organization=values.organization)
    members = Membership.objects.filter(organization=values.organization)
    reading = GroupReading.objects.filter(
        organization=values.organization, environment_id=values.environment, read_at__gt=values.now - BELIEVED_FOR
    )
    of_groups = known.filter(group_id__in=values.groups)
    of_marks = known.filter(group_id__in=marks.filter(kind=ProtectedMark.Kind.GROUP).values("target_id"))
    return rows_of(marks.filter(target_id__in=[*values.groups, values.user]), "kind", "target_id", "name").union(
        rows_of(of_groups.filter(gives_roles=True), "giving", "group_id", "name"),
        rows_of(of_groups.filter(gives_roles=False), "other", "group_id", "name"),
        rows_of(of_marks.annotate(links=Cast("linked", CharField())), "linked to mark", "group_id", "links"),
        rows_of(of_marks, "linking mark", "group_id", "name"),
        rows_of(members, "operator", "operator_id", "operator__email"),
        rows_of(reading.filter(shows_roles=True), "fresh", "environment_id", ""),
        rows_of(reading.filter(shows_roles=False), "fresh without roles", "environment_id", ""),
        *more,
        all=True,
    )


def in_force(now: datetime) -> Q:
    """Return the condition of marks that protect at this time."""
    return Q(ends_at=None) | Q(ends_at__gt=now)


def rows_of(found: QuerySet[Any], kind: str, id_name: str, text: Any) -> Rows:
    """Select three texts: what it is, an ID, and a column or expression."""
    as_text = CharField()
    return found.order_by().values_list(
        Cast("kind", as_text) if kind == "kind" else Value(kind, output_field=as_text),
        Cast(id_name, as_text),
        Cast(text, as_text) if text else Value("", output_field=as_text),
    )
