"""The lock down, and the rights of built-in roles. Existing organizations keep the rights of their agents.

This and the next migrations change one table each: a page that reads two of them waits, and never meets a deadlock.
"""

from django.db import migrations, models

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
        migrations.RunPython(keep_rights, migrations.RunPython.noop, elidable=True),
    ]
