"""Users with account and password state, and their MFA devices and sign-in sessions."""

import uuid
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone

from pingone_integration.sandbox.models.environments import Environment, Population


class User(models.Model):
    """A user. Clients write `profile`, in PingOne's spelling; the other columns are state or search keys."""

    class PasswordStatus(models.TextChoices):
        OK = "OK"
        NO_PASSWORD = "NO_PASSWORD"  # noqa: S105 - a state
        PASSWORD_EXPIRED = "PASSWORD_EXPIRED"  # noqa: S105 - a state
        PASSWORD_LOCKED_OUT = "PASSWORD_LOCKED_OUT"  # noqa: S105 - a state
        MUST_CHANGE_PASSWORD = "MUST_CHANGE_PASSWORD"  # noqa: S105 - a state
        EXTERNAL = "EXTERNAL"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="users", db_index=False)
    population = models.ForeignKey(Population, models.PROTECT, related_name="users", db_index=False)
    profile = models.JSONField(default=dict)

    # Search keys, taken from the profile by index_profile(); lower case, empty when absent.
    username_key = models.CharField(max_length=128, editable=False)
    email_key = models.CharField(max_length=256, editable=False, default="")
    given_key = models.CharField(max_length=256, editable=False, default="")
    family_key = models.CharField(max_length=256, editable=False, default="")
    middle_key = models.CharField(max_length=256, editable=False, default="")
    formatted_key = models.CharField(max_length=256, editable=False, default="")
    nickname_key = models.CharField(max_length=256, editable=False, default="")
    mobile_key = models.CharField(max_length=32, editable=False, default="")
    phone_key = models.CharField(max_length=32, editable=False, default="")
    external_id_key = models.CharField(max_length=1024, editable=False, default="")
    account_id_key = models.CharField(max_length=1024, editable=False, default="")

    enabled = models.BooleanField(default=True)
    locked = models.BooleanField(default=False)  # see is_locked(): a lock may have run out
    locked_at = models.DateTimeField(null=True, blank=True)
    unlock_at = models.DateTimeField(null=True, blank=True)  # None: only an administrator can unlock
    lifecycle_status = models.CharField(max_length=30, default="ACCOUNT_OK")
    verification_code = models.CharField(max_length=8, blank=True, default="")
    email_verified = models.BooleanField(default=False)
    email_verification_code = models.CharField(max_length=8, blank=True, default="")
    email_verification_expires_at = models.DateTimeField(null=True, blank=True)
    mfa_enabled = models.BooleanField(default=False)
    mfa_failures = models.PositiveIntegerField(default=0)
    bypass_mfa_until = models.DateTimeField(null=True, blank=True)
    devices_ordered = models.BooleanField(default=False)
    identity_provider_id = models.UUIDField(null=True, blank=True)  # None: PingOne itself
    identity_provider_type = models.CharField(max_length=20, default="PING_ONE")
    last_sign_on_at = models.DateTimeField(null=True, blank=True)
    last_sign_on_ip = models.GenericIPAddressField(null=True, blank=True)
    verify_status = models.CharField(max_length=20, default="NOT_INITIATED")

    password = models.CharField(max_length=256, blank=True, default="")  # a Django password hash
    password_status = models.CharField(
        max_length=30, choices=PasswordStatus.choices, default=PasswordStatus.NO_PASSWORD
    )
    password_changed_at = models.DateTimeField(null=True, blank=True)
    password_failures = models.PositiveIntegerField(default=0)
    password_unlock_at = models.DateTimeField(null=True, blank=True)  # of a PASSWORD_LOCKED_OUT; None: by hand only
    recovery_code = models.CharField(max_length=8, blank=True, default="")
    recovery_expires_at = models.DateTimeField(null=True, blank=True)
    recovery_failures = models.PositiveIntegerField(default=0)

    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "username_key"], name="user_username_unique")]
        indexes = [
            models.Index(fields=["population", "username_key"], name="user_population"),
            models.Index(fields=["environment", "enabled", "username_key"], name="user_enabled"),
            # A search by name walks these indexes in turn. The columns after the id let it skip the matches of an
            # earlier walk without reading the user.
            models.Index(fields=["environment", "email_key", "id", "username_key"], name="user_email"),
            models.Index(fields=["environment", "given_key", "id", "username_key", "email_key"], name="user_given"),
            models.Index(
                fields=["environment", "family_key", "id", "username_key", "email_key", "given_key"],
                name="user_family",
            ),
            models.Index(fields=["environment", "middle_key", "id"], name="user_middle"),
            models.Index(fields=["environment", "formatted_key", "id"], name="user_formatted"),
            models.Index(fields=["environment", "nickname_key", "id"], name="user_nickname"),
            models.Index(fields=["environment", "mobile_key", "id"], name="user_mobile"),
            models.Index(fields=["environment", "phone_key", "id"], name="user_phone"),
            models.Index(fields=["environment", "external_id_key", "id"], name="user_external_id"),
            models.Index(fields=["environment", "account_id_key", "id"], name="user_account_id"),
        ]

    def __str__(self) -> str:
        return self.username

    def save(self, **options: Any) -> None:
        self.index_profile()
        super().save(**options)

    def index_profile(self) -> None:
        """Fill the search keys. save() does it, bulk_create() does not."""
        profile, name = self.profile, self.profile.get("name", {})
        self.username_key = profile["username"].lower()
        self.email_key = profile.get("email", "").lower()
        self.given_key = name.get("given", "").lower()
        self.family_key = name.get("family", "").lower()
        self.middle_key = name.get("middle", "").lower()
        self.formatted_key = name.get("formatted", "").lower()
        self.nickname_key = profile.get("nickname", "").lower()
        self.mobile_key = profile.get("mobilePhone", "").lower()
        self.phone_key = profile.get("primaryPhone", "").lower()
        self.external_id_key = profile.get("externalId", "").lower()
        self.account_id_key = profile.get("accountId", "").lower()

    @property
    def username(self) -> str:
        return str(self.profile["username"])

    @property
    def email(self) -> str:
        """Return the email address, or "" if there is none."""
        return str(self.profile.get("email", ""))

    def is_locked(self, now: datetime | None = None) -> bool:
        """Return whether the account is locked. A lock with an end runs out by itself."""
        return self.locked and (self.unlock_at is None or self.unlock_at > (now or timezone.now()))

    def can_authenticate(self) -> bool:
        return self.enabled and not self.is_locked()


class Device(models.Model):
    """An MFA device. `details` holds the members that only its type has."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    type = models.CharField(max_length=20)
    status = models.CharField(max_length=30, default="ACTIVE")
    nickname = models.CharField(max_length=100, blank=True, default="")
    details = models.JSONField(default=dict)
    otp = models.CharField(max_length=10, blank=True, default="")  # the passcode for activation
    locked = models.BooleanField(default=False)
    unlock_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, db_default=0)  # wrong passcodes in a row
    blocked = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["position", "created_at", "id"]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Session(models.Model):
    """A sign-in session. Its id is the `sid` of its tokens. Its refresh tokens end with it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    created_at = models.DateTimeField(default=timezone.now)
    active_at = models.DateTimeField(default=timezone.now)
    details = models.JSONField(default=dict)  # locations, browser, operatingSystem, device

    class Meta:
        ordering = ["-created_at", "id"]

    def __str__(self) -> str:
        return str(self.id)
