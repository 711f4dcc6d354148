"""Operators, the organizations they work for, and their roles there."""

from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.models.roles import Role as CustomRole
from console.models.ticket_links import LONGEST_LINK, validate_ticket_link
from pingone_integration.models import Connection
from pingone_integration.texts import Text
from pingone_integration.values import identifier


class OperatorManager(BaseUserManager["Operator"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Operator":
        """Create an operator. Without a password, the operator must set one through a link before signing in."""
        operator = self.model(email=self.normalize_email(email).lower(), **fields)
        operator.set_password(password)
        operator.save(using=self._db)
        return operator

    def get_by_natural_key(self, username: str | None) -> "Operator":
        return self.get(email__iexact=username)


class Operator(AbstractBaseUser):
    """A person who signs in to the console. In this code, a *user* is a person in PingOne."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150, blank=True)
    is_active = models.BooleanField(default=True)
    # Signs in with a password although everybody else has to use single sign-on.
    is_break_glass = models.BooleanField(default=False, db_default=False, editable=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[OperatorManager] = OperatorManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="operator_email_any_case")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def entered_organizations(self) -> "models.QuerySet[Organization]":
        """Return the organizations that the operator may enter: not those where the membership is suspended."""
        return Organization.objects.filter(memberships__operator=self, memberships__suspended_at=None)


class ManagerBy(models.TextChoices):
    """What an attribute that names the manager holds."""

    USERNAME = "username", _("Username")
    EMAIL = "email", _("Email")
    ID = "id", _("ID")


class Organization(models.Model):
    """A tenant of the console."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=150)
    slug = models.SlugField(unique=True)
    connection = models.OneToOneField(Connection, on_delete=models.PROTECT, related_name="organization")
    operators = models.ManyToManyField(Operator, through="Membership", related_name="organizations")
    # An example of a ticket, by action that requires one. TicketPolicy keeps it, so that no page needs a query for it.
    required_tickets = models.JSONField(default=dict, editable=False)
    # ISO 3166 codes, separated by spaces: where phone numbers without a country code belong.
    countries = models.CharField(max_length=60, blank=True)
    # An IANA name: when it is so late for users of whom PingOne has no time zone; empty: as for the operator.
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    ticket_link = models.CharField(max_length=LONGEST_LINK, blank=True, validators=[validate_ticket_link])
    # How long a contact that an operator changed proves nothing, in hours.
    cooling_off_hours = models.PositiveSmallIntegerField(default=72, db_default=72)
    # Sessions of operators end sooner than the server's setting demands; null: no sooner.
    session_idle_minutes = models.PositiveSmallIntegerField(null=True)
    session_hours = models.PositiveSmallIntegerField(null=True)
    # Members enter by single sign-on alone, while this server has a provider.
    single_sign_on_demanded = models.BooleanField(default=False, db_default=False, editable=False)
    # Words that no member's password may be made of, besides the organization's name. Separated by commas.
    password_words = models.CharField(max_length=500, blank=True, default="", db_default="")
    # Rights of built-in roles that differ from the code, by role: here, so that no page needs a query for them.
    role_overrides = models.JSONField(
        default=dict, db_default=models.Value({}, output_field=models.JSONField()), editable=False
    )
    # Keys of the roles that may do without a second factor. All others need one.
    second_factor_optional = models.JSONField(
        default=list, db_default=models.Value([], output_field=models.JSONField()), editable=False
    )
    # PingOne's attributes with a private address for account recovery. RecoveryPolicy keeps them, for the same reason.
    private_addresses = models.JSONField(
        default=list, db_default=models.Value([], output_field=models.JSONField()), editable=False
    )
    # PingOne's attribute that says who a user's manager is, and by what; empty: none was named. See plans/manager.py.
    manager_attribute = models.CharField(max_length=256, blank=True, default="", db_default="", editable=False)
    manager_by = models.CharField(
        max_length=8, choices=ManagerBy, default=ManagerBy.USERNAME, db_default=ManagerBy.USERNAME, editable=False
    )
    username_pattern = models.CharField(max_length=80, blank=True, default="", db_default="", editable=False)
    # What needs the approval of a second person. Here for the same reason. See approvals/rules.py.
    approvals = models.JSONField(
        default=dict, db_default=models.Value({}, output_field=models.JSONField()), editable=False
    )
    # While a lock down lasts, nothing gives access. Here for the same reason.
    locked_down_at = models.DateTimeField(null=True, editable=False)
    lock_down_reason = models.TextField(blank=True, db_default="", editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def phone_countries(self) -> tuple[str, ...]:
        return tuple(self.countries.split())

    @property
    def contact_attributes(self) -> list[str]:
        """Return PingOne's attributes that count as a contact besides email: only org admins write them."""
        return [*self.private_addresses, *filter(None, [self.manager_attribute])]

    @property
    def is_locked_down(self) -> bool:
        return self.locked_down_at is not None

    def active_operators(self) -> models.QuerySet[Operator]:
        """Return the operators who may enter."""
        return Operator.objects.filter(memberships__organization=self, memberships__suspended_at=None, is_active=True)

    def org_admins(self) -> models.QuerySet[Operator]:
        """Return the active org admins, who help operators that lack a permission.

        A role that stems from theirs is another role: it may lack what an org admin can do.
        """
        return Operator.objects.filter(
            memberships__organization=self,
            memberships__role="org_admin",
            memberships__custom_role=None,
            memberships__suspended_at=None,
            is_active=True,
        )


class Membership(models.Model):
    """An operator's role in an organization: a built-in one, or one of the organization's own."""

    class Role(models.TextChoices):
        ORG_ADMIN = "org_admin", _("Org admin")
        HELPDESK_AGENT = "helpdesk_agent", _("Helpdesk agent")
        AUDITOR = "auditor", _("Auditor")

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)  # with a custom role: the built-in one that it stems from
    custom_role = models.ForeignKey(CustomRole, on_delete=models.PROTECT, null=True, related_name="memberships")
    # IDs of the only populations whose users they see. None: all populations, also future ones.
    populations = models.JSONField(null=True, default=None)
    # Whether single sign-on gave it: then it changes and goes with the provider's groups. See single_sign_on/roles.py.
    is_by_groups = models.BooleanField(default=False, db_default=False, editable=False)
    # While a membership is suspended, it opens no door of the organization.
    suspended_at = models.DateTimeField(null=True, editable=False)
    # Since when they have this role and see these populations.
    since = models.DateTimeField(null=True, default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint("organization", "operator", name="one_membership_per_organization")]

    def __str__(self) -> str:
        return f"{self.operator}: {self.role_key} of {self.organization}"

    @property
    def role_key(self) -> str:
        return self.custom_role.key if self.custom_role else self.role

    @property
    def is_org_admin(self) -> bool:
        return self.custom_role is None and self.role == Membership.Role.ORG_ADMIN

    @property
    def role_name(self) -> Text:
        return self.custom_role.name if self.custom_role else Membership.Role(self.role).label

    @property
    def narrowed_to(self) -> frozenset[UUID] | None:
        """Return the only populations whose users they see, or None for all, as always for org admins.

        A population that PingOne no longer has stays: a member never sees more because one is gone.
        """
        if self.populations is None or self.is_org_admin:
            return None
        listed = self.populations if isinstance(self.populations, list) else []
        return frozenset(known for one in listed if (known := identifier(one)))
