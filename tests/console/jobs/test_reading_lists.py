"""Lists in files: what they say, in every encoding and with every separator, and what is refused, with its line."""

import csv
import io
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.actions.catalogue import ACTIONS, BY_KEY, Action
from console.jobs.files.bad_list import BadList
from console.jobs.files.columns import Remembered, columns_of, meanings_of
from console.jobs.files.reading import ListReading, read_list, rows_in
from console.jobs.files.template import template_lines
from console.jobs.listed import CLEAR, KeyKind, ListedRow
from console.page.csv_export import csv_lines
from pingone_integration.schemas import attribute_of
from pingone_integration.typed.text import clean

ATTRIBUTES = tuple(
    found
    for found in (
        attribute_of({"name": "costCentre", "displayName": "Cost center", "schemaType": "CUSTOM"}),
        attribute_of({"name": "contractor", "displayName": "Is contractor", "schemaType": "CUSTOM", "type": "BOOLEAN"}),
        attribute_of({"name": "region", "displayName": "Region of sales", "schemaType": "CUSTOM"}),
    )
    if found
)
UPDATE = meanings_of(BY_KEY["user.update"])
DEACTIVATE = meanings_of(BY_KEY["user.deactivate"])
CREATE = meanings_of(BY_KEY["user.create"])


def pieces_of(content: bytes, size: int = 65_536) -> Callable[[], Iterator[bytes]]:
    return lambda: (content[start : start + size] for start in range(0, len(content), size))


def reading_of(content: bytes | str, meanings=UPDATE, **options) -> ListReading:
    return read_list(pieces_of(content.encode() if isinstance(content, str) else content), meanings, **options)


def rows(content: bytes | str, meanings=UPDATE, *, populations=None, **options) -> list[ListedRow]:
    content = content.encode() if isinstance(content, str) else content
    pieces = pieces_of(content)
    return list(rows_in(pieces, read_list(pieces, meanings, **options), populations=populations))


TABLE = [["Username", "Given name", "Family name"], ["mara", "Mära", "Lind"], ["bo", "Bo; Jr, II", 'Ek "B"']]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_list_is_read_with_every_separator_encoding_and_line_end(separator: str, encoding: str, end: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(TABLE)

    found = rows(text.getvalue().encode(encoding))

    assert [(row.number, row.key, row.values, row.problem) for row in found] == [
        (2, "mara", {"given_name": "Mära", "family_name": "Lind"}, None),
        (3, "bo", {"given_name": "Bo; Jr, II", "family_name": 'Ek "B"'}, None),
    ]


def test_line_ends_may_be_mixed_and_cells_may_have_some() -> None:
    found = rows('Username,Street address,Title\r\nmara,"Main St 1\nFloor 2",Lead\rbo,,"An\ralyst"\n\r\n\nada,x,y\r\n')

    assert [(row.number, row.key, dict(row.values)) for row in found] == [
        (2, "mara", {"street_address": "Main St 1\nFloor 2", "title": "Lead"}),
        (4, "bo", {"title": "An alyst"}),
        (8, "ada", {"street_address": "x", "title": "y"}),
    ]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_lines_are_counted_alike_however_the_file_comes_in_pieces(size: int) -> None:
    content = b"Username,Title\r\nmara,x\r\n\r\nbo,y\reva,z\r\n"
    pieces = pieces_of(content, size)

    assert [(row.number, row.key) for row in rows_in(pieces, read_list(pieces, UPDATE))] == [
        (2, "mara"),
        (4, "bo"),
        (5, "eva"),
    ]


def test_byte_order_mark_is_no_part_of_a_quoted_heading() -> None:
    (row,) = rows('\ufeff"Boots, size",Username\n9,mara\n')

    assert (row.key, row.problem) == ("mara", None)


def test_separator_may_be_declared_for_a_spreadsheet() -> None:
    assert [(row.number, row.key, row.values) for row in rows("sep=;\r\nUsername;Title\r\nmara;a,b,c,d\r\n")] == [
        (3, "mara", {"title": "a,b,c,d"})
    ]


def test_empty_cell_and_missing_column_change_nothing_and_clear_is_written_out() -> None:
    (row,) = rows("Username,Title,Nickname,Locale\nmara,,[Clear], \u200b \n")

    assert row.values == {"nickname": CLEAR}


def test_invisible_characters_are_taken_out_of_headings_keys_and_values() -> None:
    (row,) = rows(
        "\ufeff\u200bE\u00admail\u00a0,Given\u00a0name\n\u200e<mailto:Mara@acme.test>\u2069 ,Ma\u200bra\u00a0\n"
    )

    assert (row.key, row.values) == ("Mara@acme.test", {"given_name": "Mara"})


@pytest.mark.parametrize(
    ("heading", "meaning"),
    [
        *(("E-mail", "email"), ("mail", "email"), ("Email Address", "email"), ("subject_email", "email")),
        *(("User ID", "id"), ("id", "id"), ("subject_id", "id"), ("UserPrincipalName", "username")),
        *(("Employee ID", "external_id"), ("externalId", "external_id"), ("Vorname", "given_name")),
        *(("name.given", "given_name"), ("Surname", "family_name"), ("mobilePhone", "mobile_phone")),
        *(("Prénom", "given_name"), ("address.postalCode", "postal_code"), ("Job title", "title"), ("Boots", "")),
    ],
)
def test_heading_is_recognized(heading: str, meaning: str) -> None:
    other = "Username" if meaning != "username" else "Email"
    columns = reading_of(f"{other},{heading}\na,b\n").columns

    assert columns
    assert columns.columns[1].meaning == meaning


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Email,User ID,Username", KeyKind.ID),
        ("Email,External ID,Username", KeyKind.USERNAME),
        ("Email,External ID", KeyKind.EXTERNAL_ID),
        ("Title,Email", KeyKind.EMAIL),
    ],
)
def test_key_is_the_surest_column_there_is(header: str, key: KeyKind) -> None:
    columns = reading_of(f"{header}\na,b,c\n").columns

    assert columns
    assert (columns.key, columns.problem) == (key, "")


def test_key_is_that_of_the_last_list_and_never_an_empty_column() -> None:
    last = Remembered({}, KeyKind.EMAIL)

    kinds = [
        reading_of(f"User ID,Username,Email\n{row}\n", remembered=remembered).columns
        for row, remembered in ((",a,b", None), (",,b", None), ("i,a,b", last), ("i,a,", last))
    ]

    assert [columns.key for columns in kinds if columns] == ["username", "email", "email", "id"]


@pytest.mark.parametrize("action", [action for action in ACTIONS if action.bulk], ids=lambda action: action.key)
def test_template_of_an_action_is_read_as_it_is_meant(action: Action) -> None:
    lines = "".join(template_lines(action, ATTRIBUTES))
    (headings,) = csv.reader([lines.removeprefix("\ufeff")])

    meanings = meanings_of(action, ATTRIBUTES)
    columns = columns_of(headings, meanings, creates=not action.needs_user)

    expected = [one.name for one in meanings if one.is_written or one.name == "username"]
    assert [column.meaning for column in columns.columns] == expected
    assert columns.key == (KeyKind.USERNAME if action.needs_user else None)
    assert not columns.problem


def test_own_attributes_of_the_environment_are_columns_by_name_and_display_name() -> None:
    text = "Username,costCentre,Is contractor,Region of sales\nmara,12,TRUE,Nord\nbo,,no,\n"

    first, second = rows(text, meanings_of(BY_KEY["user.update"], ATTRIBUTES))

    assert first.values == {"costCentre": "12", "contractor": "true", "custom.region": "Nord"}
    assert second.values == {"contractor": "false"}


def test_columns_are_kept_as_they_were_chosen() -> None:
    columns = reading_of(
        "Mail,Whatever,Title\na@acme.test,b,c\n", remembered=Remembered({"whatever": "nickname", "title": ""}, None)
    ).columns

    assert columns
    assert [column.meaning for column in columns.columns] == ["email", "nickname", ""]
    assert type(columns).of_stored(columns.stored()) == columns


def test_two_columns_of_one_meaning_are_not_both_read() -> None:
    columns = reading_of("Username,Phone,Telephone\na,1,2\n").columns

    assert columns
    assert [column.meaning for column in columns.columns] == ["username", "primary_phone", ""]


def test_created_users_have_no_key_and_a_population_by_name_or_id() -> None:
    staff = "0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6"
    head = f"Username,Email,Population\nmara,m@acme.test, STAFF\nbo,b@acme.test,{staff.upper()}\n"
    text = f"{head}eva,,Nowhere\nliv,,Two\n,x@acme.test,\n"

    found = rows(text, CREATE, creates=True, populations=[("Staff", staff), ("Two", "1"), ("two ", "2")])

    assert [row.username for row in found] == ["mara", "bo", "eva", "liv", ""]  # also of rows that cannot be used
    assert [(row.key, dict(row.values), str(row.problem or "")) for row in found] == [
        ("", {"username": "mara", "email": "m@acme.test", "population_id": staff}, ""),
        ("", {"username": "bo", "email": "b@acme.test", "population_id": staff}, ""),
        ("", {}, "There is no population “Nowhere”."),
        ("", {}, "Several populations have the name “Two”. Write the ID of one of them."),
        ("", {}, "The Username is missing."),
    ]


def test_rows_that_cannot_be_used_say_why_and_the_others_are_read() -> None:
    text = (
        "User ID,Title,Username\n"
        "7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910,Lead,mara\n"
        "nobody,Lead,mara\n"
        ",Lead,mara\n"
        "{7F6E5D4C-3B2A-4190-8F7E-6D5C4B3A2911},=1+1,mara\n"
        '7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2912,"=""007""",\n'
        "7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2913,'=1+1,\n"
        "7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2914,Lead,[clear]\n"
        "7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2915,Lead,mara,Boston\n"
        "7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2916,L\ufffdad,mara\n"
        "7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2917,Le"
    )

    assert [(row.number, row.key[-2:], dict(row.values), str(row.problem or "")) for row in rows(text)] == [
        (2, "10", {"title": "Lead", "username": "mara"}, ""),
        (3, "", {}, "“nobody” is not a user ID."),
        (4, "", {}, "The User ID is missing."),
        (5, "11", {}, "The column “Title” has a formula, not a text: =1+1"),
        (6, "12", {"title": "007"}, ""),
        (7, "13", {"title": "=1+1"}, ""),
        (8, "14", {}, "A user needs a username: it cannot be cleared."),
        (
            *(9, "15", {}),
            "This line has 4 cells, the first line has 3. A cell with a separator needs quotation marks.",
        ),
        (10, "16", {}, "Letters were lost in the column “Title” when the file was saved: “L\ufffdad”."),
        (11, "17", {}, "The last line is cut off: it has too few cells."),
    ]


def test_entries_of_the_audit_log_that_are_not_about_users_are_no_people() -> None:
    group = "7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910"
    (row,) = rows(f"sequence,subject_kind,subject_id\n1,group,{group}\n", DEACTIVATE)

    assert str(row.problem) == "This line is not about a user: group."


@pytest.mark.parametrize(("end", "is_cut"), [("", True), ("\n", False), ("\r", False), ("\r\n", False)])
def test_last_line_without_its_end_is_possibly_cut(end: str, is_cut: bool) -> None:
    found = reading_of(f"Username\nmara\nbo{end}")

    assert (found.is_possibly_cut, found.count) == (is_cut, 2)


def test_file_cut_within_a_character_is_still_utf_8() -> None:
    found = rows("Username,Title\nmara,x\nbo,Müller".encode()[:-5])

    assert [str(row.problem or "") for row in found] == [
        "",
        "Letters were lost in the column “Title” when the file was saved: “M\ufffd”.",
    ]


@pytest.mark.parametrize(
    ("content", "line", "told"),
    [
        (b"\x00\x01\x02\x00\x00\x03" * 99, None, "not a text file"),
        (b'Username,Title\nmara,x\nbo,"y\n' + b"eva,z\n" * 2_000, 3, "opens a cell here, and is not closed"),
        (b'Username,Title\nmara,x\nbo,"y\n' + b"e" * 200_000, 3, "is longer than 32,000 characters: perhaps it is not"),
        (b'Username,Title\nmara,x\nbo,"y\neva,"z"\n', 3, "opens a cell here, and is not closed"),
        (b"Username,Title\nmara," + b"x" * 1_000_001 + b"\n", 2, "longer than"),
        (b"Username,Title\nmara," + b"x" * 200_000 + b"\n", 2, "A cell is longer than 32,000"),
        (b"Username,Title\nmara," + b"x" * 32_001 + b"\n", 2, "cell in column 2 is longer than 32,000"),
        (b"Username,a\n" + b'mara,"x\nx",' * 120_000, 2, "longer than 1,000,000 characters"),
        (b"Username\n" + b"x" * 1_000_001, 2, "longer than 1,000,000 characters"),
        (b"7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910\n", 1, "name the columns"),
        (b",,\nmara,a,b\n---,x,\n", None, "No column is the Username."),
        (b"\n--;!!\nmara;a\n", 2, "name the columns"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_file_is_refused_with_its_line(content: bytes, line: int | None, told: str) -> None:
    with pytest.raises(BadList) as refused:
        list(rows_in(pieces_of(content), read_list(pieces_of(content), UPDATE)))

    assert refused.value.line == line
    assert told in str(refused.value.told)


OLDER = "Username;Given name;Family name\r\nmara;Mårten;Åkesson\r\nbo;Jürgen;Größe\r\nana;Zoë;Peña\r\n"


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "cp850"])
def test_file_in_an_older_encoding_is_shown_in_several_readings_to_choose_from(encoding: str) -> None:
    content = OLDER.encode(encoding)

    asked = reading_of(content)

    assert not asked.is_complete
    assert 2 <= len(asked.readings) <= 3
    right = [reading for reading in asked.readings if "Peña" in reading.sample]
    assert [reading.sample for reading in right] == [("Mårten", "Åkesson", "Jürgen", "Größe", "Zoë", "Peña")]
    chosen = rows(content, encoding=right[0].encoding)
    assert [row.values["family_name"] for row in chosen] == ["Åkesson", "Größe", "Peña"]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1250", ["Dvořák", "Świątek", "Łukasz", "Černý"]),
        ("cp1251", ["Анна", "Борис", "Иванов"]),
        ("cp1253", ["Ελένη", "Νίκος"]),
        ("cp1254", ["Çağdaş", "Öztürk", "Gülşen"]),
        ("shift_jis", ["田中", "さくら", "鈴木"]),
        ("gb18030", ["王小明", "李伟", "张敏"]),
        ("euc_kr", ["김민준", "이서연"]),
    ],
)
def test_right_reading_of_other_scripts_is_among_those_to_choose_from(encoding: str, names: list[str]) -> None:
    content = "".join(["Username,Title\n", *(f"u,{name}\n" for name in names)]).encode(encoding)

    assert tuple(names) in [reading.sample for reading in reading_of(content).readings]


def test_readings_show_the_first_ten_names_with_letters_beyond_ascii() -> None:
    lines = "".join(
        f"user{number},Ren\xe9 {number}\n" if number % 2 else f"user{number},Plain\n" for number in range(99)
    )

    (first, *_others) = reading_of(f"Username,Title\n{lines}".encode("cp1252")).readings

    assert first.sample == tuple(f"René {number}" for number in range(1, 21, 2))


@settings(deadline=None, max_examples=60)
@given(
    st.binary(max_size=200), st.sampled_from([b"", b"Username,Title\n", b"Username;Title\nmara;x\n", b'Username\n"'])
)
def test_any_bytes_are_read_or_refused_in_words(more: bytes, begin: bytes) -> None:
    content = begin + more
    with suppress(BadList):
        reading = reading_of(content)
        if reading.readings:
            reading = reading_of(content, encoding=reading.readings[-1].encoding)
        assert len(list(rows_in(pieces_of(content, 7), reading))) == reading.count


TEXTS = st.text(st.characters(exclude_categories=["C", "Z", "M"], exclude_characters="\ufffd"), max_size=12)


@settings(deadline=None, max_examples=60)
@given(st.lists(TEXTS | st.text(alphabet="=+-@;,|\"'aA1e/", max_size=8), min_size=1, max_size=4))
def test_exported_values_are_read_back_as_they_were(titles: list[str]) -> None:
    exported = csv_lines(["Username", "Title", "Nickname"], [[f"u{i}", title, "n"] for i, title in enumerate(titles)])

    found = rows("".join(exported))

    assert [(row.values.get("title", ""), row.problem) for row in found] == [(clean(title), None) for title in titles]


def test_memory_does_not_grow_with_the_file() -> None:
    def pieces_with(count: int) -> Callable[[], Iterator[bytes]]:
        def pieces() -> Iterator[bytes]:
            yield b"Username,Title\n"
            for start in range(0, count, 500):
                yield "".join(f"user{start + i},Größe {'x' * 200}\n" for i in range(500)).encode()

        return pieces

    def peak(count: int) -> int:
        tracemalloc.start()
        reading = read_list(pieces_with(count), UPDATE)
        read = sum(1 for _row in rows_in(pieces_with(count), reading))
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert read == reading.count == count
        return most

    peak(1_000)  # what is made once

    assert peak(4_000) < peak(1_000) + 60_000  # a tenth of what the file is longer
