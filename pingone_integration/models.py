"""An organization's connection to PingOne and its history. Secrets are stored encrypted (sealed)."""

import time
from datetime import datetime
from typing import Any, Self
from uuid import uuid4

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pingone_integration.errors import PingOneError, of_kind
from pingone_integration.sealing import seal, unseal

JUST_READ_S = 0.5


class HoldsSecrets(models.Model):
    """A row with `sealed_...` columns, each encrypted for its row and column."""

    class Meta:
        abstract = True

    def seal(self, column: str, secret: str) -> str:
        """Encrypt for this row and column; an empty secret stays empty."""
        return seal(self.place_of(column), secret) if secret else ""

    def unseal(self, column: str) -> str:
        """Decrypt e.g. `client_secret`; empty if there is no secret. Raises SealBroken."""
        sealed: str = getattr(self, f"sealed_{column}")
        return unseal(self.place_of(column), sealed) if sealed else ""

    @classmethod
    def secret_columns(cls) -> list[str]:
        return [field.name for field in cls._meta.concrete_fields if field.name.startswith("sealed_")]

    def place_of(self, column: str) -> str:
        return f"{self.pk}/{column}"


class Connection(HoldsSecrets):
    """A connection to one PingOne environment, with the rights of the administrator who connected."""

    class State(models.TextChoices):
        NOT_CONNECTED = "not_connected", _("not connected")
        CONNECTED = "connected", _("connected")
        NEEDS_ATTENTION = "needs_attention", _("needs attention")  # temporary: the grant is kept
        ENDING = "ending", _("works until its access token expires")  # the grant is gone, the access token is good
        RECONNECT_NEEDED = "reconnect_needed", _("reconnect needed")
        DISCONNECTED = "disconnected", _("disconnected")

    class ClientAuthentication(models.TextChoices):
        BASIC = "client_secret_basic", "Client Secret Basic"
        POST = "client_secret_post", "Client Secret Post"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)

    # Settings of the PingOne application
    client_id = models.CharField(max_length=255, blank=True)
    sealed_client_secret = models.TextField(blank=True)
    auth_url = models.CharField(max_length=255, blank=True)  # scheme and host; see regions.api_url_for
    environment_id = models.UUIDField(null=True)  # of the application, where administrators sign in
    client_authentication = models.CharField(
        max_length=32, choices=ClientAuthentication, default=ClientAuthentication.BASIC
    )
    managed_environment_id = models.UUIDField(null=True)  # where the users are; often another environment
    managed_environment_name = models.CharField(max_length=256, blank=True)

    # State
    state = models.CharField(max_length=20, choices=State, default=State.NOT_CONNECTED)
    state_kind = models.CharField(max_length=40, blank=True)  # kind of the PingOneError behind the state, if any
    state_cause = models.TextField(blank=True)
    state_changed_at = models.DateTimeField(null=True)

    # Grant
    sealed_access_token = models.TextField(blank=True)
    access_token_expires_at = models.DateTimeField(null=True)
    sealed_refresh_token = models.TextField(blank=True)
    refresh_token_issued_at = models.DateTimeField(null=True)
    scope = models.CharField(max_length=500, blank=True)
    consented_by = models.CharField(max_length=300, blank=True)  # the administrator's name at PingOne
    consented_by_id = models.CharField(max_length=64, blank=True)  # `sub` of the ID token
    consented_at = models.DateTimeField(null=True)

    # Lease of the refresh: claimed by one conditional UPDATE, see connection/tokens.py
    token_version = models.PositiveIntegerField(default=0)
    lease_owner = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    # The last call to PingOne, if it shows that PingOne or the roles fail; see calls/last_call.py
    calls_failing_kind = models.CharField(max_length=40, blank=True)  # kind of the PingOneError
    calls_turned_at = models.DateTimeField(null=True)  # when calls began to fail, or to work again

    # Circuit breaker, see calls/breaker.py
    calls_paused_until = models.DateTimeField(null=True)  # None if there is no pause
    calls_paused_s = models.PositiveSmallIntegerField(default=0)  # length of that pause; the next pause is longer

    # Rate limit, see calls/rate_limit.py
    licensed_calls = models.PositiveIntegerField(null=True)  # reads a second, shared by all clients; None if unknown
    rate_share = models.PositiveSmallIntegerField(null=True)  # percent of it for this server; None: PINGONE_RATE_SHARE
    calls_closed_until = models.DateTimeField(null=True)  # after a 429

    read_at: float | None = None  # by time.monotonic(); None once a call has used the row

    def __str__(self) -> str:
        return f"{self.environment_id} ({self.state})"

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        row = super().from_db(*args, **kwargs)
        row.read_at = time.monotonic()
        return row

    def take_if_just_read(self) -> bool:
        """Return whether the row is so new that a call need not read it again; True at most once.

        A second call must see what the first one changed.
        """
        just_read = self.read_at is not None and time.monotonic() - self.read_at < JUST_READ_S
        self.read_at = None
        return just_read

    @property
    def has_grant(self) -> bool:
        """Return whether calls can be made: with tokens that can be renewed, or until the access token expires."""
        return self.state_now in {self.State.CONNECTED, self.State.NEEDS_ATTENTION, self.State.ENDING}

    @property
    def state_now(self) -> State:
        """Return the state with regard to the clock and to the last call: the stored state changes with a call only."""
        state = self.State(self.state)
        works = {self.State.CONNECTED, self.State.NEEDS_ATTENTION, self.State.ENDING}
        if state in works and not self.can_be_renewed:
            if self.access_token_has_expired:
                return self.State.RECONNECT_NEEDED
            state = self.State.ENDING if state == self.State.CONNECTED else state
        if state in works and self.calls_failing_kind:
            return self.State.NEEDS_ATTENTION
        return state

    @property
    def can_be_renewed(self) -> bool:
        """Return whether the access token is renewed when it expires. Otherwise the connection ends with it."""
        return self.state in {self.State.CONNECTED, self.State.NEEDS_ATTENTION} and bool(self.sealed_refresh_token)

    @property
    def works_since(self) -> datetime | None:
        """Return when the connection was made or mended last, or None if it does not work."""
        if self.state_now != self.State.CONNECTED:
            return None
        return max(filter(None, (self.state_changed_at, self.calls_turned_at)), default=None)

    @property
    def access_token_has_expired(self) -> bool:
        return self.access_token_expires_at is None or self.access_token_expires_at <= timezone.now()

    @property
    def renewal_is_unfinished(self) -> bool:
        """Return whether the last renewal failed or was interrupted: a stored renewal clears the lease."""
        return self.lease_until is not None

    @property
    def has_tokens(self) -> bool:
        """Return whether tokens are stored, even if PingOne refuses them: only disconnecting erases them."""
        return bool(self.sealed_access_token or self.sealed_refresh_token)


class ConnectionEvent(models.Model):
    """A change of a connection's state, with its cause."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=20, choices=Connection.State)
    kind = models.CharField(max_length=40, blank=True)
    cause = models.TextField(blank=True)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.state}"

    @property
    def failure(self) -> type[PingOneError] | None:
        """Return the error behind the change, or None after a person's action or a recovery."""
        return of_kind(self.kind, otherwise=PingOneError) if self.kind else None

    @property
    def state_before(self) -> Connection.State:
        before = ConnectionEvent.objects.filter(connection=self.connection_id, pk__lt=self.pk).order_by("-pk").first()
        return Connection.State(before.state) if before else Connection.State.NOT_CONNECTED


class CallWindow(models.Model):
    """The number of calls of all processes in one second beyond their own shares; see rate_limit.py."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, primary_key=True, related_name="+")
    second = models.BigIntegerField()  # Unix time
    taken = models.PositiveIntegerField()
    recovering = models.PositiveIntegerField(default=0, db_default=0)  # of them: calls that recovery makes

    def __str__(self) -> str:
        return f"{self.taken} in {self.second}"


class AuthorizationRequest(HoldsSecrets):
    """An attempt to connect that waits for the browser to return. Valid once, for ten minutes."""

    state_digest = models.CharField(max_length=64, primary_key=True)  # SHA-256 of the OAuth `state`
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    bound_to = models.CharField(max_length=64)  # digest of the values that the return must share
    sealed_nonce = models.TextField()
    sealed_code_verifier = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.connection_id} at {self.created_at}"


class SyncedPopulation(models.Model):
    """A population as PingOne described it at the last sync of the connection's populations."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="synced_populations")
    environment_id = models.UUIDField()  # managed at that time: another choice hides these rows
    population_id = models.UUIDField()
    name = models.CharField(max_length=256)
    description = models.TextField(blank=True)
    is_default = models.BooleanField()
    user_count = models.PositiveIntegerField(null=True)  # None if PingOne does not say
    password_policy = models.CharField(max_length=256, blank=True)  # its name, else its ID; empty if default
    synced_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("connection", "environment_id", "population_id", name="population_synced_once")
        ]

    def __str__(self) -> str:
        return self.name


class FailedCalls(models.Model):
    """The number of a connection's calls that failed with one kind of error on one day, and the latest call."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="failed_calls")
    kind = models.CharField(max_length=40)
    day = models.DateField()  # in UTC
    count = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    # The latest call, as support asks for it; no personal data
    call = models.CharField(max_length=200, blank=True)  # GET /users/{id}
    status = models.PositiveSmallIntegerField(null=True)  # None if there was no response
    code = models.CharField(max_length=100, blank=True)
    error_id = models.CharField(max_length=100, blank=True)
    correlation_id = models.CharField(max_length=100, blank=True)
    transaction_id = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("connection", "kind", "day", name="failed_calls_of_a_day_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.kind}: {self.count}"
