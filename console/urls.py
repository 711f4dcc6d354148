"""Every URL of the console."""

from django.urls import include, path

from console.views import (
    accounts,
    actions,
    audit,
    call_api,
    connect,
    connections,
    groups,
    home,
    limits,
    lock_down,
    members,
    new_user,
    not_me,
    policies,
    populations,
    protection,
    recover,
    recovery_settings,
    theme,
    ticket_policies,
    troubleshooting,
    undo,
    user_groups,
    user_language,
    users,
    view_as,
)

handler400 = "console.failures.pages.bad_request"
handler403 = "console.failures.pages.permission_denied"
handler404 = "console.failures.pages.not_found"
handler500 = "console.failures.pages.server_error"

urlpatterns = [
    path("", home.home, name="home"),
    path("theme/", theme.choose_theme, name="theme"),
    # No sign-up and no change of one's own address: an org admin decides who is an operator. No codes by email: who
    # reads an operator's mail could confirm changes in their name.
    path("accounts/signup/", accounts.closed),
    path("accounts/email/", accounts.closed),
    path("accounts/confirm-email/", accounts.closed),
    path("accounts/confirm-email/<str:key>/", accounts.closed),
    path("accounts/password/set/", accounts.closed),
    path("accounts/login/code/confirm/", accounts.closed),
    path("accounts/reauthenticate/code/", accounts.closed),
    path("accounts/reauthenticate/code/confirm/", accounts.closed),
    path("accounts/", include("allauth.urls")),
    path("recover/<slug:org>/language/", user_language.choose_language, name="user-language"),
    path("connect/callback/", connect.callback, name="connect-callback"),
    path("not-me/<str:token>/", not_me.not_me, name="not-me"),
    path(
        "recover/<slug:org>/",
        include(
            [
                path("", recover.recover, name="recover"),
                path("start/", recover.start_recovery, name="start-recovery"),
                path("code/", recover.recovery_code, name="recovery-code"),
                path("code/again/", recover.send_recovery_code_again, name="send-recovery-code-again"),
                path("choice/", recover.recovery_choice, name="recovery-choice"),
                path("password/", recover.recovery_password, name="recovery-password"),
                path("restart/", recover.restart_recovery, name="restart-recovery"),
            ]
        ),
    ),
    path(
        "o/<slug:org>/",
        include(
            [
                path("", home.organization, name="organization"),
                path("users/", users.user_list, name="users"),
                path("users/group-choices/", users.user_group_choices, name="user-group-choices"),
                path("users/new/", new_user.new_user, name="new-user"),
                path("users/new/existing/", new_user.new_user_existing, name="new-user-existing"),
                path("users/<uuid:user_id>/", users.user, name="user"),
                path("users/<uuid:target_id>/protection/", protection.mark_user, name="protect-user"),
                path("users/<uuid:user_id>/groups/", user_groups.user_groups, name="user-groups"),
                path("users/<uuid:user_id>/standing/", users.user_standing, name="user-standing"),
                path("users/<uuid:user_id>/panels/<str:key>/", users.user_panel, name="user-panel"),
                path("users/<uuid:user_id>/actions/<str:key>/", actions.user_action, name="user-action"),
                path("working-on/", actions.set_ticket, name="working-on"),
                path("audit/", audit.audit_log, name="audit"),
                path("audit/export/<str:kind>/", audit.export, name="audit-export"),
                path("audit/<uuid:entry_id>/", audit.entry, name="audit-entry"),
                path("audit/<uuid:entry_id>/read-again/", audit.read_again, name="audit-read-again"),
                path("audit/<uuid:entry_id>/undo/", undo.undo, name="undo"),
                path("groups/", groups.group_list, name="groups"),
                path("groups/<uuid:group_id>/", groups.group, name="group"),
                path("groups/<uuid:target_id>/protection/", protection.mark_group, name="protect-group"),
                path("groups/<uuid:group_id>/members.csv", groups.export_members, name="export-group-members"),
                path("populations/", populations.population_list, name="populations"),
                path("populations/sync/", populations.sync, name="sync-populations"),
                path("call-api/", call_api.composer, name="call-api"),
                path("call-api/save/", call_api.save, name="save-api-call"),
                path("call-api/<int:saved_id>/forget/", call_api.forget, name="forget-api-call"),
                path("troubleshooting/", troubleshooting.troubleshooting, name="troubleshooting"),
                path("troubleshooting/checks/", troubleshooting.check_all, name="connection-checks"),
                path("troubleshooting/checks/<str:key>/", troubleshooting.check_one, name="connection-check"),
                path("troubleshooting/capabilities/", troubleshooting.what_it_can_do, name="capabilities"),
                path("troubleshooting/support.txt", troubleshooting.support_text, name="support-text"),
                path("troubleshooting/auth-url/", troubleshooting.correct_auth_url, name="correct-auth-url"),
                path("troubleshooting/explain/", troubleshooting.explain_error, name="explain-error"),
                path("settings/policies/", policies.policies, name="policies"),
                path("settings/policies/tickets/", ticket_policies.ticket_policies, name="ticket-policies"),
                path("settings/policies/limits/", limits.limits, name="limits"),
                path("settings/policies/limits/<int:reached_id>/lift/", limits.lift_limit, name="lift-limit"),
                path("settings/policies/lock-down/", lock_down.lock_down, name="lock-down"),
                path("settings/policies/roles/", policies.copy_role, name="copy-role"),
                path("settings/policies/roles/<slug:key>/", policies.role, name="role"),
                path("settings/policies/roles/<slug:key>/rename/", policies.rename_role, name="rename-role"),
                path("settings/policies/roles/<slug:key>/delete/", policies.delete_role, name="delete-role"),
                path("settings/recovery/", recovery_settings.recovery_settings, name="recovery-settings"),
                path(
                    "settings/recovery/<uuid:population_id>/", recovery_settings.recovery_rules, name="recovery-rules"
                ),
                path(
                    "settings/recovery/<uuid:population_id>/count/",
                    recovery_settings.count_addresses,
                    name="count-addresses",
                ),
                path("view-as/stop/", view_as.stop_viewing, name="stop-viewing"),
                path("settings/members/", members.member_list, name="members"),
                path("settings/members/<int:membership_id>/", members.member, name="member"),
                path("settings/members/<int:membership_id>/view-as/", view_as.start_viewing, name="view-as"),
                path("settings/members/<int:membership_id>/role/", members.change_role, name="change-role"),
                path(
                    "settings/members/<int:membership_id>/populations/",
                    members.member_populations,
                    name="member-populations",
                ),
                path("settings/members/<int:membership_id>/remove/", members.remove, name="remove-member"),
                path("settings/connection/", connections.connection_settings, name="connection"),
                path("settings/connection/place/", connections.connection_place, name="connection-place"),
                path("settings/connection/connect/", connect.connect, name="connect"),
                path("settings/connection/environments/", connect.managed_environment, name="environments"),
                path("settings/connection/disconnect/", connections.disconnect, name="disconnect"),
            ]
        ),
    ),
]
