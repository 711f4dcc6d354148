"""OAuth clients."""

import uuid

from django.db import models
from django.utils import timezone

from pingone_integration.sandbox.models.environments import Environment


class Application(models.Model):
    """An application of an environment; its id is the OAuth `client_id`. Settings have PingOne's names."""

    class AuthMethod(models.TextChoices):
        NONE = "NONE"
        CLIENT_SECRET_BASIC = "CLIENT_SECRET_BASIC"  # noqa: S105 - a method
        CLIENT_SECRET_POST = "CLIENT_SECRET_POST"  # noqa: S105 - a method

    class Pkce(models.TextChoices):
        OPTIONAL = "OPTIONAL"
        REQUIRED = "REQUIRED"
        S256_REQUIRED = "S256_REQUIRED"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="applications")
    name = models.CharField(max_length=256)
    type = models.CharField(max_length=30, default="WORKER")
    enabled = models.BooleanField(default=True)
    client_secret = models.CharField(max_length=256, blank=True, default="")
    grant_types = models.JSONField(default=list)  # AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS
    response_types = models.JSONField(default=list)  # CODE
    scopes = models.JSONField(default=list)  # openid, profile, email, ...
    redirect_uris = models.JSONField(default=list)
    post_logout_redirect_uris = models.JSONField(default=list)
    token_endpoint_auth_method = models.CharField(
        max_length=30, choices=AuthMethod.choices, default=AuthMethod.CLIENT_SECRET_BASIC
    )
    pkce_enforcement = models.CharField(max_length=20, choices=Pkce.choices, default=Pkce.OPTIONAL)
    admin_users_only = models.BooleanField(default=False)
    access_token_duration = models.PositiveIntegerField(default=3600)  # seconds, like all durations below
    refresh_token_duration = models.PositiveIntegerField(default=2_592_000)
    refresh_token_rolling_duration = models.PositiveIntegerField(null=True, blank=True, default=15_552_000)
    refresh_token_rolling_grace_period_duration = models.PositiveIntegerField(default=0)
    additional_refresh_token_replay_protection_enabled = models.BooleanField(default=True)
    refresh_tokens_are_jwts = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name

    @property
    def client_id(self) -> str:
        return str(self.id)
