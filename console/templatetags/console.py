"""The console's own template tags."""

from django import template

register = template.Library()
