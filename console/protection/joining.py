"""What each of many groups gives to whoever joins it, as `judge` would say: PingOne is asked anew, in parallel."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from console.models import KnownGroup, Organization
from console.protection import groups as table
from console.protection.facts import Facts, facts_of
from console.protection.why import Protection, Why
from pingone_integration.calls.api import PingOneApi

MOST_ASKED = 300  # groups, with those that they are linked to by nesting


@dataclass(frozen=True, kw_only=True)
class Joining:
    protected: dict[UUID, Protection] = field(default_factory=dict)  # the groups that only an org admin gives
    gone: frozenset[UUID] = frozenset()  # PingOne no longer has them


def known_to_protect(organization: Organization, group_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return those of the groups that are protected as far as the console knows without a call. One query."""
    facts = facts_of(organization, None, frozenset(group_ids))
    return frozenset(facts.giving_groups) | frozenset(facts.marked_groups)


def joining(organization: Organization, api: PingOneApi, group_ids: Iterable[UUID]) -> Joining:
    """Ask what these groups give. What cannot be found out counts as protected. Raises PingOneErrors."""
    asked = frozenset(group_ids)
    if not asked:
        return Joining()
    facts = facts_of(organization, None, asked)
    links = _links_of_the_table(organization, asked, facts)
    answers: dict[UUID, table.Answer] = {}
    seen: set[UUID] = set()
    while new := asked.union(*links.values(), *(answer.linked for answer in answers.values())) - seen:
        seen |= new
        if len(seen) > MOST_ASKED:
            return Joining(protected=dict.fromkeys(asked, Protection(why=Why.UNDECIDED)))
        answers |= table.ask(api, sorted(new))
    gone = asked - answers.keys()
    graph = {one: answer.linked | links.get(one, frozenset()) for one, answer in answers.items()}
    carriers = {one for one, answer in answers.items() if answer.carries_roles}
    protected: dict[UUID, Protection] = {}
    for one in asked - gone:
        name = facts.giving_groups.get(one) or facts.marked_groups.get(one, "")
        if one in facts.giving_groups or carriers & (table.reached(one, graph) | {one}):
            protected[one] = Protection(why=Why.GROUP_GIVES_ROLES, group=name)
        elif one in facts.marked_groups:
            protected[one] = Protection(why=Why.GROUP_MARK, group=name)
        elif not all(answer.shows_roles for answer in answers.values()):
            protected[one] = Protection(why=Why.ROLES_NOT_SHOWN)
    return Joining(protected=protected, gone=gone)


def _links_of_the_table(organization: Organization, asked: frozenset[UUID], facts: Facts) -> table.Links:
    """Return the groups that the table links to these, in either direction."""
    if not facts.table_is_fresh:
        return {}
    known = KnownGroup.objects.filter(organization=organization, group_id__in=asked)
    return {one: frozenset(map(UUID, linked)) for one, linked in known.values_list("group_id", "linked")}
