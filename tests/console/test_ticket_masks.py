"""Ticket masks, and the regular expressions of earlier versions that the migration turns into them."""

import re
from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from console.models import AuditEntry, Organization, TicketPolicy
from console.models.ticket_masks import example_of, matches, validate_ticket_masks
from console.policies import dropped_patterns
from tests.support.outbox import sent_emails
from tests.support.people import make_operator

migration = import_module("console.migrations.0020_ticket_masks")
policies = import_module("console.migrations.0017_policies")


@pytest.mark.parametrize(
    ("masks", "ticket", "fits"),
    [
        ("INC#####", "INC12345", True),
        ("INC#####", "INC1234", False),
        ("INC#####", "INC123456", False),
        ("INC#####", "inc12345", False),
        ("INC#####", "INC1234\u0665", False),  # an Arabic digit
        ("@@@-##", "abc-12", True),
        ("@@@-##", "\u00e4bc-12", False),
        ("CHG###, INC##", "INC12", True),
        ("CHG###, INC##", "CHG12", False),
        ("a.c#", "abc1", False),
        ("(##)", "(12)", True),
        ("", "", False),
    ],
)
def test_mask_matches_whole_tickets(masks, ticket, fits):
    assert matches(masks, ticket) is fits


@pytest.mark.parametrize(
    ("masks", "words"), [(r"INC\d+", "backslash"), ("INC", "Use # for"), ("#," * 11, "at most 10")]
)
def test_mask_that_cannot_be_meant_is_refused(masks, words):
    with pytest.raises(ValidationError, match=words):
        validate_ticket_masks(masks)


@given(st.text(alphabet="INC-#@, .", max_size=12))
def test_example_matches_its_mask(masks):
    assert matches(masks, example) if (example := example_of(masks)) else not masks.strip(", ")


@pytest.mark.parametrize(
    ("expression", "masks"),
    [
        (r"INC\d{5}", "INC#####"),
        (r"INC[0-9]{3}", "INC###"),
        (r"CHG\d{2}|INC\d{3}", "CHG##, INC###"),
        (r"INC\d{2,4}", "INC##, INC###, INC####"),
        (r"[A-Z]{3}-\d", "@@@-#"),
        (r"HELP \(\d\)", ""),  # a space cannot be told from one between masks
        (r"A\.\d?\d", "A.#, A.##"),
        (r"INC\d+", ""),
        (r"INC\d*", ""),
        (r"INC.\d", ""),
        (r"INC\w\d", ""),
        (r"[A-F]\d", ""),
        (r"\d{1,50}", ""),
        (r"\#\d", ""),
        ("INC", ""),
        ("INC#", ""),
        (r"(INC)\d", ""),
    ],
)
def test_expression_becomes_masks_where_it_can(expression, masks):
    assert migration.masks_of(expression) == masks


_ELEMENTS = {"I": "I", "-": "-", r"\.": ".", r"\d": "07", "[0-9]": "9", "[A-Z]": "AZ", "[a-zA-Z]": "Az"}
_ELEMENTS |= {r"\w": "b", ".": "?"}  # that no mask has
_TIMES = {"": [1], "{2}": [2], "{1,2}": [1, 2], "?": [0, 1], "+": [1, 3], "*": [0, 2]}  # also what the tickets use


@st.composite
def expressions_with_tickets(draw):
    """Return an expression and a ticket that it takes, by one of its alternatives."""
    written, tickets = [], []
    for _ in range(draw(st.integers(1, 2))):
        expression = ticket = ""
        for _ in range(draw(st.integers(1, 4))):
            element, times = draw(st.sampled_from([*_ELEMENTS])), draw(st.sampled_from([*_TIMES]))
            expression += element + times
            ticket += draw(st.sampled_from(_ELEMENTS[element])) * draw(st.sampled_from(_TIMES[times]))
        written.append(expression)
        tickets.append(ticket)
    return "|".join(written), draw(st.sampled_from(tickets))


@given(expressions_with_tickets())
def test_masks_take_every_ticket_that_the_expression_took(example):
    expression, ticket = example
    assert re.fullmatch(expression, ticket, re.ASCII)

    if masks := migration.masks_of(expression):
        assert not ticket or matches(masks, ticket)


@pytest.mark.database
def test_upgrade_keeps_tickets_required_and_tells_org_admins_once(acme: Organization, org_admin):
    make_operator("agent@acme.test", acme, "helpdesk_agent")
    patterns = {"user.unlock": r"INC\d{5}", "user.delete": r"CHG\d+"}
    for action, pattern in patterns.items():
        TicketPolicy.objects.create(organization=acme, action=action, requirement="pattern", pattern=pattern)

    migration.turn_expressions_into_masks(apps, None)
    for _twice in range(2):
        dropped_patterns.tell_after_upgrade()

    acme.refresh_from_db()
    assert acme.required_tickets == {"user.unlock": "INC12345", "user.delete": ""}
    kept = {policy.action: (policy.requirement, policy.pattern) for policy in acme.ticket_policies.all()}
    assert kept == {"user.unlock": ("pattern", "INC#####"), "user.delete": ("required", "")}
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject_id) == ("policy.pattern-dropped", "user.delete")
    assert entry.before == {"requirement": "pattern", "pattern": r"CHG\d+"}
    (email,) = sent_emails()
    assert email.to == [org_admin.email]
    assert r"Delete user: CHG\d+" in email.body
    assert "/o/acme/settings/policies/tickets/" in email.body


@pytest.mark.database
def test_upgrade_keeps_the_rights_of_agents(acme: Organization):
    Organization.objects.update(role_overrides={})

    policies.keep_rights(apps, None)

    earlier = acme.role_overrides  # of tests/support/people.py
    acme.refresh_from_db()
    agents, now = earlier["helpdesk_agent"], acme.role_overrides["helpdesk_agent"]
    newer = {"password.replace"}  # came later: who had rights of their own by then does not get it by itself
    actions = {key: demands for key, demands in agents["actions"].items() if key not in newer}
    assert now == agents | {"actions": actions, "known": [key for key in agents["known"] if key not in newer]}
