"""How the values of a column are written: what is seen in their texts, and the settings that read them.

This is for messages and for suggestions; SQL reads the values, in macros/reading/values.sql, by what is declared. Nothing here is
read in silence: what the texts leave open is a question.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

MISSING_WORDS = frozenset(
    ["", "na", "n/a", "#n/a", "#nv", "<na>", "n.a.", "nan", "-nan", "null", "(null)", "[null]", "nil", "none", "missing"]
) | frozenset(["unknown", "\\n", "?", "-", "--", "---", "\u2013", "\u2014", ".", "\u2026"])
YES = frozenset(["1", "yes", "y", "true", "t", "on", "ja", "j", "oui", "si", "sí", "sì", "sim", "tak", "wahr", "vrai"])
NO = frozenset(["0", "no", "n", "false", "f", "off", "nein", "nee", "nej", "nei", "non", "não", "nie", "falsch", "faux"])
# Spaces that no keyboard has, and those without width; str.strip knows the first kind only.
SPACES = " \t\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\u200b\u2060\ufeff"
CURRENCY = r"(?:[A-Z]{1,2})?[$€£¥₹₽₺₩₪₫₴₦฿]|[A-Z]{3}|kr|zł|Kč|Fr|Rs"
NUMBER = re.compile(
    rf"(?P<open>\()?[{SPACES}]*(?P<sign>[-\u2212+])?[{SPACES}]*(?P<before>{CURRENCY})?[.{SPACES}]*(?P<inner>[-\u2212+(])?"
    rf"[{SPACES}]*(?P<digits>\d[\d.,'\u2019{SPACES}]*|[.,]\d+)(?P<exponent>[eE][-+]?\d+)?"
    rf"[{SPACES}]*(?P<percent>%)?(?P<behind>{CURRENCY})?[.]?[{SPACES}]*(?P<close>\)|[-\u2212])?"
)
MONTHS = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*"
TIME = r"(?:[T ,]+\d{1,2}:\d{2}.*)?"
DATES = {
    "iso": re.compile(rf"\d{{4}}[-./]\d{{1,2}}[-./]\d{{1,2}}{TIME}"),
    "YYYYMMDD": re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"),
    "year last": re.compile(rf"(\d{{1,2}})[-./](\d{{1,2}})[-./](?:\d{{4}}|\d{{2}}){TIME}"),
    "named": re.compile(rf"(?:[A-Za-z]{{3,9}},? )?(?:\d{{1,2}}[-. ]{MONTHS}[-., ]+\d{{4}}|{MONTHS} \d{{1,2}},? \d{{4}}){TIME}"),
}


@dataclass
class Seen:
    """What is seen in the texts of a column.

    n_values  how many texts are values
    missing   {word for no value, as it is written: how many}
    shapes    {shape, with 9 for digits and A for letters: (how many, an example)}, the commonest first
    kind      'number', 'date' or 'text'; None where there is no value
    settings  {setting: value} that read all values, {} where they are plain; None where no settings do, or a question is open
    question  what only somebody who knows the column can say; None where nothing is open
    """

    n_values: int = 0
    missing: dict = field(default_factory=dict)
    shapes: dict = field(default_factory=dict)
    kind: str | None = None
    settings: dict | None = None
    question: str | None = None


def look_at(texts, missing_words=MISSING_WORDS):
    """What is seen in texts, an iterable in which None is no value, as `Seen`. `missing_words` are in small letters."""
    seen, values, shapes, examples = Seen(), [], Counter(), {}
    missing = Counter()
    for text in texts:
        stripped = (text or "").strip(SPACES)
        if stripped.lower() in missing_words:
            missing[stripped] += 1
            continue
        values.append(stripped)
        shape = shape_of(stripped)
        shapes[shape] += 1
        examples.setdefault(shape, stripped)
    seen.n_values, seen.missing = len(values), dict(missing.most_common())
    seen.shapes = {shape: (count, examples[shape]) for shape, count in shapes.most_common()}
    if not values:
        return seen
    # Words for yes and no before numbers: 1 and 0 are both, and nothing has to be set for them.
    may_be_days = all(DATES["YYYYMMDD"].fullmatch(value) for value in values)
    kinds = [("number", number_settings), ("date", date_settings), ("number", yes_no_settings)]
    for kind, settings_of in kinds[may_be_days:]:
        seen.settings, seen.question = settings_of(values)
        if seen.settings is not None or seen.question:
            seen.kind = kind
            return seen
    seen.kind = "text"
    return seen


def shape_of(text):
    """A text with 9 for each run of digits and A for each word, but for what is a currency or a month: $9.9, A 9."""
    if re.fullmatch(CURRENCY, text):
        return text
    return re.sub(rf"\d+|(?!{CURRENCY})[^\W\d_]+", lambda found: "9" if found[0][0].isdigit() else "A", text)


def number_settings(values):
    """(settings, question) under which values are numbers; (None, None) where they are not."""
    parts = [NUMBER.fullmatch(value) for value in values]
    if not all(parts):
        return None, None
    currencies = {part["before"] or part["behind"] for part in parts} - {None}
    if len(currencies) > 1 or any(part["before"] and part["behind"] for part in parts):
        return None, "it has several currencies: " + ", ".join(sorted(currencies)) if len(currencies) > 1 else None
    settings = {"currency": currencies.pop()} if currencies else {}
    with_percent = [bool(part["percent"]) for part in parts]
    if any(with_percent):
        if not all(with_percent):
            return None, "some values have a percent sign, and others have not"
        settings["format"] = "percent"
    if any(part["open"] or part["close"] or part["inner"] == "(" for part in parts):
        if "format" in settings:
            return None, None
        settings["format"] = "accounting"
    separators, question = separators_of([part["digits"].strip(SPACES) for part in parts])
    if separators is None:
        return None, question
    return settings | separators, None


def separators_of(numbers):
    """(settings, question) for the separators of numbers without sign: {} where they are plain."""
    marks = {
        "'" if mark == "\u2019" else mark if mark in ".,'" else " " for number in numbers for mark in re.sub(r"\d", "", number)
    }
    others = marks - {".", ","}
    if len(others) > 1:
        return None, None
    candidates = []
    pairs = [(".", None), (",", None), (".", ","), (",", "."), *((mark, other) for other in others for mark in ".,")]
    for decimal, thousands in pairs:
        if others and thousands not in others:
            continue
        if all(is_written(number, decimal, thousands) for number in numbers):
            candidates.append((decimal, thousands))
    if marks <= {"."} and (".", None) in candidates and (",", ".") not in candidates:
        return {}, None
    if not marks:
        return {}, None
    # What none of the numbers has is not said; the fewest settings are enough.
    used = {(d if d in marks else None, t) for d, t in candidates}
    used = {(d, t) for d, t in used if t in marks or t is None}
    if len(used) > 1:
        example = next(number for number in numbers if re.search(r"[.,]", number))
        mark = re.search(r"[.,]", example)[0]
        return None, (
            f'"{example}" may be {example.replace(mark, "")}, with thousands_separator: "{mark}", '
            f'or {example.replace(mark, ".")}, with decimal_separator: "{mark}"'
        )
    if not used:
        return None, None
    decimal, thousands = used.pop()
    settings = {"decimal_separator": decimal, "thousands_separator": thousands}
    return {name: mark for name, mark in settings.items() if mark}, None


def is_written(number, decimal, thousands):
    """Whether a number is one with these separators; groups are of three digits, or, before the last, of two."""
    if thousands:
        mark = {"'": "['\u2019]", " ": f"[{SPACES}]"}.get(thousands, re.escape(thousands))
        whole = rf"(?:[1-9]\d{{0,2}}(?:{mark}\d{{3}})+|[1-9]\d?(?:{mark}\d\d)*{mark}\d{{3}}|\d*)"
    else:
        whole = r"\d*"
    return re.fullmatch(rf"{whole}(?:{re.escape(decimal)}\d*)?", number) is not None


def date_settings(values):
    """(settings, question) under which values are dates; as: is for whoever wants a number of them."""
    kinds = {next((kind for kind, form in DATES.items() if form.fullmatch(value)), None) for value in values}
    if None in kinds:
        return None, None
    others = kinds - {"named"}
    if len(others) > 1:
        return None, "it has dates of several forms"
    if others == {"YYYYMMDD"} and kinds == others:
        return None, f'"{values[0]}" and the others may be days, with format: YYYYMMDD, or numbers'
    if others != {"year last"}:
        return {"format": (others or {"iso"}).pop()}, None
    found = filter(None, map(DATES["year last"].fullmatch, values))
    pairs = [(int(one[1]), int(one[2])) for one in found]
    formats = {
        "day-first": all(day <= 31 and month <= 12 for day, month in pairs),
        "month-first": all(day <= 31 and month <= 12 for month, day in pairs),
    }
    right = [name for name, fits in formats.items() if fits]
    if len(right) == 2:
        example = next(value for value in values if DATES["year last"].fullmatch(value))
        return None, f'"{example}" may have the day or the month first: set format: day-first or format: month-first'
    return ({"format": right[0]}, None) if right else (None, None)


def yes_no_settings(values):
    """(settings, question) under which values are yes or no."""
    return ({"format": "yes_no"} if {value.lower() for value in values} <= YES | NO else None), None


def in_words(name, seen):
    """A sentence on the values of a column for somebody whose build has stopped, or '' where there is nothing to say."""
    if not seen.n_values:
        return ""
    count, example = next(iter(seen.shapes.values()))
    what = f'{name} has {count} values such as "{example}"'
    if seen.question:
        return f"{what}, and it is open how they are meant: {seen.question}"
    if not seen.settings:
        return what
    settings = " and ".join(f"{setting}: {quoted(value)}" for setting, value in seen.settings.items())
    return f"{what}; set {settings}"


def quoted(value):
    """A setting as YAML needs it."""
    return value if re.fullmatch(r"[\w-]+", value) else f'"{value}"'
