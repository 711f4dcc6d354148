"""Form rendering: labels, help texts and errors linked to their inputs, with Tabler's classes."""

from django import forms


class Example(forms.Form):
    email = forms.EmailField(help_text="As in <PingOne>")
    color = forms.ChoiceField(choices=[("r", "Red"), ("b", "Blue")])
    size = forms.ChoiceField(choices=[("s", "Small"), ("l", "Large")], widget=forms.RadioSelect)
    agreed = forms.BooleanField()
    note = forms.CharField(widget=forms.Textarea(attrs={"class": "font-monospace"}), required=False)

    def clean(self) -> None:
        raise forms.ValidationError("These do not go <together>.")


def test_input_has_a_label_and_tablers_class() -> None:
    html = str(Example())

    assert '<label class="form-label required" for="id_email">Email</label>' in html
    assert 'aria-describedby="id_email_helptext" class="form-control"' in html
    assert 'class="form-select"' in html
    assert html.count('class="form-check-input"') == 3
    assert 'class="font-monospace form-control"' in html


def test_error_is_linked_to_its_input() -> None:
    html = str(Example({"email": "nonsense"})["email"].as_field_group())

    assert 'aria-describedby="id_email_helptext id_email_error"' in html
    assert 'aria-invalid="true"' in html
    assert "is-invalid" in html
    assert 'id="id_email_error"' in html
    assert "Enter a valid email address." in html


def test_first_mistake_gets_the_focus() -> None:
    html = str(Example({"email": "ada@acme.test", "size": "s", "color": "green"}))

    fields = html.partition("</ul>")[2]  # after the error of the whole form, which comes first
    assert fields.count("autofocus") == 1
    assert 'class="form-select is-invalid" autofocus' in fields


def test_single_field_has_the_same_spacing_as_in_a_form() -> None:
    form = Example()

    assert str(form["email"].as_field_group()).startswith('<div class="form-field">')
    assert str(form).count('class="form-field"') == 5


def test_help_text_is_escaped() -> None:
    assert "As in &lt;PingOne&gt;" in str(Example())


def test_error_of_the_whole_form_is_an_alert() -> None:
    html = str(Example({"email": "ada@acme.test"}))

    assert '<div class="alert alert-danger" role="alert" tabindex="-1" autofocus>' in html
    assert "These do not go &lt;together&gt;." in html
