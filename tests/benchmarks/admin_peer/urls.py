"""The console's pages and the admin beside them. Every operator may do everything there, as a superuser may."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import path

from console.urls import urlpatterns as console_patterns
from tests.benchmarks.admin_peer.models import Person


class PeerSite(admin.AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated


class PersonAdmin(admin.ModelAdmin):
    list_display = ("name", "username", "email", "population", "enabled", "last_sign_on_at")
    list_filter = ("enabled",)
    list_per_page = 25
    search_fields = ("name", "username", "email")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    has_add_permission = has_module_permission
    has_change_permission = has_delete_permission = has_view_permission


site = PeerSite(name="admin")
site.register(Person, PersonAdmin)
urlpatterns = [path("admin/", site.urls), *console_patterns]
