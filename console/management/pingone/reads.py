"""Reads: whether a user can sign in and why not, a user's values, a search of users, a search of groups."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from console import visible_users
from console.access import OrgAccess, Permission
from console.actions.catalogue import BY_KEY, Action
from console.actions.profile_forms import profile_values
from console.audit.entries import storable
from console.limits.reading import looked_at, protected_page_read
from console.management.options import identifier
from console.management.pingone import options
from console.management.pingone.find import find
from console.management.pingone.terminal import Terminal
from console.protection.judge import known_protection
from console.users.group_page import as_seen_by
from console.users.search_forms import PAGE_SIZES, GroupSearchForm, UserSearchForm
from console.users.standing import Gap, Known, Standing, standing_of
from pingone_integration import groups, mfa, passwords
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import Page
from pingone_integration.calls.parallel import at_once
from pingone_integration.errors import PingOneError
from pingone_integration.groups import Group
from pingone_integration.texts import english
from pingone_integration.users import User

_SHOWS = "Shows whether a user can sign in, why not, and what helps. Reads the user, password and MFA. Changes nothing."
_GETS = "Shows the values of a user. Changes nothing."
_LISTS = "Shows one page of the users that match, as the Users page finds them. Changes nothing."
_LISTS_GROUPS = "Shows one page of the groups whose name begins with a text. Changes nothing."
_SEARCHED = ("q", "population", "group", "enabled", "filter")


def add(kinds: Any) -> None:
    show = kinds.add_parser("show", help="Show why a user can or can't sign in", description=_SHOWS)
    options.add_user(show)
    show.set_defaults(run=_show)
    get = kinds.add_parser("user.get", help="Get user", description=_GETS)
    options.add_user(get)
    get.set_defaults(run=_get)
    users = kinds.add_parser("user.list", help="List users", description=_LISTS)
    for name in _SEARCHED:
        options.add_field(users, name, UserSearchForm.base_fields[name], required=False)
    users.set_defaults(run=_users)
    found = kinds.add_parser("group.list", help="List groups", description=_LISTS_GROUPS)
    options.add_field(found, "q", GroupSearchForm.base_fields["q"], required=False)
    found.set_defaults(run=_groups)
    for kind in (users, found):
        kind.add_argument("--limit", type=int, choices=PAGE_SIZES, default=PAGE_SIZES[-1], help="rows of a page")
        kind.add_argument("--cursor", metavar="VALUE", type=identifier, help="the page after one: as it was printed")
    for kind in (show, get, users, found):
        options.add_common(kind)


def _show(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    """Print the verdict of the user's page. Its exit code is 0 whatever the verdict is."""
    api, user = _read(access, given["user"])
    known = _known(api, user)
    standing = standing_of(known)
    helping = [BY_KEY[key] for key in standing.helps if access.may(BY_KEY[key])]
    if terminal.as_json:
        terminal.json(_verdict_as_json(known.user, standing, helping))
        return
    terminal.lines(
        [
            _name_line(known.user),
            english(standing.sentence),
            *(f"- {english(fact)}" for fact in standing.facts),
            *(f"What helps: {english(action.name)} ({action.key})" for action in helping),
            f"Times are in {timezone.get_current_timezone_name()}.",
        ]
    )


def _get(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    """Print the user's values under our names, which the options of actions and the columns of lists have too."""
    _api, user = _read(access, given["user"])
    values = _row(user) | {name: value for name, value in _profile(user).items() if value not in ("", None, {}, [])}
    if terminal.as_json:
        terminal.json(values)
        return
    terminal.lines(f"{name}: {value}" for name, value in values.items())


def _users(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    access.require(Permission.VIEW_USERS)
    typed = options.typed(given)
    form = UserSearchForm(typed, countries=access.org.phone_countries, populations=access.populations)
    options.raise_mistakes(form)
    page = visible_users.search(
        access, access.pingone(), form.search, limit=given["limit"], cursor=given["cursor"] or None
    )
    _listed(terminal, page, "users", [_row(user) for user in page.items])


def _groups(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    access.require(Permission.VIEW_USERS)
    form = GroupSearchForm(options.typed(given))
    options.raise_mistakes(form)
    name = form.cleaned_data["q"]
    page = groups.search(access.pingone(), name, limit=given["limit"], cursor=given["cursor"] or None)
    _listed(terminal, page, "groups", [_group_row(as_seen_by(access, group)) for group in page.items])


def _read(access: OrgAccess, name: str) -> tuple[PingOneApi, User]:
    """Read the user. This counts and is on record as on the user's page."""
    access.require(Permission.VIEW_USERS)
    user_id = find(access, name)
    api = access.pingone()
    user = visible_users.get(access, api, user_id)
    looked_at(access, user_id)
    protected_page_read(access, user, known_protection(access.org, user), source_address="")
    return api, user


def _listed(terminal: Terminal, page: Page[Any], what: str, rows: list[dict[str, Any]]) -> None:
    """Print a page of a list: a row on each line, with tabs between its values."""
    if terminal.as_json:
        terminal.json({what: rows, "total": page.total, "next_cursor": page.next_cursor})
        return
    if rows:
        terminal.table([tuple(rows[0]), *(tuple(row.values()) for row in rows)])
    terminal.lines(_below(page, what, len(rows)))


def _below(page: Page[Any], what: str, count: int) -> Iterator[str]:
    yield f"{count} {what}" + (f" of {page.total}" if page.total is not None and page.total != count else "")
    if page.next_cursor:
        yield f"More: --cursor {page.next_cursor}"


def _row(user: User) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "username": user.username,
        "email": user.email,
        "name": str(user.name),
        "population": user.population_name or str(user.population_id or ""),
        "enabled": user.enabled,
    }


def _profile(user: User) -> dict[str, Any]:
    profile: dict[str, Any] = storable(profile_values(user))
    return profile


def _group_row(group: Group) -> dict[str, Any]:
    return {
        "id": str(group.id),
        "name": group.name,
        "population": str(group.population_id or ""),
        "members": group.direct_members,
    }


def _known(api: PingOneApi, user: User) -> Known:
    """Return the facts for the verdict, with the password and MFA read in parallel."""
    password, mfa_state = at_once(api, lambda api: passwords.state(api, user.id), lambda api: mfa.state(api, user.id))
    return Known(
        user=user,
        password=Gap.FAILED if isinstance(password, PingOneError) else password,
        mfa=Gap.FAILED if isinstance(mfa_state, PingOneError) else mfa_state,
        now=timezone.now(),
    )


def _name_line(user: User) -> str:
    return ", ".join(dict.fromkeys(part for part in (user.display_name, user.username, user.email) if part))


def _verdict_as_json(user: User, standing: Standing, helping: list[Action]) -> dict[str, Any]:
    return {
        "user_id": str(user.id),
        "username": user.username,
        "can_sign_in": str(standing.answer),
        "sentence": english(standing.sentence),
        "facts": [english(fact) for fact in standing.facts],
        "helps": [action.key for action in helping],
    }
