"""Device authentications: a user shows that they have one of their MFA devices."""

import uuid

from django.db import models
from django.utils import timezone

from pingone_integration.sandbox.models.environments import Environment
from pingone_integration.sandbox.models.users import Device, User


class DeviceAuthentication(models.Model):
    """One authentication, and the passcode that the device has for it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    environment = models.ForeignKey(Environment, models.CASCADE)
    user = models.ForeignKey(User, models.CASCADE)
    device = models.ForeignKey(Device, models.CASCADE, null=True)  # None until one is selected
    status = models.CharField(max_length=40)
    otp = models.CharField(max_length=10, blank=True, default="")
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.status} {self.id}"
