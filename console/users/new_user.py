"""What the page of a new user reads besides the form: users who exist already, and the populations to choose from."""

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console import visible_users
from console.access import OrgAccess
from console.users.remembered import known_populations
from pingone_integration import population_sync
from pingone_integration.populations import Population
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind, clean
from pingone_integration.user_search import literal
from pingone_integration.users import User


def existing_users(access: OrgAccess, username: str, email: str) -> tuple[User, ...]:
    """Return the users with this username or email whom the operator may see."""
    username, email = clean(username, Kind.ID)[:128], clean(email, Kind.ADDRESS)[:256]
    conditions = [f"username eq {literal(username)}"] if username else []
    conditions += [f"email eq {literal(email)}"] if "@" in email else []
    if not conditions:
        return ()
    sought = visible_users.search_of(access, raw_filter=" or ".join(conditions))
    return visible_users.search(access, access.pingone(), sought, limit=5).items


def offer_populations(access: OrgAccess, form: forms.Form) -> None:
    """Let the form offer the operator's populations, the default one first."""
    populations = sorted(known_populations(access), key=lambda population: not population.is_default)
    policies = dict(population_sync.synced(access.org.connection).values_list("population_id", "password_policy"))
    choices: list[tuple[str, Text]] = [
        (str(population.id), with_defaults(population, policies.get(population.id, ""))) for population in populations
    ]
    if access.is_narrowed:
        form.fields["population_id"].required = True
        choices.insert(0, ("", _("Choose…")))
    elif not populations or not populations[0].is_default:
        choices.insert(0, ("", _("The environment's default")))
    form.fields["population_id"].widget.choices = choices


def with_defaults(population: Population, password_policy: str) -> Text:
    """Return the population's name and defaults as an option's text, visible during the choice without JavaScript."""
    defaults: list[Text] = [_("default")] if population.is_default else []
    if language := population.preferred_language:
        defaults.append(format_lazy(_("language {language}"), language=language))
    if password_policy:
        defaults.append(format_lazy(_("password policy {policy}"), policy=password_policy))
    name = population.name or str(population.id)
    if not defaults:
        return name
    return format_lazy(f"{{}} ({', '.join(['{}'] * len(defaults))})", name, *defaults)
