"""The console's own data. Its data about PingOne is in pingone_integration.models."""

from console.models.api_calls import SavedApiCall
from console.models.approvals import ApprovalRequest, ApprovedRows
from console.models.audit import AppendOnlyError, AuditEntry, AuditTerm, UnfinishedEntry
from console.models.audit_heads import AuditHead, ServerAuditHead
from console.models.crawls import Crawl, CrawledUser, CrawlSettings, CrawlWork
from console.models.factor_resets import FactorReset
from console.models.invitations import Invitation
from console.models.jobs import Job, JobRow, JobWork
from console.models.limits import LimitPolicy, PersonSeen, ReachedLimit
from console.models.metrics import MetricSeries
from console.models.people import Membership, Operator, OperatorManager, Organization
from console.models.people_lists import ColumnMeanings, ListPart, PeopleList
from console.models.plans import Plan, PlanRun, PlanRunStep, PlanVersion, PlanWork
from console.models.protection import GroupReading, KnownGroup, ProtectedMark
from console.models.recovery import RecoveryPolicy, RecoverySettings
from console.models.recovery_attempts import RecoveryAttempt
from console.models.repetitions import Repetition
from console.models.resets import SentReset
from console.models.roles import Role
from console.models.rules import Rule, RuleEffect
from console.models.sign_in_limits import SignInCount, UsedCode
from console.models.single_sign_on import LinkedIdentity, MappedGroup
from console.models.tickets import TicketPolicy
from console.models.undo import UndoClaim
from console.models.user_mails import NotMeLink, NotMeReport, UserMailSettings
from console.models.user_templates import UserTemplate
from console.models.work import OutgoingEmail, ScheduledWork, Work, WorkerProcess

__all__ = [
    "AppendOnlyError",
    "ApprovalRequest",
    "ApprovedRows",
    "AuditEntry",
    "AuditHead",
    "AuditTerm",
    "ColumnMeanings",
    "Crawl",
    "CrawlSettings",
    "CrawlWork",
    "CrawledUser",
    "FactorReset",
    "GroupReading",
    "Invitation",
    "Job",
    "JobRow",
    "JobWork",
    "KnownGroup",
    "LimitPolicy",
    "LinkedIdentity",
    "ListPart",
    "MappedGroup",
    "Membership",
    "MetricSeries",
    "NotMeLink",
    "NotMeReport",
    "Operator",
    "OperatorManager",
    "Organization",
    "OutgoingEmail",
    "PeopleList",
    "PersonSeen",
    "Plan",
    "PlanRun",
    "PlanRunStep",
    "PlanVersion",
    "PlanWork",
    "ProtectedMark",
    "ReachedLimit",
    "RecoveryAttempt",
    "RecoveryPolicy",
    "RecoverySettings",
    "Repetition",
    "Role",
    "Rule",
    "RuleEffect",
    "SavedApiCall",
    "ScheduledWork",
    "SentReset",
    "ServerAuditHead",
    "SignInCount",
    "TicketPolicy",
    "UndoClaim",
    "UnfinishedEntry",
    "UsedCode",
    "UserMailSettings",
    "UserTemplate",
    "Work",
    "WorkerProcess",
]
