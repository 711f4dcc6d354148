"""Template tags of every page, tested with untrusted values."""

from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.utils import timezone, translation
from django.utils.formats import date_format

from console.page.icons import icon_svg

HOSTILE = "\"'><script>alert(1)</script>{{ 7|add:7 }}"
MOMENT = datetime(2026, 11, 24, 23, 30, 15, tzinfo=UTC)


def rendered(source: str, **values: object) -> str:
    return Template(source).render(Context(values))


def test_time_is_shown_in_the_readers_zone_with_utc_on_hover() -> None:
    with timezone.override("Asia/Tokyo"):
        html = rendered("{% when moment %}", moment=MOMENT)

    assert '<time datetime="2026-11-24T23:30:15Z" title="2026-11-24 23:30:15 UTC">25 Nov 2026, 08:30</time>' in html


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("month", range(1, 13))
def test_time_is_written_as_django_writes_it(month: int, language: str) -> None:
    moment = datetime(42 * month, month, 3, 7, 5, 9, tzinfo=UTC)

    with translation.override(language):
        assert f">{date_format(moment, 'j M Y, H:i')}</time>" in rendered("{% when moment %}", moment=moment)
        assert f">{date_format(moment, 'j M Y, H:i:s')} UTC<" in rendered("{% when moment exact=True %}", moment=moment)


def test_missing_time_is_shown_in_words() -> None:
    assert "No sign-in yet" in rendered('{% when moment missing="No sign-in yet" %}', moment=None)
    assert "No sign-in yet" in rendered('{% when device.used_at "No sign-in yet" %}', device=None)


def test_copyable_value_is_escaped() -> None:
    html = rendered("{% copyable value label %}", value=HOSTILE, label=HOSTILE)

    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)") == 4
    assert "{{ 7|add:7 }}" in html


def test_copy_button_needs_a_value() -> None:
    assert "<button" not in rendered("{% copyable value %}", value=None)


def test_icon_is_hidden_from_screen_readers_and_has_the_text_color() -> None:
    html = rendered('{% icon "users" %}')

    assert 'aria-hidden="true"' in html
    assert 'stroke="currentColor"' in html


@pytest.mark.parametrize("name", ["no-such-icon", "../../../console/icon", "", "users.svg", "LICENSE"])
def test_unknown_icon_raises_an_error(name: str) -> None:
    with pytest.raises(LookupError):
        icon_svg(name)
