"""Files as no sender should write them, each with what is right: a seeded generator knows what it wrote and what it spoilt.

Nothing here reads a file or asks the project. What is right follows from how a file was made, and from docs/sources.md and
docs/orders.md.
"""

import bz2
import copy
import datetime
import gzip
import io
import lzma
import random
import sys
import zipfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb

try:
    from compression import zstd
except ImportError:
    from backports import zstd

WORDS_FOR_NO_VALUE = [
    "", "  ", "NA", "n/a", "N/A", "NULL", "null", "none", "None", "NaN", "nan", "-nan", "#N/A", "<NA>", "\\N", "?", "-", ".",
    "--", "(null)", "nil", "\u2026",
]  # fmt: skip
# Spaces that no keyboard has; those without width come with what is copied from a page. Latin-1 has the first only.
SPACES = ["\xa0", "\u202f", "\u2007", "\u2009", "\u3000", "\u200b", "\ufeff", "\u2060"]
TEXTS = [
    "Male", "Female", "NA", "null", "=cmd|' /C calc'!A0", "@SUM(A1)", "+351", "-", "'; drop table customers; --",
    "1' or '1'='1", "{{ ref('x') }}", "{% do x %}", "${HOME}", "$(reboot)", "%s%n%d", "a\\", "\\N", "\\\"", "\\n", "a''b",
    "<script>alert(1)</script>", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x01\x02\x7f", "bell\a", "back\b", "\x0c",
    "\x0b", "\x1c\x1d\x1e", "a\0b", "\u2028line", "\u2029", "\x85next", "👩‍👩‍👧‍👦", "e\u0301cole",
    "Z\u0351\u036b\u0343a\u0329", "\u202eolleh", "עברית", "مرحبا", "ਊഊ਍", "漢字", "ﷺ", "\ufeffmark", "\u200b", "\xa0", "ß",
    "İ", "\uff46\uff55\uff4c\uff4c", "\U0001f600", "\U0010fffd", "\ufffd", "x" * 3000, "#REF!", "#N/A", "1.23E+11", "0123",
    "00:00", "true", "nan", "--", "/*", ";", "|", ",", "\t", "a,b;c|d\te", '"', '""', 'say "hi"', '"quoted"', 'ends with "',
    "two\nlines", "\n", "a\n\nb", "three\n\nlines\n", 'q"\n"q', ',\n,', "\n  \n x", "tab\t", " both ",
]  # fmt: skip
NO_WHOLE_NUMBERS = [
    "x14", "15.5", "1_9", "1,234", "1.234.567", "0x1F", "0b11", "1e5", "=A1", "12-34", "inf", "true", "٣", "½", "7\0",
    "9007199254740993.5", "1 2", "1;2", "'1", '"1', "1\n2", "0.5e-1", "4/5", "#REF!",
]  # fmt: skip
TOO_LONG = ["9223372036854775808", "-9223372036854775809", "9" * 40]
BEYOND_BIGINT = "customer_id is beyond the largest bigint; use data_type varchar"
MANGLED = ["1.23457E+11", "4.5E+12", "-1e+19", "1.2e+100"]
EXPONENT = (
    "is in exponent notation, as spreadsheets write long numbers, and has lost digits; format the column as text, or as a number "
    "without decimals, and export it anew"
)
# With what is said of them.
NO_NUMBERS = dict.fromkeys(
    [
        "thirty", "1_0", "30 years", "#DIV/0!", "#VALUE!", "=B2", "½", "٣٠", "0x1f", "0b1", "1e", "--5", "3O", "12-Jan",
        "🙂", "+", "3\0", "30;", "30|", '30"', "3\n0", "1e5e5", "⁵", "\uff13\uff10", "30 or 1=1",
    ],
    "",
) | {
    "$30": ", but has a currency: set currency",
    "30 €": ", but has a currency: set currency",
    "EUR 30": ", but has a currency: set currency",
    "30%": ", but has a percent sign: set format: percent",
    "1 000": ", but has spaces between its digits: set thousands_separator",
    "1\u202f000": ", but has spaces between its digits: set thousands_separator",
    "1'000": ", but has apostrophes between its digits: set thousands_separator",
    "true": ", but yes or no: set format: yes_no",
    "5-": ", but negative as in accounts: set format: accounting",
    "(5)": ", but negative as in accounts: set format: accounting",
    "2025-01-05": ", but a date: set its format, and as: days_since or age_years",
}  # fmt: skip
# In UTF-8, if not said otherwise: a text that is none.
NO_UTF_8 = [b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"M\xe4nnlich", b"\x80", b"\xe2\x82"]
FILE_NAMES = [
    "a[1]", "a*b", "a?", "[a-z]", "~home", "with space", "it's", 'qu"ote', "ünï", "🙂", "{x}", "$HOME", "%20", "#1", "a;b",
    "-rf", "null", "age=99", "a,b", "x" * 200, "(copy)", "&", "a.b.c", "!", "\u202egnp",
]  # fmt: skip
HEADERS_OF_OTHERS = [
    "Comment", "", " ", "filename", "raw_record", "source_file", "reasons", "_parts", "is_blank", "rowid", "=1+1",
    "'; drop table x; --", "\x1b[31mred", "🙂", "x" * 5000, "a\\b", "1", "null", "Age2", "Customer", "\u202eegA", 'say "hi"',
    "a,b;c", "e\u0301", "Agé", "\x07",
]  # fmt: skip
MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
]  # fmt: skip
DELIMITERS = [",", ";", "\t", "|"]
LINE_ENDS = ["\n", "\r\n", "\r"]


@dataclass
class Field:
    """A field as written, and what is right: its value, or the reason to refuse its record."""

    text: str
    value: object = None
    reason: str | None = None


@dataclass
class Input:
    """Files and what is right: accepted and rejected rows, or a refusal of them all.

    files       {path: bytes, or 'pipe', 'folder' or 'link to nowhere'}
    file        what the configuration names, below the same folder
    settings    by block, as in dbt_project.yml
    accepted    rows of stg_customers or stg_orders
    rejected    (path, line number, reasons, text) of every other record; the text of a row of Parquet is None
    n_records   records written below the headers
    refusal     texts that the sentence must hold, in order, where the files cannot be used; an empty list where they can
    or_refused  whether a refusal is right, too: where a flipped bit may have changed nothing
    """

    kind: str
    block: str
    files: dict = field(default_factory=dict)
    file: str = "*"
    settings: dict = field(default_factory=dict)
    accepted: list = field(default_factory=list)
    rejected: list = field(default_factory=list)
    n_records: int = 0
    refusal: list = field(default_factory=list)
    or_refused: bool = False


def hostile_input(seed, number):
    """The input of this number; each seed has its own. Two of five are refused."""
    generator = random.Random(f"{seed} {number}")
    if number % 5 < 2:
        kinds = list(REFUSALS)
        return refused_input(generator, kinds[(number // 5 * 2 + number % 5) % len(kinds)])
    return readable_input(generator)


# --- Fields -------------------------------------------------------------------------------------------------------------------


class Fields:
    """Draws fields for one source; `comma` is the decimal separator, `latin_1` whether the file can hold no other characters."""

    def __init__(self, generator, *, comma=False, latin_1=False, text_keys=False, date_format="iso"):
        self.generator, self.comma, self.latin_1 = generator, comma, latin_1
        self.text_keys, self.date_format = text_keys, date_format
        self.next_key = generator.choice([1, 1, 1000, 10**6, 2**31 - 5, 2**53, 2**63 - 900, 900 - 2**63, -3])

    def one_of(self, texts):
        while True:
            text = self.generator.choice(texts)
            # With a zero byte such a text looks like a program.
            if not self.latin_1 or all(0 < ord(one) < 0x80 or 0xA0 <= ord(one) <= 0xFF for one in text):
                return text

    def padded(self, text):
        """Spaces and tabs around a field do not count."""
        generator = self.generator
        if generator.random() < 0.8:
            return text
        spaces = SPACES[:1] if self.latin_1 else SPACES
        return generator.choice(["", " ", "\t", "   ", *spaces]) + text + generator.choice(["", " ", "\t", " \t ", *spaces])

    def key(self):
        number, self.next_key = self.next_key, self.next_key + self.generator.randrange(1, 4)
        return self.spelt_key(f"K{number}" if self.text_keys else number)

    def spelt_key(self, value):
        if self.text_keys:
            return Field(self.padded(value), value)
        text = str(value)
        spellings = [text] * 6 + ["0" * 3 + text] * (value >= 0) + [f"{text}.0", f"{text}."] * (not self.comma)
        return Field(self.padded(self.generator.choice(spellings)), value)

    def bad_key(self):
        if self.text_keys or self.generator.random() < 0.3:
            return Field(self.padded(self.one_of(WORDS_FOR_NO_VALUE)), None, "customer_id is missing")
        kind = self.generator.randrange(6)
        if kind == 0:
            return Field(self.padded(self.one_of(MANGLED)), None, f"customer_id {EXPONENT}")
        if kind == 1:
            return Field(
                self.padded(self.one_of(TOO_LONG)), None, "customer_id is beyond the largest bigint; use data_type varchar"
            )
        return Field(self.one_of(NO_WHOLE_NUMBERS), None, "customer_id is not a whole number")

    def text(self):
        # A line may have two million bytes, and a record has two such fields at most.
        if self.generator.random() < 0.003:
            return Field("long" * 150_000, "long" * 150_000)
        text = self.one_of(TEXTS) if self.generator.random() < 0.5 else self.generator.choice(["Male", "Female", ""])
        text = self.padded(text)
        return Field(text, text.strip(" \t" + "".join(SPACES)) or None)

    def written(self, number):
        """A number as the file spells it."""
        text = repr(number) if isinstance(number, float) else str(number)
        return text.replace(".", ",") if self.comma else text

    def whole_number(self, lowest, highest):
        """A field that holds a whole number of this range."""
        value = self.generator.choice([lowest, highest, *(self.generator.randint(lowest, highest) for _ in range(6))])
        point = "," if self.comma else "."
        spellings = [str(value)] * 6 + [
            f"{value}{point}0",
            f"{value}{point}000",
            f"00{value}",
            f"{value}e0",
            f"{value}0e-1",
            f"+{value}",
        ]
        if value == 0:
            spellings.append("-0")
        return Field(self.padded(self.generator.choice(spellings)), value)

    def no_number(self, name):
        kind = self.generator.randrange(4)
        if kind == 0:
            text = self.one_of(["inf", "Infinity", "-inf", "-Infinity", "1e400", "-1e999"])
            return Field(text, None, f"{name} is not a finite number")
        if kind == 1:
            return Field(self.padded(self.one_of(WORDS_FOR_NO_VALUE)), None, f"{name} is missing")
        if self.generator.random() < 0.3:
            texts = ["1.5", "1.234", "1.234,5", "1,234.5", "1.2.3"] if self.comma else ["1,5", "1,234", "1,234.5", "1.234,5"]
            reason = f"{name} is not a number, but has {'points' if self.comma else 'a comma'}: set thousands_separator"
            return Field(self.padded(self.one_of(texts)), None, reason)
        text = self.one_of(list(NO_NUMBERS))
        return Field(text, None, f"{name} is not a number{NO_NUMBERS[text]}")

    def feature(self, name):
        lowest, highest = {"age": (0, 120), "annual_income_k": (0, 2**31 - 1), "spending_score": (1, 100)}[name]
        return self.whole_number(lowest, highest)

    def bad_feature(self, name):
        if self.generator.random() < 0.5:
            return self.no_number(name)
        bounds = {
            "age": [(-1, "is below 0"), (121, "is above 120"), (1e300, "is above 120"),
                    (30.5, "is not a whole number"), (-0.001, "is below 0")],
            "annual_income_k": [
                (-1, "is below 0"), (2**31, "is beyond the largest integer; use data_type double"),
                (0.25, "is not a whole number"),
                (1e300, "is beyond the largest integer; use data_type double"), (10**400, "is not a finite number"),
            ],
            "spending_score": [(0, "is below 1"), (101, "is above 100"), (99.5, "is not a whole number"),
                               (-(2**70), "is below 1")],
        }  # fmt: skip
        number, reason = self.generator.choice(bounds[name])
        return Field(self.written(number), None, f"{name} {reason}")

    def moment(self):
        generator = self.generator
        day = datetime.datetime(1900, 1, 1) + datetime.timedelta(days=generator.randrange(45_000))
        moment = day + datetime.timedelta(seconds=generator.choice([0, 1, 86_399, generator.randrange(86_400)]))
        if self.date_format == "iso":
            texts = [(f"{day:%Y-%m-%d}", day)] * 3 + [
                (f"{moment:%Y-%m-%d %H:%M:%S}", moment), (f"{moment:%Y-%m-%dT%H:%M:%S}", moment),
                (f"{moment:%Y-%m-%dT%H:%M:%SZ}", moment),
                (f"{moment:%Y-%m-%d %H:%M:%S}+05:30", moment),
                (f"{moment:%Y-%m-%d %H:%M:%S}.250", moment.replace(microsecond=250_000)),
            ]  # fmt: skip
        elif self.date_format == "YYYYMMDD":
            texts = [(f"{day:%Y%m%d}", day)]
        else:
            order = "%d{0}%m{0}%Y" if self.date_format == "day-first" else "%m{0}%d{0}%Y"
            date = day.strftime(order.format(generator.choice("./-")))
            texts = [(date, day), (date, day), (f"{date} {moment:%H:%M:%S}", moment), (f"{date} {moment:%I:%M:%S %p}", moment)]
        # With the name of the month nothing has to be declared; and a zone is not counted.
        texts.append((f"{day.day} {MONTHS[day.month - 1]} {day.year}", day))
        texts.append((f"{MONTHS[day.month - 1][:3]} {day:%d, %Y} {moment:%I:%M %p}", moment.replace(second=0)))
        text, value = generator.choice(texts)
        if ":" in text and "Z" not in text and "+" not in text:
            text += generator.choice(["", "", " UTC", " -0500", "+02:00", " Z", " +05:30"])
        return Field(self.padded(text), value)

    def bad_moment(self):
        kind = self.generator.randrange(6)
        dates = {"iso": "%Y-%m-%d", "YYYYMMDD": "%Y%m%d", "day-first": "%d.%m.%Y", "month-first": "%m/%d/%Y"}[self.date_format]
        if kind == 0:
            day = datetime.datetime.now() + datetime.timedelta(days=self.generator.randrange(3, 9000))
            return Field(day.strftime(dates), None, "ordered_at is in the future")
        if kind == 1:
            day = datetime.datetime(1000, 1, 1) + datetime.timedelta(days=self.generator.randrange(300_000))
            return Field(day.strftime(dates), None, "ordered_at is before 1900")
        if kind == 2:
            return Field(self.padded(self.one_of(WORDS_FOR_NO_VALUE)), None, "ordered_at is missing")
        texts = [
            "yesterday", "now", "today", "epoch", "infinity", "-infinity", "45678", "45678.5", "2025-02-30", "2025-13-01",
            "0000-00-00", "31.02.2025", "00/00/0000", "20250230", "12:30", "1e9", "2025", "=TODAY()", "#VALUE!", "Jan 5",
            "\u0662\u0660\u0662\u0665-\u0660\u0661-\u0660\u0665", "2025-01-05\0", "T", "+", "2025-01-01 25:00:00",
            "32 Jan 2025", "5 Mai 2025",
        ]  # fmt: skip
        text = self.one_of(texts)
        hint = ""
        if text[:5] in ("2025-", "0000-") and self.date_format != "iso":
            hint = f" of the format {self.date_format}, but one with the year first: set format: iso"
        elif text in ("20250230", "31.02.2025", "00/00/0000", "32 Jan 2025", "5 Mai 2025"):
            kinds = ["YYYYMMDD"] if text.isdigit() else ["day-first", "month-first"]
            words = "of eight digits" if text.isdigit() else "with the year last"
            if self.date_format not in kinds:
                hint = f" of the format {self.date_format}, but one {words}: set format: {' or '.join(kinds)}"
        return Field(text, None, f"ordered_at is not a date{hint}")


# --- Records ------------------------------------------------------------------------------------------------------------------

CUSTOMER_COLUMNS = ["customer_id", "gender", "age", "annual_income_k", "spending_score"]
ORDER_COLUMNS = ["customer_id", "order_id", "ordered_at", "amount", "unit_price", "quantity", "product", "cancelled"]
HEADERS = {
    "customer_id": ["CustomerID", "customer_id", "CUSTOMER ID"],
    "gender": ["Gender", "Genre", "gender"],
    "age": ["Age", "age", " AGE "],
    "annual_income_k": ["Annual Income (k$)", "Annual_Income(k$)", "annual income", "annual_income_k"],
    "spending_score": ["Spending Score (1-100)", "Spending_Score", "SPENDINGSCORE"],
    "order_id": ["order_id", "Invoice No", "invoice"],
    "ordered_at": ["order_date", "Date", "InvoiceDate", "ordered_at"],
    "amount": ["amount", "Order Amount", "TOTAL"],
    "unit_price": ["unit_price", "Price"],
    "quantity": ["quantity", "Quantity "],
    "product": ["product", "StockCode"],
    "cancelled": ["cancelled", "is_return", "Returned"],
}


def customer(fields, bad_share):
    """{column: Field} of a customer."""
    bad = fields.generator.random() < bad_share
    spoilt = set(fields.generator.sample(CUSTOMER_COLUMNS, fields.generator.choice([1, 1, 1, 2, 4]))) if bad else set()
    record = {
        "customer_id": fields.bad_key() if "customer_id" in spoilt else fields.key(),
        "gender": fields.text(),
    }
    for name in CUSTOMER_COLUMNS[2:]:
        record[name] = fields.bad_feature(name) if name in spoilt else fields.feature(name)
    return record


def order(fields, bad_share, columns):
    """{column: Field} of an order; `columns` are those that its file has."""
    generator = fields.generator
    bad = generator.random() < bad_share
    spoilt = generator.choice(["customer_id", "ordered_at", "numbers", "numbers", "cancelled"]) if bad else ""
    fields.next_key -= generator.randrange(3)
    record = {
        "customer_id": fields.bad_key() if spoilt == "customer_id" else fields.key(),
        "order_id": fields.text(),
        "ordered_at": fields.bad_moment() if spoilt == "ordered_at" else fields.moment(),
        "product": fields.text(),
        "cancelled": flag(fields, spoilt == "cancelled"),
    }
    # A unit price is read only where it makes up for an amount; then every record needs it and a quantity.
    has_amount = "amount" in columns
    for name in ("amount", "unit_price", "quantity"):
        is_needed = name == "amount" or not has_amount
        is_read = name != "unit_price" or not has_amount
        if spoilt == "numbers" and is_read and name == generator.choice(["amount", "unit_price", "quantity", name]):
            record[name] = bad_number(fields, name, is_needed)
        elif not is_needed and generator.random() < 0.2:
            record[name] = Field(fields.one_of(WORDS_FOR_NO_VALUE))
        else:
            record[name] = number(fields)
    return record


def number(fields):
    generator = fields.generator
    value = generator.choice([0.0, 1.0, -3.5, 0.01, 1e12, -1e12, 1234.5, round(generator.uniform(-100, 1000), 2)])
    texts = [fields.written(value), fields.written(f"{value:.4f}"), fields.written(f"{value:.6e}")]
    text = generator.choice(texts)
    return Field(fields.padded(text), float(text.replace(",", ".")))


def bad_number(fields, name, is_needed):
    if fields.generator.random() < 0.3:
        value, reason = fields.generator.choice([(1e13, "is above 1000000000000"), (-1e300, "is below -1000000000000")])
        return Field(fields.written(value), None, f"{name} {reason}")
    while True:
        one = fields.no_number(name)
        if is_needed or "missing" not in one.reason:
            # The shapes with one separator of another kind are numbers to nobody here; those with the right one are.
            return one


def flag(fields, is_bad):
    if is_bad:
        return Field(fields.one_of(["maybe", "2", "x", "=TRUE()", "1.0", "yess", "o"]), None, "cancelled is neither yes nor no")
    no = ["no", "No", "false", "FALSE", "0", "n", "f", "off", "nein", "non"]
    yes = ["yes", "YES", "true", "1", "y", "t", "on", "ja", "oui"]
    text = fields.generator.choice(["", "NA", *no, *yes])
    return Field(fields.padded(text), None if text in ("", "NA") else text in yes)


def accepted_row(block, record, columns):
    if block == "segmentation":
        return tuple(record[name].value for name in CUSTOMER_COLUMNS)
    value = {name: record[name].value if name in columns else None for name in ORDER_COLUMNS}
    price = value["amount"] if "amount" in columns else value["quantity"] * value["unit_price"]
    is_cancelled = bool(value["cancelled"])
    amount = -abs(price) if is_cancelled else price
    return (
        value["customer_id"], value["order_id"], value["ordered_at"], amount, value["quantity"], value["product"],
        is_cancelled or price < 0, None,
    )  # fmt: skip


# Keys, moments, flags and numbers are checked in this order.
REASONS_IN_ORDER = [
    "customer_id",
    "ordered_at",
    "cancelled",
    "age",
    "annual_income_k",
    "spending_score",
    "amount",
    "unit_price",
    "quantity",
]


def reasons_of(block, record, columns):
    unread = {"unit_price"} if "amount" in columns else set()
    reasons = [record[name].reason for name in REASONS_IN_ORDER if name in columns and name not in unread and record[name].reason]
    return "; ".join(reasons) or None


# --- Texts --------------------------------------------------------------------------------------------------------------------


class Text:
    """A text file in the making: its lines, and what is right for the records in them."""

    def __init__(self, generator, block, fields, *, delimiter=None, quotes=None):
        self.generator, self.block, self.fields = generator, block, fields
        self.delimiter = delimiter or generator.choice(DELIMITERS)
        self.quotes = quotes or generator.choice(["where needed", "where needed", "everywhere", "at random"])
        self.lines, self.accepted, self.rejected, self.n_records = [], [], [], 0
        if block == "segmentation":
            names = list(CUSTOMER_COLUMNS)
        else:
            prices = [["amount"], ["quantity", "unit_price"], ["amount", "quantity", "unit_price"]]
            names = ["customer_id", "ordered_at", *generator.choice(prices)]
            names += [name for name in ("order_id", "product", "cancelled") if generator.random() < 0.6]
        if generator.random() < 0.5:
            generator.shuffle(names)
        self.columns = names
        # A name and None for each field of a line; None is a column that nobody asks for.
        self.places = list(names)
        for _ in range(generator.choice([0, 0, 0, 1, 3])):
            self.places.insert(generator.randrange(len(self.places) + 1), None)
        self.headers = [generator.choice(HEADERS[name]) if name else fields.one_of(HEADERS_OF_OTHERS) for name in self.places]

    def quoted(self, text):
        is_needed = any(one in text for one in (self.delimiter, '"', "\n")) or (
            self.quotes == "at random" and self.generator.random() < 0.3
        )
        return '"' + text.replace('"', '""') + '"' if is_needed or self.quotes == "everywhere" else text

    def joined(self, texts):
        return self.delimiter.join(self.quoted(text) for text in texts)

    def write_header(self):
        self.header_place = len(self.lines)
        self.lines.append(self.joined(self.headers))

    def write_blank(self):
        self.lines.append(self.generator.choice(["", "", "  "]))

    def write(self, record):
        """A record of {column: Field}."""
        texts = [record[name].text if name else self.fields.one_of(TEXTS) for name in self.places]
        if self.generator.random() < 0.2:
            # Spreadsheets leave out trailing fields, and nobody asks for these.
            texts = texts[: self.generator.randrange(self.n_needed(), len(texts) + 1)]
        self.add(
            self.joined(texts),
            reasons_of(self.block, record, self.columns),
            accepted_row_if_any(self.block, record, self.columns),
        )

    def n_needed(self):
        return max(place for place, name in enumerate(self.places, start=1) if name)

    def good_record(self):
        return customer(self.fields, 0) if self.block == "segmentation" else order(self.fields, 0, self.columns)

    def write_duplicate(self, record):
        """Another record with the key of one that is accepted."""
        again = customer(self.fields, 0)
        again["customer_id"] = self.fields.spelt_key(record["customer_id"].value)
        texts = [again[name].text if name else "" for name in self.places]
        self.add(self.joined(texts), "customer_id is a duplicate", None)

    def write_laid_out_wrongly(self):
        """A record of one line that has too many fields or too few, or a quote of which nobody knows where it ends."""
        record = self.good_record()
        texts = [record[name].text.replace("\n", " ").replace('"', "'") if name else "x" for name in self.places]
        kind = self.generator.randrange(4)
        if kind == 0:
            n_left = self.generator.randrange(1, self.n_needed())
            self.add(self.joined(["x", *texts[1:]][:n_left]), "too few fields", None)
        elif kind == 1:
            self.add(
                self.joined([*texts, *self.generator.choice([[""], ["x"], ["", "", ""], ["x"] * 500])]), "too many fields", None
            )
        else:
            plain = [text.replace(self.delimiter, " ") for text in texts]
            place = self.generator.randrange(len(plain))
            plain[place] = f'"{plain[place]}' if kind == 2 else f'"{plain[place]}"x'
            self.add(self.delimiter.join(plain), "quotes are not balanced", None)
            # A whole record on one line ends what an open quote might reach; with the beginning of another quoted field it
            # might make up a record.
            record = self.good_record()
            for name, plain in (("gender", "x"), ("order_id", "x"), ("product", "x")):
                record[name] = Field(plain, plain)
            self.add(
                self.joined([record[name].text if name else "x" for name in self.places]),
                None,
                accepted_row(self.block, record, self.columns),
            )

    def add(self, text, reasons, row):
        if reasons:
            self.rejected.append((len(self.lines) + 1, reasons, text))
        else:
            self.accepted.append(row)
        self.lines += text.split("\n")
        self.n_records += 1

    def another(self):
        """A text that is laid out like this one and has no lines yet."""
        text = copy.copy(self)
        text.lines, text.accepted, text.rejected, text.n_records = [], [], [], 0
        return text

    def plain(self):
        """The bytes, as most programs write them."""
        return self.ended(["\n"], ends_with_one=True).encode()

    def ended(self, line_ends, *, ends_with_one):
        """The text of all lines, each with one of these line ends."""
        text, before = [], ""
        for line in self.lines:
            end = self.generator.choice(line_ends)
            # A CR and the LF of an empty line behind it would be one line end.
            end = "\r" if before == "\r" and not line and end == "\n" else end
            text += [line, end]
            before = end
        return "".join(text if ends_with_one else text[:-1])


def accepted_row_if_any(block, record, columns):
    return None if reasons_of(block, record, columns) else accepted_row(block, record, columns)


def random_text(generator, block, fields, *, n=None, bad_share=None, faults=True, **settings):
    """A text with a header and some records, good and bad ones."""
    text = Text(generator, block, fields, **settings)
    bad_share = generator.choice([0, 0.2, 0.6]) if bad_share is None else bad_share
    blank_share = generator.choice([0, 0, 0.3])
    if blank_share:
        text.write_blank()
    text.write_header()
    written = []
    for _ in range(generator.randrange(1, 14) if n is None else n):
        if faults and generator.random() < blank_share:
            text.write_blank()
        if faults and generator.random() < bad_share / 3:
            text.write_laid_out_wrongly()
        if faults and block == "segmentation" and written and generator.random() < bad_share / 4:
            text.write_duplicate(generator.choice(written))
        record = customer(fields, bad_share) if block == "segmentation" else order(fields, bad_share, text.columns)
        text.write(record)
        if not reasons_of(block, record, text.columns):
            written.append(record)
    return text


def encoded(generator, text, encoding):
    if encoding != "utf-8":
        return text.encode(encoding)
    kind = generator.randrange(8)
    if kind == 0:
        return text.encode("utf-8-sig")
    if kind == 1:
        return b"\xff\xfe" + text.encode("utf-16-le")
    if kind == 2:
        return b"\xfe\xff" + text.encode("utf-16-be")
    if kind == 3:
        return text.encode("utf-32")
    return text.encode()


def packed_somehow(generator, content, name):
    """Packed in any way, or not at all; the name may say so, or not, or say another way."""
    kind = generator.choice([None, None, None, "gz", "bz2", "xz", "zst", "zip"])
    if kind == "zip":
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", generator.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
            archive.writestr("data.csv", content)
        content = stream.getvalue()
    elif kind:
        packings = {"gz": partial(packed, generator), "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd.compress}
        content = packings[kind](content)
    ending = generator.choice([kind, kind, kind, None, "gz", "zst", "GZ"])
    return content, f"{name}.{ending}" if ending else name


def packed(generator, content):
    """gzip in one member or in several, of which one may be empty."""
    places = sorted(generator.randrange(len(content) + 1) for _ in range(generator.choice([0, 0, 1, 3])))
    pieces = [content[first:last] for first, last in zip([0, *places], [*places, len(content)], strict=True)]
    return b"".join(gzip.compress(piece, generator.randrange(10), mtime=generator.randrange(2**31)) for piece in pieces)


def file_name(generator, ending):
    stem = generator.choice(["data", "data", generator.choice(FILE_NAMES)])
    return f"{stem}{generator.randrange(100)}{ending}"


# --- Parquet ------------------------------------------------------------------------------------------------------------------


def parquet(columns, rows):
    """The bytes of a Parquet file: columns are (name, type), rows are lists of texts, or of None."""
    literals = [
        "("
        + ", ".join(
            "null" if text is None else f"cast({sql_text(text)} as {kind})" for text, (_, kind) in zip(row, columns, strict=True)
        )
        + ")"
        for row in rows
    ]
    names = ", ".join('"' + name.replace('"', '""') + '"' for name, _ in columns)
    path = Path(parquet.folder) / "one.parquet"
    with duckdb.connect() as connection:
        query = f"select * from (values {', '.join(literals)}) as rows ({names})"
        if not rows:
            query = f"select {', '.join(f'cast(null as {kind}) as {name}' for name, kind in columns)} limit 0"
        connection.execute(f"copy ({query}) to '{path}' (format parquet)")
    return path.read_bytes()


def sql_text(text):
    return "'" + text.replace("'", "''").replace("\0", "' || chr(0) || '") + "'"


def random_parquet(generator, fields):
    """(bytes, accepted rows, rejected rows, number of records) of typed customers."""
    kinds = {
        "customer_id": "varchar" if fields.text_keys else generator.choice(["bigint", "ubigint", "varchar", "decimal(38, 2)"]),
        "gender": "varchar",
        "age": generator.choice(["integer", "double", "varchar", "decimal(9, 3)", "float"]),
        "annual_income_k": generator.choice(["bigint", "double", "varchar", "decimal(20, 1)"]),
        "spending_score": generator.choice(["integer", "double", "varchar"]),
    }
    names = list(CUSTOMER_COLUMNS)
    generator.shuffle(names)
    rows, accepted, rejected = [], [], []
    n_rows = generator.randrange(1, 8)
    for line in range(1, n_rows + 1):
        record = customer(fields, 0)
        for name in names:
            if kinds[name] == "varchar":
                continue
            value = record[name].value
            record[name] = Field(str(value), value)
            if generator.random() < 0.1:
                record[name] = Field(None, None, f"{name} is missing")
            elif kinds[name] == "double" and generator.random() < 0.1:
                record[name] = Field("nan", None, f"{name} is missing")
            elif kinds[name] == "ubigint" and (value < 0 or generator.random() < 0.2):
                record[name] = Field(str(2**63), None, BEYOND_BIGINT)
            elif name == "age" and generator.random() < 0.1:
                record[name] = Field("-1", None, "age is below 0")
        rows.append([record[name].text for name in names])
        reasons = reasons_of("segmentation", record, CUSTOMER_COLUMNS)
        if reasons:
            rejected.append((line, reasons, None))
        else:
            accepted.append(accepted_row("segmentation", record, CUSTOMER_COLUMNS))
    columns = [(generator.choice(HEADERS[name]), kinds[name]) for name in names]
    if generator.random() < 0.5:
        columns.append(
            (generator.choice(["filename", "raw_record", "rowid", "records", "x y", 'qu"ote', "_parquet_row"]), "integer")
        )
        rows = [[*row, "1"] for row in rows]
    return parquet(columns, rows), accepted, rejected, n_rows


# --- Inputs that are read -----------------------------------------------------------------------------------------------------


def readable_input(generator):
    """One file or several, in whatever dialects, with good and bad records."""
    block = generator.choice(["segmentation", "segmentation", "orders"])
    latin_1 = generator.random() < 0.15
    comma = generator.random() < 0.2
    text_keys = generator.random() < 0.1
    date_format = generator.choice(["iso", "iso", "day-first", "month-first", "YYYYMMDD"])
    fields = Fields(generator, comma=comma, latin_1=latin_1, text_keys=text_keys, date_format=date_format)
    one = Input(kind="read", block=block)
    one.settings = {
        block: {"source": {"encoding": "latin-1" if latin_1 else "utf-8", "decimal_separator": "," if comma else "."}}
    }
    if block == "orders":
        one.settings["orders"]["date"] = {"format": date_format}
    if text_keys:
        one.settings.setdefault("segmentation", {})["key"] = {"data_type": "varchar"}
    n_files = generator.choice([1, 1, 1, 2, 4])
    text = None
    folders = generator.choice([[""], [""], [""], ["age=99/", "customer_id=1/raw_record=x/", "", "[a]/"]])
    for number in range(n_files):
        folder = generator.choice(folders)
        if block == "segmentation" and not latin_1 and generator.random() < 0.15:
            path = folder + f"{number}_" + file_name(generator, generator.choice([".parquet", ".pq", ".PARQUET", ".csv", ""]))
            content, accepted, rejected, n_records = random_parquet(generator, fields)
        else:
            text = random_text(generator, block, fields)
            line_ends = generator.sample(LINE_ENDS, generator.choice([1, 1, 1, 2, 3]))
            whole = text.ended(line_ends, ends_with_one=generator.random() < 0.8)
            content = encoded(generator, whole, "latin-1" if latin_1 else "utf-8")
            ending = generator.choice([".csv", ".csv", ".txt", ".tsv", ".CSV", ""])
            content, ending = packed_somehow(generator, content, ending)
            path = folder + f"{number}_" + file_name(generator, ending)
            accepted, rejected, n_records = text.accepted, text.rejected, text.n_records
        one.files[path] = content
        one.accepted += accepted
        one.rejected += [(path, *row) for row in rejected]
        one.n_records += n_records
    # Among more files those that are laid out alike are read together, wherever they stand.
    if block == "segmentation" and n_files == 1 and text and text.accepted and generator.random() < 0.4:
        again = text.another()
        again.write_header()
        for row in text.accepted[:3]:
            again.write_duplicate({"customer_id": Field("", row[0])})
        again.write(customer(fields, 0))
        one.files["zz_again.csv"] = again.ended(["\n"], ends_with_one=True).encode("latin-1" if latin_1 else "utf-8")
        one.accepted += again.accepted
        one.rejected += [("zz_again.csv", *row) for row in again.rejected]
        one.n_records += again.n_records
    one.file = path if len(one.files) == 1 else "**/*" if len(folders) > 1 else "*"
    return one


# --- Inputs that are refused --------------------------------------------------------------------------------------------------

REFUSALS = {}


def refusal(function):
    """Makes a kind of refused input of a function of a generator that returns a changed Input."""
    REFUSALS[function.__name__] = function
    return function


def refused_input(generator, kind):
    """An input of a kind of REFUSALS, often with a good file beside the bad one."""
    one = REFUSALS[kind](generator)
    one.kind = kind
    if one.file == "*" and generator.random() < 0.4:
        fields = Fields(generator)
        fields.next_key = 10**9
        good = random_text(generator, one.block, fields, bad_share=0, faults=False)
        one.files[generator.choice(["0_good.csv", "zz_good.csv"])] = good.ended(["\n"], ends_with_one=True).encode()
    return one


def good_text(generator, n=6, block="segmentation", **settings):
    return random_text(generator, block, Fields(generator), n=n, bad_share=0, faults=False, **settings)


def good_content(generator, **settings):
    return good_text(generator, **settings).ended([generator.choice(LINE_ENDS)], ends_with_one=True).encode()


def bad(name, content, *said, **settings):
    """An input with one file, `name`, that is refused with these texts in its sentence."""
    return Input(kind="", block=settings.pop("block", "segmentation"), files={name: content}, refusal=[name, *said], **settings)


@refusal
def an_empty_file(generator):
    return bad(generator.choice(["a.csv", "a.parquet", "a.csv.gz", "a"]), b"", "is empty; give a file")


@refusal
def only_blank_lines(generator):
    content = "".join(generator.choices(["\n", "\r\n", "  \n", "\r"], k=generator.randrange(1, 9)))
    if generator.random() < 0.3:
        return bad("a.csv.gz", gzip.compress(content.encode()), "is empty; give a file")
    return bad("a.csv", content.encode(), "is empty; give a file")


@refusal
def only_a_header(generator):
    content = good_content(generator, n=0) + b"\n" * generator.randrange(3)
    return bad("a.csv", content, "has a header and no rows below it; give a file", file="a.csv")


@refusal
def a_column_is_missing(generator):
    text = good_text(generator)
    place = text.places.index(name := generator.choice(CUSTOMER_COLUMNS))
    text.lines[text.header_place : text.header_place + 1] = (
        [text.joined([*text.headers[:place], *text.headers[place + 1 :]])]
        if generator.random() < 0.5
        else [text.joined([*text.headers[:place], "else", *text.headers[place + 1 :]])]
    )
    return bad("a.csv", text.plain(), f"no column for {name}", "rename the header")


@refusal
def a_header_is_misspelt(generator):
    text = good_text(generator, quotes="where needed")
    name, wrong = generator.choice([
        ("annual_income_k", "Anual Income"), ("spending_score", "Spendig Score"), ("customer_id", "Custmer ID"),
        ("gender", "Gendre"), ("age", "Agee"),
    ])  # fmt: skip
    text.headers[text.places.index(name)] = wrong
    text.lines[text.header_place] = text.joined(text.headers)
    return bad("a.csv", text.plain(), f"no column for {name}", wrong, "rename the header")


@refusal
def two_columns_for_one(generator):
    text = good_text(generator)
    name = generator.choice(CUSTOMER_COLUMNS)
    text.lines[text.header_place] = text.joined([*text.headers, generator.choice(HEADERS[name])])
    return bad("a.csv", text.plain(), f"more than one column for {name}", "rename or remove")


@refusal
def lines_above_the_header(generator):
    text = good_text(generator)
    above = generator.choice([["Report of 2025-01-01"], ["Table 1;;;;", ""], [",,,,"], ["# one", "", "# two"]])
    text.lines[:0] = above
    n_above = text.header_place + len(above)
    return bad(
        "a.csv",
        text.ended(["\r\n"], ends_with_one=True).encode(),
        f"has its header in line {n_above + 1}, below others; set skip_lines: {n_above}",
    )


@refusal
def an_open_quote_in_the_header(generator):
    text = good_text(generator, quotes="where needed")
    text.headers[text.places.index("age")] = "Age"
    text.lines[text.header_place] = text.joined(text.headers).replace("Age", '"Age', 1)
    return bad("a.csv", text.plain(), "quotes of its first line are not balanced", "each quote closed")


@refusal
def a_line_break_in_a_header(generator):
    text = good_text(generator)
    text.lines[text.header_place : text.header_place + 1] = text.joined([*text.headers, "two\nlines"]).split("\n")
    return bad("a.csv", text.plain(), "quotes of its first line are not balanced", "on one line")


@refusal
def another_encoding(generator):
    """The line is named. Lines are put together as bytes, because no text holds these."""
    text = good_text(generator, n=generator.randrange(1, 30))
    # With a zero byte it would look like a program.
    lines = [line.replace("\0", "").encode() for line in text.lines]
    place = generator.randrange(len(lines))
    lines[place] += text.delimiter.encode() + generator.choice(NO_UTF_8)
    content = generator.choice([b"\n", b"\r\n"]).join(lines) + b"\n"
    name = "a.csv"
    if generator.random() < 0.3:
        name, content = "a.csv.gz", packed(generator, content)
    return bad(name, content, f"line {place + 1}, is not utf-8 text; save the file as UTF-8")


@refusal
def a_character_cut_at_the_end(generator):
    text = good_text(generator)
    content = text.plain() + "1,🙂".encode()[: -generator.randrange(1, 4)]
    return bad("a.csv", content, f"line {len(text.lines) + 1}, is not utf-8 text; save the file as UTF-8")


@refusal
def windows_1252_declared_as_latin_1(generator):
    text = good_text(generator)
    content = (text.ended(["\n"], ends_with_one=True) + "1,€\n").replace("\0", "").encode("cp1252", "ignore")
    return bad(
        "a.csv",
        content,
        "is not latin-1 text; save the file as UTF-8",
        settings={"segmentation": {"source": {"encoding": "latin-1"}}},
        file="a.csv",
    )


@refusal
def utf_16_cut_in_a_character(generator):
    content = good_content(generator).decode().encode("utf-16")
    return bad("a.csv", content[:-1], "is not whole: it ends in the middle of a character; copy or export it anew")


@refusal
def gzip_that_is_cut(generator):
    content = packed(generator, good_content(generator, n=200))
    whole = len(gzip.compress(b""))
    # Behind the first bytes, and not just behind a member, where nothing is missing.
    for _ in range(100):
        cut = generator.randrange(whole, len(content))
        try:
            gzip.decompress(content[:cut])
        except EOFError:
            return bad("a.csv.gz", content[:cut], "is not whole: it ends before its checksum; copy or export it anew")
    raise AssertionError("no cut is found")


@refusal
def gzip_with_a_flipped_bit(generator):
    """Some bits of the head mean nothing, such as those of the time; then the text is what it was."""
    text = good_text(generator, n=200)
    plain = text.plain()
    content = bytearray(gzip.compress(plain, mtime=0))
    place = generator.choice([generator.randrange(2, len(content)), len(content) - generator.randrange(1, 9)])
    content[place] ^= 1 << generator.randrange(8)
    one = bad("a.csv.gz", bytes(content), " is ", "copy or export it anew", file="a.csv.gz")
    one.or_refused, one.accepted, one.n_records = True, text.accepted, text.n_records
    one.rejected = [("a.csv.gz", *row) for row in text.rejected]
    return one


@refusal
def gzip_with_something_behind(generator):
    content = packed(generator, good_content(generator)) + generator.choice(
        [b"something", b"\x1f", b"\x1f\x8b", b"\0" * 9 + b"x"]
    )
    return bad("a.csv.gz", content, " is ", "copy or export it anew")


@refusal
def packed_twice(generator):
    twice = generator.choice([gzip.compress, zstd.compress, bz2.compress])(gzip.compress(good_content(generator)))
    return bad(generator.choice(["a.csv.gz", "a.csv"]), twice, "is packed twice; unpack it")


@refusal
def packed_otherwise_and_cut(generator):
    """The ends of bzip2, xz and zstd hold their checksums; that of xz may be cut to nothing else."""
    content = generator.choice([bz2.compress, lzma.compress, zstd.compress])(good_content(generator, n=200))
    return bad(
        generator.choice(["a.csv", "a.csv.zst"]), content[: generator.randrange(20, len(content))], " is ", "copy or export it"
    )


@refusal
def lz4(generator):
    return bad(
        generator.choice(["a.csv.lz4", "a"]), b"\x04\x22\x4d\x18" + generator.randbytes(99), "is packed with lz4", "unpack it"
    )


@refusal
def a_workbook_or_an_archive_that_is_none(generator):
    name = generator.choice(["a.xlsx", "a.zip", "a.csv"])
    return bad(name, b"PK\x03\x04\x14\0\x06\0" + generator.randbytes(300), "is damaged or not whole", "copy or export it anew")


@refusal
def no_text(generator):
    content = generator.choice(
        [Path(sys.executable).read_bytes()[:5000], b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0" + generator.randbytes(99), b"\0" * 500]
    )
    return bad("a.csv", content, "not text", "give a CSV or Parquet file")


@refusal
def parquet_that_is_cut(generator):
    content, *_ = random_parquet(generator, Fields(generator))
    return bad("a.parquet", content[: generator.randrange(4, len(content))], "is not whole", "export or copy it anew")


@refusal
def parquet_whose_end_is_damaged(generator):
    content, *_ = random_parquet(generator, Fields(generator))
    damaged = content[:-8] + generator.choice([b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\xff\xff\xff\xff"]) + b"PAR1"
    return bad("a.parquet", damaged, "cannot be read", "is it whole?")


@refusal
def text_called_parquet(generator):
    return bad(
        generator.choice(["a.parquet", "a.pq"]),
        good_content(generator),
        "is not a Parquet file",
        "export it anew, or let the name",
    )


@refusal
def parquet_without_a_column(generator):
    names = [name for name in CUSTOMER_COLUMNS if name != "age"]
    return bad("a.parquet", parquet([(name, "varchar") for name in names], [["1"] * 4]), "no column for age", "rename the header")


@refusal
def parquet_without_rows(generator):
    return bad(
        "a.parquet", parquet([(name, "varchar") for name in CUSTOMER_COLUMNS], []), "no rows", "give a file", file="a.parquet"
    )


@refusal
def a_line_without_end(generator):
    """Longer than two million bytes."""
    text = good_text(generator, delimiter=",")
    text.lines.append("1," + "x" * 2_200_000)
    return bad("a.csv", text.plain(), f"line {len(text.lines)}, has more than two million bytes")


@refusal
def the_character_that_is_none(generator):
    text = good_text(generator, n=9)
    place = generator.randrange(1, len(text.lines))
    text.lines[place] += "\U0010ffff"
    content = text.ended(["\n"], ends_with_one=True)
    return bad(
        "a.csv",
        content.encode(generator.choice(["utf-8", "utf-16"])),
        f"line {place + 1}, has the character U+10FFFF",
        "remove it",
    )


@refusal
def a_pipe(generator):
    return bad(
        name := generator.choice(["a.csv", "a.csv.gz", "a.parquet"]),
        "pipe",
        "is a pipe",
        "write what comes out of it into a file",
        file=name,
    )


@refusal
def a_folder(generator):
    return bad(name := generator.choice(["a", "a.csv", "a.parquet"]), "folder", "is a folder", "give a file in it", file=name)


@refusal
def a_link_to_nowhere(generator):
    return bad("a.csv", "link to nowhere", "cannot be read: No such file or directory", file="a.csv")


@refusal
def no_file_at_all(generator):
    name = generator.choice(["nothing.csv", "no/such/*.csv", "[x].csv", "*.none", "{a,b}"])
    return Input(
        "", "segmentation", {"a.csv": good_content(generator)}, name, refusal=["No file is found", name, "give the path of a CSV"]
    )


@refusal
def a_name_that_a_terminal_would_obey(generator):
    name = generator.choice(["a\x1b[31m.csv", "a\n.csv", "a\r.csv", "a\x07.csv", "a\x9b.csv"])
    one = bad(name, good_content(generator), "has a control character in it; rename it")
    one.refusal = one.refusal[1:]
    return one


@refusal
def orders_without_a_column(generator):
    text = good_text(generator, block="orders")
    name = generator.choice(["customer_id", "ordered_at"])
    text.headers[text.places.index(name)] = "else"
    text.lines[text.header_place] = text.joined(text.headers)
    return bad("a.csv", text.plain(), f"no column for {name}", "rename the header", block="orders")


@refusal
def fields_that_the_file_does_not_have(generator):
    content = "1 20250101 5\n2 20250101 6\n".replace(" ", generator.choice([" ", ",", ";", "\t"]))
    settings = {"orders": {"source": {"fields": ["customer_id", "ordered_at", "quantity", "amount"]}}}
    return bad(
        "a.txt",
        content.encode(),
        "does not have the 4 fields",
        "name every field of the file",
        block="orders",
        settings=settings,
        file="a.txt",
    )
