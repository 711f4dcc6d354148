"""The console's own data. Its data about PingOne is in pingone_integration.models."""

from console.models.api_calls import SavedApiCall
from console.models.audit import AppendOnlyError, AuditEntry, AuditHead, AuditTerm, UnfinishedEntry
from console.models.people import Membership, Operator, OperatorManager, Organization
from console.models.roles import Role
from console.models.tickets import TicketPolicy
from console.models.undo import UndoClaim
from console.models.work import OutgoingEmail, ScheduledWork, Work, WorkerProcess

__all__ = [
    "AppendOnlyError",
    "AuditEntry",
    "AuditHead",
    "AuditTerm",
    "Membership",
    "Operator",
    "OperatorManager",
    "Organization",
    "OutgoingEmail",
    "Role",
    "SavedApiCall",
    "ScheduledWork",
    "TicketPolicy",
    "UndoClaim",
    "UnfinishedEntry",
    "Work",
    "WorkerProcess",
]
