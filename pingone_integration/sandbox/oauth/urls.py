"""URLs of the authorization server: `{auth}/{environment}/as/...`."""

from django.urls import include, path

from pingone_integration.sandbox.oauth import pages, views

app_name = "oauth"

_endpoints = [
    path(".well-known/openid-configuration", views.openid_configuration, name="openid-configuration"),
    path(".well-known/oauth-authorization-server", views.oauth_authorization_server, name="authorization-server"),
    path("authorize", pages.authorize, name="authorize"),
    path("sign-on", pages.sign_on, name="sign-on"),
    path("consent", pages.consent, name="consent"),
    path("signoff", pages.sign_off, name="sign-off"),
    path("jwks", views.jwks, name="jwks"),
    path("token", views.token, name="token"),
    path("revoke", views.revoke, name="revoke"),
    path("introspect", views.introspect, name="introspect"),
    path("userinfo", views.userinfo, name="userinfo"),
]

urlpatterns = [
    path("<uuid:environment_id>/as/", include(_endpoints)),
    path("assets/pages.css", views.stylesheet, name="stylesheet"),
]
