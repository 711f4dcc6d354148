"""The names of invented people, in several scripts, each with the Latin spelling for the username."""

GIVEN = (
    *(("Mara", "mara"), ("Leo", "leo"), ("Nora", "nora"), ("Elias", "elias"), ("Ida", "ida"), ("Hugo", "hugo")),
    *(("Åsa", "asa"), ("Björn", "bjorn"), ("Søren", "soren"), ("Zoë", "zoe"), ("François", "francois")),
    *(("José", "jose"), ("Íñigo", "inigo"), ("Łukasz", "lukasz"), ("Małgorzata", "malgorzata"), ("Jiří", "jiri")),
    *(("Željka", "zeljka"), ("Ștefan", "stefan"), ("Ayşe", "ayse"), ("İbrahim", "ibrahim"), ("Nguyệt", "nguyet")),
    *(("Анна", "anna"), ("Дмитрий", "dmitri"), ("Олена", "olena"), ("Γιώργος", "giorgos"), ("Ελένη", "eleni")),
    *(("محمد", "muhammad"), ("فاطمة", "fatima"), ("דוד", "david"), ("נועה", "noa"), ("پروین", "parvin")),
    *(("आरती", "arati"), ("அருண்", "arun"), ("สมชาย", "somchai"), ("美咲", "misaki"), ("健", "ken")),
    *(("伟", "wei"), ("芳", "fang"), ("지우", "jiwoo"), ("민준", "minjun"), ("Amara", "amara"), ("Kwame", "kwame")),
    *(("Siobhán", "siobhan"), ("D'Arcy", "darcy"), ("Jean-Luc", "jeanluc"), ("Ana María", "anamaria")),
)
# The first people in the order of usernames: a list begins with different people, whose names every machine can show.
# Given name, family name, and its Latin spelling.
FIRST = (
    ("Aaron", "Abbott", "abbott"),
    ("Abby", "Alvarez", "alvarez"),
    ("Abel", "Ahlström", "ahlstrom"),
    ("Abigail", "Archer", "archer"),
    ("Ada", "Andersson", "andersson"),
    ("Adam", "Baker", "baker"),
    ("Adela", "Bianchi", "bianchi"),
    ("Adrian", "Boyd", "boyd"),
    ("Agata", "Bąk", "bak"),
    ("Agnes", "Carlsen", "carlsen"),
    ("Aida", "Castro", "castro"),
    ("Aidan", "Doyle", "doyle"),
    ("Aino", "Eskola", "eskola"),
    ("Alan", "Fisher", "fisher"),
    ("Alba", "Fuentes", "fuentes"),
    ("Albert", "Girard", "girard"),
    ("Aldo", "Greco", "greco"),
    ("Alena", "Hájková", "hajkova"),
    ("Alexander", "Hoffmann", "hoffmann"),
    ("Alfred", "Iversen", "iversen"),
    ("Alice", "Jensen", "jensen"),
    ("Alina", "Keller", "keller"),
    ("Alma", "Larsson", "larsson"),
    ("Alvin", "Moreau", "moreau"),
    ("Amanda", "Ólafsdóttir", "olafsdottir"),
)
FAMILY = (
    *(("Lind", "lind"), ("Berg", "berg"), ("Holm", "holm"), ("Smith", "smith"), ("Jones", "jones"), ("Brown", "brown")),
    *(("Müller", "mueller"), ("Groß", "gross"), ("Sjöström", "sjostrom"), ("Ødegård", "odegard"), ("Núñez", "nunez")),
    *(("García", "garcia"), ("O'Brien", "obrien"), ("van der Berg", "vanderberg"), ("Kowalczyk", "kowalczyk")),
    *(("Dvořák", "dvorak"), ("Đorđević", "djordjevic"), ("Yılmaz", "yilmaz"), ("Nguyễn", "nguyen"), ("Trần", "tran")),  # noqa: RUF001
    *(("Иванов", "ivanov"), ("Шевченко", "shevchenko"), ("Παπαδόπουλος", "papadopoulos"), ("العلي", "alali")),
    *(("كوهين", "kohin"), ("לוי", "levi"), ("احمدی", "ahmadi"), ("शर्मा", "sharma"), ("குமார்", "kumar")),
    *(("佐藤", "sato"), ("高橋", "takahashi"), ("王", "wang"), ("李", "li"), ("김", "kim"), ("박", "park")),
    *(("Okafor", "okafor"), ("Mensah", "mensah"), ("Silva", "silva"), ("Rossi", "rossi"), ("Dubois", "dubois")),
    *(("Novak", "novak"), ("Horvat", "horvat"), ("Nagy", "nagy"), ("Popescu", "popescu"), ("Haddad", "haddad")),
)
TITLES = ("Analyst", "Engineer", "Nurse", "Team lead", "Accountant", "Driver", "Teacher", "Ingénieure", "経理")
PLACES = (
    ("Lund", "SE", "sv-SE", "Europe/Stockholm"),
    ("Berlin", "DE", "de-DE", "Europe/Berlin"),
    ("Leeds", "GB", "en-GB", "Europe/London"),
    ("Kraków", "PL", "pl-PL", "Europe/Warsaw"),
    ("東京", "JP", "ja-JP", "Asia/Tokyo"),
    ("دبي", "AE", "ar-AE", "Asia/Dubai"),
    ("São Paulo", "BR", "pt-BR", "America/Sao_Paulo"),
    ("Boston", "US", "en-US", "America/New_York"),
)

# PingOne's rules would refuse some of these texts, but data that is older than the rules contains them.
HOSTILE = (
    "<script>alert('name')</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></tr></table><h1>Owned</h1>",
    "{{ 7*7 }}",
    "{% if user.is_superuser %}{% load static %}",
    "${7*7} #{7*7} <%= 7*7 %>",
    "=cmd|' /C calc'!A0",
    "+SUM(1+1)*cmd",
    "@SUM(1)",
    "-2+3",
    "'; DROP TABLE sandbox_user; --",
    "javascript:alert(1)",
    "&lt;already &amp;amp; escaped&gt;",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "two\r\nlines",
    "\u202eevil\u202c gpj.exe",
    "zero\u200bwidth\ufeff",
    "Ż̴̢a̷͎l̸̰g̶̘o̵͚",
    "👩🏽‍🚀 family 👨‍👩‍👧‍👦",
    "null",
    "undefined",
    "   ",
    "../../etc/passwd",
    "%00%0d%0aSet-Cookie: a=b",
)
LONG = "Wolfeschlegelsteinhausenbergerdorff " * 8  # cut to PingOne's 256 characters where it is used
