"""Roles as rows, the lock down, and masks instead of regular expressions for tickets."""

import re

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

import console.models.ticket_masks
from console.models.ticket_masks import LONGEST, MOST, example_of

# What agents could do before there were policies: organizations that exist keep it.
ACTIONS_OF_AGENTS = [
    "device.remove",
    "device.rename",
    "device.unlock",
    "group.add",
    "group.remove",
    "mfa.bypass",
    "mfa.end-bypass",
    "password.force-change",
    "password.send-recovery-code",
    "password.set-temporary",
    "password.unlock",
    "session.end",
    "sessions.end-all",
    "user.activate",
    "user.deactivate",
    "user.lock",
    "user.unlock",
    "user.update",
    "user.verify-email",
]
ACTIONS_OF_OTHERS = ["api.call", "mfa.disable", "mfa.enable", "user.create", "user.delete", "user.move"]
EARLIER_RIGHTS = {
    "pages": ["audit.view", "enter", "populations.sync", "users.view"],
    "actions": {key: [] for key in ACTIONS_OF_AGENTS},
    "fields": None,
    "known": sorted([*ACTIONS_OF_AGENTS, *ACTIONS_OF_OTHERS]),
}


def keep_rights(apps, schema_editor):
    apps.get_model("console", "Organization").objects.update(role_overrides={"helpdesk_agent": EARLIER_RIGHTS})


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
        ("console", "0016_protection"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="lock_down_reason",
            field=models.TextField(blank=True, db_default="", editable=False),
        ),
        migrations.AddField(
            model_name="organization",
            name="locked_down_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="organization",
            name="role_overrides",
            field=models.JSONField(
                db_default=models.Value({}, output_field=models.JSONField()), default=dict, editable=False
            ),
        ),
        migrations.CreateModel(
            name="Role",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=80)),
                ("name", models.CharField(max_length=60)),
                ("base", models.CharField(max_length=20)),
                ("rights", models.JSONField(default=dict)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="roles", to="console.organization"
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="membership",
            name="custom_role",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to="console.role"
            ),
        ),
        migrations.AddConstraint(
            model_name="role",
            constraint=models.UniqueConstraint(models.F("organization"), models.F("key"), name="one_role_per_key"),
        ),
        migrations.AddConstraint(
            model_name="role",
            constraint=models.UniqueConstraint(
                models.F("organization"), django.db.models.functions.text.Lower("name"), name="one_role_per_name"
            ),
        ),
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
        migrations.RunPython(keep_rights, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(turn_expressions_into_masks, migrations.RunPython.noop, elidable=True),
    ]
