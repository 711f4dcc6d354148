"""Every address of the sandbox."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("pingone_integration.sandbox.oauth.urls")),
]
