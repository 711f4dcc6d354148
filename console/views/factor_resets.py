"""The page behind the link in the email about a reset of one's second factor. For anybody who has the link."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from console.access import public_view
from console.operators import lost_factor
from console.source_address import source_address


@public_view(reason="without their second factor nobody signs in: the secret of the link is the proof")
@require_http_methods(["GET", "HEAD", "POST"])
def stop_factor_reset(request: HttpRequest, token: str) -> HttpResponse:
    """Show the reset (GET), and stop it (POST). Programs that follow links change nothing."""
    template = "console/operators/stop_factor_reset.html"
    if request.method == "POST" and lost_factor.stop(token, source_address=source_address(request)):
        return render(request, template, {"stopped": True})
    reset = lost_factor.find(token)
    return render(request, template, {"reset": reset}, status=200 if reset else 404)
