"""A new job of a list of people: the worker stores its rows, and then makes the preview."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from console.access import OrgAccess
from console.actions.action import Action
from console.jobs import drafts, lists
from console.jobs.control import start_dry_run
from console.models import AuditEntry, Job, PeopleList
from pingone_integration.texts import Text


def make(
    access: OrgAccess,
    action: Action,
    people: PeopleList,
    inputs: Mapping[str, Any] | None = None,
    *,
    label: Text = "",
    channel: AuditEntry.Channel = AuditEntry.Channel.PAGE,
) -> Job:
    """Return a new job of which the worker makes the preview. Raises PermissionDenied, also if the list has a job."""
    with transaction.atomic():
        job = drafts.create(
            access,
            action,
            (),
            key_kind=lists.key_kind_of(people),
            source=Job.Source(people.source),
            inputs=inputs,
            source_label=label,
            file_name=people.file_name,
            is_possibly_cut=bool(people.query.get("is_possibly_cut")),
            channel=channel,
        )
        theirs = PeopleList.objects.filter(pk=people.pk, organization=access.org, made_by=access.operator, job=None)
        if not theirs.update(job=job):
            raise PermissionDenied
        start_dry_run(access, job)
    return job
