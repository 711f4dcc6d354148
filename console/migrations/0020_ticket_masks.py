"""Masks instead of regular expressions for tickets."""

import re

from django.db import migrations, models

import console.models.ticket_masks
from console.models.ticket_masks import LONGEST, MOST, example_of

DIGITS, LETTERS = {r"\d", "[0-9]", r"[\d]"}, {"[A-Z]", "[a-z]", "[A-Za-z]", "[a-zA-Z]"}
TOKEN = re.compile(
    r"(?P<escape>\\.)|(?P<class>\[(?:\\.|[^\]\\])+\])|\{(?P<least>\d+)(?:,(?P<most>\d+))?\}|(?P<other>.)", re.DOTALL
)


def masks_of(expression):
    """Return masks that take every ticket that the expression took, "" if there are none.

    A letter of a mask may be upper or lower case. What may repeat without a limit has no mask, as in INC\\d+.
    """
    found = []
    masks = [""]
    last = None
    for token in TOKEN.finditer(expression):
        written = token[0]
        if token["least"] is not None:
            if last is None:
                return ""
            least, most = int(token["least"]), int(token["most"] or token["least"])
            masks = [mask[: -len(last)] + last * times for mask in masks for times in range(least, most + 1)]
            last = None
        elif written == "?" and last is not None:
            masks = [shown for mask in masks for shown in (mask[: -len(last)], mask)]
            last = None
        elif written == "|":
            found += masks
            masks, last = [""], None
        else:
            last = mask_of(written)
            if last is None:
                return ""
            masks = [mask + last for mask in masks]
        if len(found) + len(masks) > MOST:
            return ""
    together = ", ".join(dict.fromkeys(mask for mask in [*found, *masks] if mask))
    if len(together) > LONGEST or not all({"#", "@"} & set(mask) for mask in together.split(", ")):
        return ""
    return together


def mask_of(written):
    """Return the character of a mask for a character of an expression, None if there is none."""
    if written in DIGITS:
        return "#"
    if written in LETTERS:
        return "@"
    literal = written[1:] if written[0] == "\\" else written
    is_special = written[0] == "\\" and literal.isalnum()
    is_special |= len(literal) != 1 or (literal == written and literal in ".^$*+?{}[]()|")
    return None if is_special or literal in "#@," or literal.isspace() else literal


def turn_expressions_into_masks(apps, schema_editor):
    """A ticket stays required where an expression has no mask. The org admins are told after the migrations."""
    for policy in apps.get_model("console", "TicketPolicy").objects.exclude(pattern=""):
        if masks := masks_of(policy.pattern):
            policy.pattern = masks
        else:
            policy.requirement, policy.pattern, policy.dropped_pattern = "required", "", policy.pattern
        policy.save()
    for organization in apps.get_model("console", "Organization").objects.all():
        policies = organization.ticket_policies.exclude(requirement="optional")
        organization.required_tickets = {policy.action: example_of(policy.pattern) for policy in policies}
        organization.save(update_fields=["required_tickets"])


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0019_custom_role"),
    ]

    operations = [
        migrations.AddField(
            model_name="ticketpolicy",
            name="dropped_pattern",
            field=models.CharField(blank=True, db_default="", editable=False, max_length=200),
        ),
        migrations.AlterField(
            model_name="ticketpolicy",
            name="pattern",
            field=models.CharField(
                blank=True, max_length=200, validators=[console.models.ticket_masks.validate_ticket_masks]
            ),
        ),
        migrations.RunPython(turn_expressions_into_masks, migrations.RunPython.noop, elidable=True),
    ]
