"""The first recovery of somebody whom a plan created: a way to a password for a new user who has none to forget.

Their address was typed by whoever created them, so that it is new and not verified. For that one recovery neither
stands in the way, as long as nothing has changed since.
"""

from console.models import AuditEntry, Organization, PlanRun, PlanRunStep, RecoveryAttempt
from console.models.recovery import EMAIL
from console.protection import contacts
from console.protection.facts import folded
from console.recovery.addresses import address_of
from console.recovery.policy import policy_for
from pingone_integration.profiles import custom_name, in_words
from pingone_integration.users import User


def is_first(organization: Organization, user: User) -> bool:
    """Return whether a plan of this organization created the user, and neither they nor their address moved since."""
    policy = policy_for(organization, user.population_id)
    if policy is None or user.has_signed_on is not False:
        return False
    done = RecoveryAttempt.objects.filter(organization=organization, user_id=user.id, step=RecoveryAttempt.Step.DONE)
    run = _run_that_created(organization, user)
    if run is None or done.exists():
        return False
    typed = (run.choices.get("1") or {}).get("profile") or {}
    email = str(typed.get("email") or "")
    proof = email if policy.proof_attribute == EMAIL else in_words(typed.get(custom_name(policy.proof_attribute)))
    is_same = bool(proof) and folded(proof) == folded(address_of(user, policy)) and folded(email) == folded(user.email)
    return is_same and not _has_changed(organization, user, run, email, policy.proof_attribute)


def _run_that_created(organization: Organization, user: User) -> PlanRun | None:
    created = PlanRunStep.objects.filter(number=1, state=PlanRunStep.State.DONE, run__definition__kind="join")
    runs = PlanRun.objects.filter(organization=organization, person_id=user.id, pk__in=created.values("run"))
    return runs.order_by("created_at").first()


def _has_changed(organization: Organization, user: User, run: PlanRun, email: str, proof_attribute: str) -> bool:
    """Return whether the address may have been another one since, also if it is back to what it was."""
    if contacts.changed_since(organization, user.id, {"email", proof_attribute}, run.created_at):
        return True
    rows = AuditEntry.objects.filter(organization=organization, subject_id=str(user.id)).exclude(subject_email="")
    return any(folded(one) != folded(email) for one in rows.values_list("subject_email", flat=True).distinct())
