"""Hostile and odd files through the page that takes them: what a person is told, and that nothing is half done."""

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from console.access import enter_org
from console.jobs import lists
from console.models import ColumnMeanings, Job, JobRow, ListPart, PeopleList

pytestmark = pytest.mark.django_db

Content = bytes | Callable[[], bytes]  # a function makes what is large
NAMES = "Username,Title\r\nmara,Chefärztin\r\nbo,Größe\r\nana,Peña\r\n"
PLAIN = "Username,Title\nuser1,Lead\nuser2,Boss\n"
NO_TEXT = "This is not a text file. Save the list as CSV, and upload that."
NO_HEADINGS = "Line 1: The first line has to name the columns"
NOBODY = "There is nobody in this list: it has only a line of headings."
NOT_CLOSED = "A quotation mark opens a cell here, and is not closed where the cell ends."
TOO_LONG = "A quotation mark opens a cell here that is longer than 32,000 characters: perhaps it is not closed."
TOO_MANY = "Line 100002: The list has more than 100,000 people. Split it."


def zipped(name: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, PLAIN)
    return archive.getvalue()


REFUSED: dict[str, tuple[Content, str]] = {  # what is told
    "UTF-32": (NAMES.encode("utf-32"), "This file is encoded as UTF-32. Save it as UTF-8."),
    "UTF-32 without its mark": (NAMES.encode("utf-32-le"), NO_TEXT),
    "UTF-32, the other way round": (NAMES.encode("utf-32-be"), NO_TEXT),
    "a NUL": (b"Username,Title\nuser1,x\nuser2,L\0ad\n" + b"eva,x\n" * 99, "Line 3: There is a NUL character here"),
    "NULs alone": (b"\0" * 5_000, NO_TEXT),
    "10,000 columns": (
        b",".join(b"c%d" % one for one in range(10_000)) + b"\n1\n",
        "Line 1: There are 10,000 columns. A list may have 500.",
    ),
    "10,000 cells": (b"Username\nmara" + b"," * 9_999 + b"x\n", "Line 2: There are 10,000 columns."),
    "a ZIP archive": (zipped("people.csv"), "This is a workbook or a ZIP archive, not a CSV file."),
    "a workbook": (zipped("xl/workbook.xml"), "Save the sheet as CSV, and upload that."),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0\1" * 500, "This is an Excel workbook"),
    "gzip": (gzip.compress(PLAIN.encode()), "This is a compressed file, not a CSV file. Unpack it first."),
    "a PDF file": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "This is a PDF file, not a CSV file."),
    "a PNG image": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1", "This is an image, not a CSV file."),
    "a JPEG image": (b"\xff\xd8\xff\xe0\x10JFIF\1\1" + bytes(range(1, 256)) * 4, "This is an image, not a CSV file."),
    "a web page": (
        b"<!DOCTYPE html>\n<table><tr><td>Username</td></tr></table>\n",
        "This is a web page or an XML file",
    ),
    "XML": (b'\xef\xbb\xbf<?xml version="1.0"?>\n<users>\n<user name="mara"/>\n', "This is a web page or an XML file"),
    "JSON": (json.dumps([{"username": "mara"}], indent=1).encode(), "This is a JSON file, not a CSV file."),
    "JSON by lines": (b'{"username": "mara"}\n{"username": "bo"}\n', "This is a JSON file, not a CSV file."),
    "a text document": (b"{\\rtf1\\ansi Username\n\\b mara\n}", "This is a text document (RTF), not a CSV file."),
    "an empty file": (b"", "The file is empty."),
    "a byte order mark alone": (b"\xef\xbb\xbf", "The file is empty."),
    "a header alone": (b"Username,Title\n", NOBODY),
    "a header without its end": (b"Username,Title", NOBODY),
    "blank lines alone": (b"\n\r\n \n\t\n\xc2\xa0\n", "The file is empty."),
    "commas alone": (b",,,\n,,,\n", "The file is empty."),
    "semicolons alone": (b";;;\n;;;\n", NO_HEADINGS),
    "a quote that is not closed": (b'Username,Title\nmara,x\nbo,"y\neva,z\n', f"Line 3: {NOT_CLOSED}"),
    "a quote that is not closed in 20 MB": (
        lambda: b'Username,Title\nmara,"x\n' + b"eva,zzzzzzzzz\n" * 1_400_000,
        f"Line 2: {TOO_LONG}",
    ),
    "a quote that is not closed in a line of 20 MB": (
        lambda: b'Username,Title\nmara,"' + b"x" * 19_900_000,
        "Line 2: This line is longer than 1,000,000 characters.",
    ),
    "a quote that is closed too early": (b'Username,Title\nmara,"B"o"\n', "Line 2: There is text after a closing"),
    "a cell of 1 MB": (
        b"Username,Title\nmara,x\nbo," + b"x" * 999_000 + b"\n",
        "Line 3: A cell is longer than 32,000 characters.",
    ),
    "a cell of 1 MB with line ends": (b'Username,Title\nmara,"' + b"x\n" * 499_000 + b'"\n', f"Line 2: {TOO_LONG}"),
    "100,001 people": (b"Username,Title\n" + b"mara,x\n" * 100_001, TOO_MANY),
    "a million people": (lambda: b"Username,Title\n" + b"mara,x\n" * 1_000_000, TOO_MANY),
    "more than 20 MB": (lambda: b"Username\n" + b"mara\n" * 4_000_000, "The file is larger than 20 MB. Split it."),
    "a heading twice": (
        b"Username,Title,Username\na,b,c\n",
        "Line 1: The heading “Username” is there twice, in columns 1 and 3. Rename one of them.",
    ),
    "a heading twice but for an invisible character": (
        "Username,User\u200bname\na,b\n".encode(),
        "Line 1: The heading “Username” is there twice, in columns 1 and 2.",
    ),
    "a heading twice but for its hyphen": (
        b"Username,E-mail,Email\na,b,c\n",
        "Line 1: The headings “E-mail” and “Email”, in columns 2 and 3, are the same but for how they are written.",
    ),
    "a heading twice but for its width": (
        "Username,\uff35ser name\na,b\n".encode(),
        "Line 1: The headings “Username” and “\uff35ser name”, in columns 1 and 2, are the same",
    ),
    "a header without names": (b"--;!!\nmara;a\n", NO_HEADINGS),
    "no header": (b"mara@acme.test,Lead\nbo@acme.test,Boss\n", f"{NO_HEADINGS}, but it contains “mara@acme.test”."),
    "lines that end as no program ends them": ("Username\u2028user1\u2028user2\u2028".encode(), NOBODY),
}


@pytest.fixture
def admin(browser_of, org_admin, environment):
    return browser_of(org_admin)


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def upload(browser: Client, content: Content, *, action: str = "user.update"):
    file = SimpleUploadedFile("people.csv", content() if callable(content) else content)
    return browser.post("/o/acme/jobs/new/upload/", {"job_action": action, "upload": file})


def assert_nothing_is_left() -> None:
    assert not PeopleList.objects.exists()
    assert not ListPart.objects.exists()
    assert not JobRow.objects.exists()
    assert not Job.objects.exists()
    assert not ColumnMeanings.objects.exists()


@pytest.mark.parametrize("case", REFUSED)
def test_bad_file_is_refused_in_words_and_nothing_of_it_is_kept(admin, case):
    content, told = REFUSED[case]

    answer = upload(admin, content)

    assert answer.status_code == 422
    assert told in words(answer.text)
    assert '<option value="user.update" selected>' in answer.text  # what was chosen stays
    assert_nothing_is_left()


TITLES = [(2, "user1", {"title": "Lead"}, ""), (3, "user2", {"title": "Boss"}, "")]
READ: dict[str, tuple[bytes, list[tuple[int, str, dict[str, str], str]]]] = {  # line, key, values, why it is not used
    "UTF-16": (PLAIN.encode("utf-16"), TITLES),
    "UTF-16 without its mark": (PLAIN.encode("utf-16-le"), TITLES),
    "UTF-16, the other way round": (PLAIN.encode("utf-16-be"), TITLES),
    "UTF-8 with a mark": (PLAIN.encode("utf-8-sig"), TITLES),
    "semicolons": (PLAIN.replace(",", ";").encode(), TITLES),
    "tabs": (PLAIN.replace(",", "\t").encode(), TITLES),
    "pipes": (PLAIN.replace(",", "|").encode(), TITLES),
    "mixed line ends": (PLAIN.replace("\n", "\r", 1).replace("Lead\n", "Lead\r\n").encode(), TITLES),
    "a separator in quotes": (b'Username,Title\nuser1,"a,b;c"\n', [(2, "user1", {"title": "a,b;c"}, "")]),
    "doubled quotes": (b'Username,Title\nuser1,"a ""b"" c"\n', [(2, "user1", {"title": 'a "b" c'}, "")]),
    "Excel's first line": (
        b"\xef\xbb\xbfsep=;\r\nUsername;Title\r\nuser1;a,b,c,d\r\n",
        [(3, "user1", {"title": "a,b,c,d"}, "")],
    ),
    "invisible characters": (
        "\ufeffUser\u200bname\u00a0,\u202eTitle\nuse\u00adr1\u200e,Le\u200bad\n".encode(),
        [(2, "user1", {"title": "Lead"}, "")],
    ),
    "line separators in a cell": (
        "Username,Title\nuser1,Le\u2028ad\n".encode(),
        [(2, "user1", {"title": "Le ad"}, "")],
    ),
    "headings without names": (b"Username,,,Title\nuser1,a,b,Lead\n", [(2, "user1", {"title": "Lead"}, "")]),
    "formulas": (
        b"Username,Title\nuser1,=1+1\n=user2,Boss\nuser3,'=Boss\n",
        [
            (2, "user1", {}, "The column “Title” has a formula, not a text: =1+1"),
            (3, "", {}, "The column “Username” has a formula, not a text: =user2"),
            (4, "user3", {"title": "=Boss"}, ""),
        ],
    ),
    "a row that is too long": (
        b"Username,Title\nuser1,Lead,extra\nuser2,Boss,\n",
        [
            (2, "user1", {}, "This line has 3 cells, the first line has 2. A cell with a separator needs quotation"),
            TITLES[1],
        ],
    ),
    "a row that is too short": (
        b"Title,Username,Nickname\nLead,user1\nBoss\n",
        [TITLES[0], (3, "", {}, "is missing.")],
    ),
    "a last line without its end": (PLAIN[:-1].encode(), TITLES),
    "half a character at the end of UTF-16": (
        PLAIN.encode("utf-16-le") + b"x",
        [*TITLES, (4, "", {}, "Letters were lost in the column “Username”")],
    ),
}


def chosen_columns(page: str) -> dict[str, str]:
    selects = re.findall(r'<select name="(column-\d+|key)"(.*?)</select>', page, re.DOTALL)
    found = {name: re.search(r'value="([^"]*)" selected', options) for name, options in selects}
    return {name: chosen[1] if chosen else "" for name, chosen in found.items()}


def made(browser: Client, content: bytes, *, encoding: str = "utf-8") -> list[tuple[int, str, dict[str, str], str]]:
    """Return the rows of the job that is made of the file as the console reads it."""
    to = upload(browser, content)["Location"] + f"&encoding={encoding}"
    page = browser.get(to).text
    form = chosen_columns(page) | {"job_action": "user.update", "make": "1", "encoding": encoding}
    assert browser.post(to.partition("?")[0], form).status_code == 302
    job = Job.objects.get()
    assert lists.fill(enter_org(job.starter, "acme"), job)
    return list(job.rows.order_by("number").values_list("number", "key", "values", "problem"))


@pytest.mark.parametrize("case", READ)
def test_odd_file_is_read_as_it_is_meant_and_its_bad_rows_say_why(admin, case):
    content, expected = READ[case]

    rows = made(admin, content)

    assert [row[:3] for row in rows] == [row[:3] for row in expected]
    for (*_row, problem), (*_expected, told) in zip(rows, expected, strict=True):
        assert (told in problem) if told else not problem
    assert Job.objects.get().is_possibly_cut is (
        case in {"a last line without its end", "half a character at the end of UTF-16"}
    )


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "mac_roman"])
def test_file_of_an_older_encoding_is_read_as_somebody_chooses(admin, encoding):
    content = NAMES.encode(encoding)
    asked = unescape(admin.get(upload(admin, content)["Location"]).text)
    readings = re.findall(r'name="encoding" value="([^"]+)".*?</label>', asked, re.DOTALL)
    assert 2 <= len(readings) <= 3
    assert "Chefärztin" in asked
    PeopleList.objects.all().delete()

    rows = made(admin, content, encoding="cp1252" if encoding == "latin-1" else encoding)

    assert [values["title"] for _number, _key, values, _problem in rows] == ["Chefärztin", "Größe", "Peña"]


def test_file_that_is_utf_8_but_for_a_line_can_be_read_without_that_line(admin):
    content = NAMES.encode() + "eva,Renée\r\n".encode("cp1252")
    asked = unescape(admin.get(upload(admin, content)["Location"]).text)
    assert 'value="utf-8"' in asked
    assert "Ren\ufffde" in asked
    PeopleList.objects.all().delete()

    rows = made(admin, content)

    assert [row[2] for row in rows] == [{"title": "Chefärztin"}, {"title": "Größe"}, {"title": "Peña"}, {}]
    assert "Letters were lost" in rows[3][3]


def test_meanings_that_do_not_do_are_refused_and_stay_as_they_were_chosen(admin):
    to = upload(admin, b"Username,Note,Title\nuser1,a,b\n")["Location"].partition("?")[0]
    form = {"job_action": "user.update", "key": "email", "encoding": "utf-8", "make": "1"}

    answer = admin.post(to, form | {"column-0": "", "column-1": "nickname", "column-2": "title"})

    assert answer.status_code == 422
    assert "No column is the Email." in words(answer.text)
    chosen = {"key": "email", "column-0": "", "column-1": "nickname", "column-2": "title"}
    assert chosen_columns(answer.text) == chosen
    assert not Job.objects.exists()
    assert not ColumnMeanings.objects.exists()


def test_first_values_are_shown_without_characters_that_hide_or_turn_others(admin):
    page = admin.get(upload(admin, "Username,Title\nuser1,\u202elive\u200b\n".encode())["Location"]).text

    assert "<bdi>live</bdi>" in page


def test_headings_that_differ_in_an_accent_are_both_remembered_as_they_are_read(admin):
    content = "Username,Né,Ne\nuser1,a,b\n".encode()
    to = upload(admin, content)["Location"]
    form = {"job_action": "user.update", "key": "username", "encoding": "utf-8", "make": "1"}
    admin.post(to.partition("?")[0], form | {"column-0": "username", "column-1": "title", "column-2": ""})

    again = admin.get(upload(admin, content)["Location"]).text

    assert chosen_columns(again)["column-1"] == "title"


class Broken(io.BytesIO):
    """A request body whose connection breaks at its end."""

    def read(self, size: int | None = -1, /) -> bytes:
        if found := super().read(size):
            return found
        raise OSError("the connection broke")


@pytest.mark.parametrize("loss", ["no action", "no token", "a broken connection"])
def test_upload_that_comes_to_nothing_leaves_no_file(org_admin, environment, settings, loss):
    browser = Client(enforce_csrf_checks=loss == "no token", raise_request_exception=False)
    browser.force_login(org_admin)
    browser.cookies[settings.CSRF_COOKIE_NAME] = "x" * 32
    head = b'--b\r\nContent-Disposition: form-data; name="upload"; filename="f"\r\n\r\n' + b"mara\n" * 100_000
    body = (Broken if "broken" in loss else io.BytesIO)(head + (b"" if "broken" in loss else b"\r\n--b--\r\n"))
    length = len(body.getvalue()) + ("broken" in loss)

    options: dict[str, Any] = {"wsgi.input": body, "CONTENT_LENGTH": str(length)}
    options["CONTENT_TYPE"] = "multipart/form-data; boundary=b"
    answer = browser.generic("POST", "/o/acme/jobs/new/upload/", **options)

    assert answer.status_code in {400, 403, 422}
    assert body.tell() > 400_000  # it was read
    assert_nothing_is_left()


def test_command_leaves_no_file_of_a_bad_list(org_admin, environment, tmp_path):
    bad, older = tmp_path / "bad.csv", tmp_path / "older.csv"
    bad.write_bytes(b'Username\n"mara\n')
    older.write_bytes(NAMES.encode("cp1252"))
    for path, told in ((bad, "Line 2"), (older, "--encoding one of cp1252"), (tmp_path / "gone.csv", "--file")):
        with pytest.raises(CommandError, match=told):
            call_command(
                "pingone", "acme", "job", "preview", "user.update", "--file", str(path), "--as", org_admin.email
            )

    assert_nothing_is_left()
