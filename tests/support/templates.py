"""Templates of users for tests."""

from typing import Any
from uuid import UUID

from console.models import Organization, UserTemplate


def make_template(organization: Organization, name: str, *groups: tuple[UUID, str], **more: Any) -> UserTemplate:
    listed = [{"id": str(group_id), "name": called} for group_id, called in groups]
    return UserTemplate.objects.create(organization=organization, name=name, groups=listed, **more)
