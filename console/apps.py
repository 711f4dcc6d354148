from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from allauth.account import signals as account
        from allauth.mfa import signals as mfa
        from allauth.mfa.recovery_codes.internal import auth as codes
        from allauth.mfa.recovery_codes.internal import flows as code_flows
        from django.conf import settings
        from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
        from django.core.signals import request_finished

        from console.connection.mail import state_changed
        from console.crawls.tasks import CRAWLS
        from console.failures import error_tracker
        from console.jobs.tasks import JOBS
        from console.metrics import sign_ins, totals
        from console.not_me.tasks import REPORTS
        from console.operators import account_events
        from console.operators.recovery_codes import HashedRecoveryCodes
        from console.operators.sign_ins import second_factor_refused
        from console.plans.tasks import PLANS
        from console.policies.dropped_patterns import tell_after_upgrade
        from console.recovery.tasks import ATTEMPTS
        from console.resets.looks import SENT_RESETS
        from console.rules.tasks import RULES
        from console.sessions import sign_ins as sessions
        from console.work import tasks
        from pingone_integration.calls.connection_states import connection_state_changed

        for kind in (ATTEMPTS, REPORTS, SENT_RESETS, CRAWLS, JOBS, RULES, PLANS):
            tasks.register(kind)
        import_module("console.server.deploy_checks")  # registers them
        codes.RecoveryCodes = code_flows.RecoveryCodes = HashedRecoveryCodes  # allauth has no setting for it
        mfa.authentication_failed.connect(second_factor_refused)
        mfa.authentication_failed.connect(sign_ins.second_factor_refused)
        mfa.authenticator_added.connect(account_events.factor_added)
        mfa.authenticator_reset.connect(account_events.factor_added)
        mfa.authenticator_removed.connect(account_events.factor_removed)
        account.password_changed.connect(account_events.password_changed)
        account.password_reset.connect(account_events.password_reset)
        account.authentication_step_completed.connect(sessions.renew)
        user_logged_in.connect(sessions.begin)
        user_logged_out.connect(sessions.end)
        user_login_failed.connect(sign_ins.password_refused)
        post_migrate.connect(tell_after_upgrade, sender=self)
        connection_state_changed.connect(state_changed)
        request_finished.connect(_end_transaction)
        if settings.SENTRY_DSN:
            error_tracker.start(settings.SENTRY_DSN)
        if settings.METRICS_TOKEN:
            totals.keep_storing()


def _end_transaction(**signal: Any) -> None:
    from pingone_integration.calls import transaction_id

    transaction_id.end()
