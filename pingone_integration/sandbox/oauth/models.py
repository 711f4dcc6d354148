"""The state of the authorization server: signing keys, grants, and their codes and tokens.

Codes and refresh tokens are stored as digests. Access tokens are signed and carry their own content, so only the data
to end them early is stored, under the token's `jti`.
"""

from datetime import timedelta
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils import timezone

from pingone_integration.sandbox.models import Application, Environment, Session, User
from pingone_integration.sandbox.oauth.clients import Client


class SigningKey(models.Model):
    """The RSA key of one environment, as a private JWK. It is created on first use."""

    environment = models.OneToOneField(Environment, primary_key=True, on_delete=models.CASCADE, related_name="+")
    kid = models.UUIDField(unique=True, default=uuid4)
    private_jwk = models.JSONField()

    def __str__(self) -> str:
        return str(self.kid)


class Grant(models.Model):
    """A user's consent to an application in one session. Revoking it ends all its tokens."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    # None after the session has ended: the grant allows no more refreshes.
    session = models.ForeignKey(Session, null=True, on_delete=models.SET_NULL, related_name="+")
    scope = models.TextField(blank=True)
    signed_on_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_live(self) -> bool:
        """Return whether the grant may issue new tokens."""
        return self.revoked_at is None and self.session is not None and self.user.enabled

    def revoke(self) -> None:
        Grant.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now())


class AuthorizationCode(models.Model):
    """An authorization code on its way through the browser. Authlib reads it through the methods."""

    LIFETIME = timedelta(seconds=60)

    digest = models.CharField(primary_key=True, max_length=64)
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="+")
    redirect_uri = models.TextField()
    code_challenge = models.TextField(blank=True)
    code_challenge_method = models.CharField(max_length=16, blank=True)
    nonce = models.TextField(blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.digest[:8]

    def claim(self) -> bool:
        """Use up the code. Of simultaneous callers, exactly one gets True."""
        unused = AuthorizationCode.objects.filter(pk=self.pk, used_at=None)
        return unused.update(used_at=timezone.now()) == 1

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.grant.scope


class RefreshToken(models.Model):
    """A refresh token of a rotation chain. The grant is the chain."""

    digest = models.CharField(primary_key=True, max_length=64)
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    exchanged_at = models.DateTimeField(null=True)
    exchanged_again_at = models.DateTimeField(null=True)  # once more, within the grace period

    def __str__(self) -> str:
        return self.digest[:8]

    def exchange(self, grace: timedelta) -> bool:
        """Use up the token, or use it once more within `grace` of the first use.

        Each use is one conditional UPDATE, so only one of simultaneous callers gets True.
        """
        now = timezone.now()
        row = RefreshToken.objects.filter(pk=self.pk)
        if row.filter(exchanged_at=None).update(exchanged_at=now):
            return True
        once_more = Q(exchanged_at__gt=now - grace, exchanged_again_at=None)
        return row.filter(once_more).update(exchanged_again_at=now) == 1

    def check_client(self, client: Client) -> bool:
        return self.grant.application_id == client.application.pk

    def get_scope(self) -> str:
        return self.grant.scope

    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    def is_revoked(self) -> bool:
        return self.exchanged_at is not None or not self.grant.is_live


class AccessToken(models.Model):
    """The record of a signed access token. Without a grant, the token is the application's own."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)  # the token's jti
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    grant = models.ForeignKey(Grant, null=True, on_delete=models.CASCADE, related_name="+")
    scope = models.TextField(blank=True)
    issued_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)

    def check_client(self, client: Client) -> bool:
        return self.application_id == client.application.pk

    def get_scope(self) -> str:
        return self.scope

    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    def is_revoked(self) -> bool:
        """Return whether token or grant is revoked or the user deactivated. The session's end does not count."""
        if self.revoked_at is not None:
            return True
        return self.grant is not None and (self.grant.revoked_at is not None or not self.grant.user.enabled)
