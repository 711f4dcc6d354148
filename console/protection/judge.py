"""Is the target of an operation protected, and why? It fails closed: what cannot be found out counts as protected.

Cheapest first: what the console knows, then one call for the user's own roles. Groups are asked anew only if a user
joins them, or if the table does not know them.
"""

from uuid import UUID

from django.db.models import QuerySet

from console.actions.affected import Affected
from console.models import KnownGroup, Organization
from console.protection import groups as table
from console.protection.facts import Facts, facts_of, folded
from console.protection.why import Protection, RolesNotShown, Undecided, Why
from pingone_integration import groups, users
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import MissingPermission, PingOneError
from pingone_integration.groups import Group
from pingone_integration.models import Connection
from pingone_integration.user_search.reads import ANY, attribute, attributes_in
from pingone_integration.users import User

MOST_ASKED = 10  # groups of one user or one operation, without the table
MOST_LINKED = 40  # groups linked by nesting to one that somebody joins


def protection_of(
    organization: Organization, api: PingOneApi, affected: Affected, user: User | None
) -> Protection | None:
    """Return why the operation needs an org admin, or None if it does not. `user` is the target as just read."""
    try:
        return _decided(organization, api, affected, user)
    except (MissingPermission, RolesNotShown):
        known = known_protection(organization, user) if user else None
        return known or _without_roles(organization, api, affected)
    except (PingOneError, Undecided):
        return Protection(why=Why.UNDECIDED)


def known_protection(organization: Organization, user: User) -> Protection | None:
    """Return why a user is protected, as far as the console knows without a call to PingOne. One query."""
    return protection_by(organization, user, facts_of(organization, user.id, user.group_ids or ()))


def protection_by(organization: Organization, user: User, facts: Facts) -> Protection | None:
    """Return the same from facts that were read already."""
    return _of_user(organization.connection, user, facts)


def _decided(organization: Organization, api: PingOneApi, affected: Affected, user: User | None) -> Protection | None:
    if affected.anyone:
        return Protection(why=Why.ANYONE)
    if affected.user and user is None:
        raise Undecided
    own = _groups_of(api, organization, user) if user else frozenset()
    facts = facts_of(organization, affected.user, own | affected.groups)
    if user and (found := _of_user(organization.connection, user, facts, own=own)):
        return found
    if found := _of_groups(affected, facts):
        return found
    if affected.gives_roles:
        return Protection(why=Why.GIVES_ROLES)
    if user and users.is_administrator(api, user.id):
        return Protection(why=Why.ROLE, user=user.display_name)
    if facts.table_is_fresh and not facts.shows_roles and facts.unknown(own):
        raise RolesNotShown
    if user and (carrier := _carrier(api, facts.unknown(own))):
        return Protection(why=Why.ROLE_BY_GROUP, user=user.display_name, group=str(carrier))
    if carrier := _carrier(api, affected.groups, linked=_linked(organization, affected.groups, facts)):
        return Protection(why=Why.GROUP_GIVES_ROLES, group=_name(api, carrier))
    return _by_values(organization, api, affected, user, facts)


def _of_user(
    connection: Connection, user: User, facts: Facts, *, own: frozenset[UUID] | None = None
) -> Protection | None:
    """Return why a user is protected by what the console knows."""
    name = user.display_name
    own = own if own is not None else user.group_ids or frozenset()
    if is_administrator_of(connection, user):
        return Protection(why=Why.CONNECTION, user=name)
    for named, why in ((facts.giving_groups, Why.ROLE_BY_GROUP), (facts.marked_groups, Why.MARK_OF_GROUP)):
        if through := own & set(named):
            return Protection(why=why, user=name, group=named[min(through)])
    if {folded(user.username), folded(user.email)} & facts.operators:
        return Protection(why=Why.OPERATOR, user=name)
    return Protection(why=Why.MARK, user=name) if facts.is_marked else None


def is_administrator_of(connection: Connection, user: User) -> bool:
    """Return whether the connection acts with the rights of this user."""
    if connection.consented_by_id:
        return connection.consented_by_id.casefold() == str(user.id)
    spellings = {folded(user.username), folded(user.email)} - {""}
    return bool(connection.consented_by) and folded(connection.consented_by) in spellings


def _of_groups(affected: Affected, facts: Facts) -> Protection | None:
    """Return why a group that somebody joins, leaves or changes is protected by what the console knows."""
    for named, why in ((facts.giving_groups, Why.GROUP_GIVES_ROLES), (facts.marked_groups, Why.GROUP_MARK)):
        if found := affected.groups & set(named):
            return Protection(why=why, group=named[min(found)])
    return None


def _groups_of(api: PingOneApi, organization: Organization, user: User) -> frozenset[UUID]:
    """Return the groups of the user, with those by filter and nesting.

    PingOne may leave the latter out of the user. The table knows what is nested, so the memberships have to be read
    only without it, or if a dynamic group gives roles.
    """
    known = table.table_of(organization)
    is_whole = known.is_fresh and not _giving_dynamic(organization, shows_roles=known.shows_roles).exists()
    if user.group_ids is not None and is_whole:
        return user.group_ids
    listed = groups.all_memberships(api, user.id, whole=True)
    return frozenset(one.group_id for one in listed) | (user.group_ids or frozenset())


def _carrier(api: PingOneApi, asked: frozenset[UUID], *, linked: frozenset[UUID] = frozenset()) -> UUID | None:
    """Ask PingOne for the roles of groups and of the groups they are nested in. Return the first that carries any.

    `linked` are more groups to ask, known to be linked to them. Raises Undecided, RolesNotShown and PingOneErrors.
    """
    seen: set[UUID] = set()
    new = set(asked)
    most = MOST_LINKED if linked else MOST_ASKED
    while new:
        if len(seen | new) > most:
            raise Undecided
        seen |= new
        answers = table.ask(api, sorted(new))
        if not all(answer.shows_roles for answer in answers.values()):
            raise RolesNotShown
        if carriers := sorted(group_id for group_id, answer in answers.items() if answer.carries_roles):
            return carriers[0]
        new = {other for answer in answers.values() for other in answer.linked} | linked
        new -= seen
    return None


def _linked(organization: Organization, group_ids: frozenset[UUID], facts: Facts) -> frozenset[UUID]:
    """Return the groups that the table links to these, in either direction."""
    if not group_ids or not facts.table_is_fresh:
        return frozenset()
    known = KnownGroup.objects.filter(organization=organization, group_id__in=group_ids)
    return frozenset(UUID(one) for links in known.values_list("linked", flat=True) for one in links)


def _by_values(
    organization: Organization, api: PingOneApi, affected: Affected, user: User | None, facts: Facts
) -> Protection | None:
    """Return the protection if the new values can make the user a member of a dynamic group that gives roles."""
    if not affected.attributes:
        return None
    name = user.display_name if user else ""
    if facts.table_is_fresh:
        for group in _giving_dynamic(organization, shows_roles=facts.shows_roles):
            if _reads(frozenset(group.filter_reads), affected):
                if not facts.shows_roles:
                    raise RolesNotShown
                return Protection(why=Why.JOINS, user=name, group=group.name)
        return None
    readers = {group.id: group for group in _dynamic_now(api) if _reads(attributes_in(group.user_filter), affected)}
    carrier = _carrier(api, frozenset(readers))
    return Protection(why=Why.JOINS, user=name, group=_name(api, carrier)) if carrier else None


def _without_roles(organization: Organization, api: PingOneApi, affected: Affected) -> Protection | None:
    """Return the protection where PingOne does not show roles: only what is harmless whoever the user is goes on."""
    closed = Protection(why=Why.ROLES_NOT_SHOWN)
    if affected.needs_roles or affected.contacts:
        return closed
    if not affected.attributes:
        return None
    try:
        if facts_of(organization, None, ()).table_is_fresh:
            dynamic = KnownGroup.objects.filter(organization=organization, is_dynamic=True)
            read = [frozenset(group.filter_reads) for group in dynamic]
        else:
            read = [attributes_in(group.user_filter) for group in _dynamic_now(api)]
    except (PingOneError, Undecided):
        return closed
    return closed if any(_reads(one, affected) for one in read) else None


def _giving_dynamic(organization: Organization, *, shows_roles: bool) -> QuerySet[KnownGroup]:
    """Return the dynamic groups that give roles, or that may: all of them if PingOne does not show roles."""
    dynamic = KnownGroup.objects.filter(organization=organization, is_dynamic=True)
    return dynamic.filter(gives_roles=True) if shows_roles else dynamic


def _dynamic_now(api: PingOneApi) -> list[Group]:
    """Return the dynamic groups, if one call lists all groups. Raises Undecided if there are more."""
    page = next(groups.all_of(api))
    if page.next_cursor:
        raise Undecided
    return [group for group in page.items if group.is_dynamic]


def _reads(read: frozenset[str], affected: Affected) -> bool:
    """Return whether a filter that reads these attributes reads one that the operation changes."""
    changed = {attribute(path) for path in affected.attributes}
    return bool(read) and (ANY in read or ANY in changed or bool(read & changed))


def _name(api: PingOneApi, group_id: UUID) -> str:
    try:
        return groups.get(api, group_id).name or str(group_id)
    except PingOneError:
        return str(group_id)
