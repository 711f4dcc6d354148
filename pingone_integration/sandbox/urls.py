"""Every URL of the sandbox."""

from django.urls import URLPattern, URLResolver, include, path

from pingone_integration.sandbox import pages
from pingone_integration.sandbox.api.urls import AT_AUTHORIZATION_HOST
from pingone_integration.sandbox.faults.pages import control_page

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.index, name="index"),
    path("sandbox/outbox/", pages.outbox, name="outbox"),
    path("sandbox/faults/", control_page, name="faults"),
    *(path(route, resource) for route, resource in AT_AUTHORIZATION_HOST.items()),
    path("", include("pingone_integration.sandbox.oauth.urls")),
    path("v1/", include("pingone_integration.sandbox.api.urls")),
]
handler500 = "pingone_integration.sandbox.api.endpoint.server_error"
