"""A table looked at: what its columns are called, how their values are written, and how its numbers are distributed.

Texts and numbers are read as builds read them. What decides is asked of every row; how values are distributed, of a sample.
"""

import json
import re
import unicodedata
from dataclasses import dataclass, field

from reading import RECORDS, Reading, comparable, look_at

# Rows that tell how values are distributed.
SAMPLE = 100_000
# Of the values of a column that have to be read for it to be a column of such values; a build refuses more rows than the others.
READ_SHARE = 0.95
# Words of a header whose numbers are names.
KEY_WORDS = {"id", "key", "no", "nr", "num", "number", "code", "account", "customer", "client", "member", "user", "uuid", "guid"}
MAIL_WORDS = {"email", "mail"}
CODE_WORDS = {"zip", "zipcode", "postcode", "postal", "plz", "year", "phone", "telephone", "mobile"}
# What fields stand between, where a title hides it.
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}
# Nobody on record lived longer than 122 years.
AGES = (0, 120)

# Of the texts of each column: how many there are, and of which kinds.
PROFILE = """
    select
        name,
        count(*) as n_known,
        approx_count_distinct(value) as n_values,
        count(*) filter (
            try_cast(value as double) is not null and not contains(value, '_') and regexp_matches(value, '[0-9]')
        ) as n_plain,
        count(*) filter (regexp_full_match(value, '[+-]?[0-9]+([.]0*)?')) as n_whole,
        count(*) filter (regexp_full_match(value, '[+-]?[0-9]+')) as n_digits,
        count(*) filter (regexp_full_match(value, '0[0-9]+')) as n_led_by_zero,
        count(*) filter (regexp_full_match(value, '[0-9]+([.,][0-9]+)?[eE][+]?[0-9]{2,3}')) as n_exponents,
        count(*) filter (contains(value, '.')) as n_points,
        count(*) filter (regexp_full_match(value, '[-+]?[1-9][0-9]{0,2}([.][0-9]{3})+')) as n_grouped,
        count(*) filter (
            length(value) = 8 and try_strptime(value, '%Y%m%d') between date '1900-01-01' and date '2100-01-01'
        ) as n_days,
        count(*) filter (regexp_matches(value, '[0-9]')) as n_with_digits,
        count(*) filter (regexp_matches(value, '^[^@ ]+@[^@ ]+[.][^@ ]+$')) as n_addresses,
        min(value) as lowest_text,
        max(value) as highest_text
    from (unpivot customers on * into name name value value)
    group by name
"""

# As feature_diagnostics looks at a feature without a transform.
STATISTICS = """
    with

    known as (
        select name, value
        from (unpivot (from numbers using sample reservoir({sample} rows) repeatable (1)) on * into name name value value)
        where abs(value) < 1e100
    ),

    totals as (
        select
            name,
            count(*) as n,
            count(distinct value) as n_values,
            min(value) as lowest,
            max(value) as highest,
            avg(value) as mean,
            median(value) as median,
            mode(value) as commonest
        from known
        group by name
    ),

    tails as (
        select
            *,
            case when mean >= median then 1 else -1 end as direction,
            mean >= median and lowest >= 0 and highest > 1 as is_for_log1p
        from totals
    ),

    logarithms as (
        select
            *,
            case when is_for_log1p then 0 when direction = 1 then lowest else highest end as origin,
            case when is_for_log1p then 1 else nullif(case when direction = 1 then mean - lowest else highest - mean end, 0) end
                as unit
        from tails
    ),

    shapes as (
        select
            name,
            avg(case when value = commonest then 1 else 0 end) as commonest_share,
            skewness((value - median) / nullif(highest - lowest, 0)) as skewness,
            kurtosis((value - median) / nullif(highest - lowest, 0)) as excess_kurtosis,
            skewness({logarithm}) as skewness_of_logarithm,
            kurtosis({logarithm}) as excess_kurtosis_of_logarithm
        from known
        inner join logarithms using (name)
        group by name
    )

    select
        *,
        coalesce({is_heavy}, false) as is_heavy,
        coalesce(
            not {is_still_heavy} or (is_for_log1p and abs(skewness_of_logarithm) < 0.5 * skewness),
            false
        ) as is_helped
    from logarithms
    inner join shapes using (name)
"""


class QuestionError(Exception):
    """One sentence: what cannot be decided or read, and what to do."""


@dataclass
class Column:
    """A column under `header`; `name` is what it is called from here on, and `field` what it is called in queries."""

    header: str
    field: str
    name: str
    label: str
    unit: str = ""
    bounds: tuple | None = None  # lowest and highest value that its header tells
    words: set = field(default_factory=set)  # those of its header
    is_typed: bool = False
    texts: dict = field(default_factory=dict)  # the row of PROFILE
    numbers: dict = field(default_factory=dict)  # the row of STATISTICS
    n_outside: int = 0  # of its bounds
    way: dict | None = None  # settings that read its values as numbers
    date_format: str | None = None
    remark: str = ""
    is_open: bool = False  # its values can be read in two ways

    @property
    def is_whole(self):
        return self.texts["n_whole"] == self.texts["n_known"]

    @property
    def is_numbered(self):
        """Whether its words say that its numbers are names."""
        return bool(self.words & (KEY_WORDS | CODE_WORDS))


def number(value):
    """As people write it: with separators, and no more digits than tell something."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.4g}"


def sentence(text):
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def in_words(settings):
    return ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in settings.items())


def words_of(header):
    """The words of a header in small letters: "CustomerID" has customer and id."""
    plain = unicodedata.normalize("NFKD", header).encode("ascii", "ignore").decode()
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+", plain)]


def column_of(header, place):
    """What a header says: "Annual Income (k$)" is annual_income, in k$, and "Score (1-100)" goes from 1 to 100."""
    inside = re.fullmatch(r"(.*\w.*?)\s*[(\[]([^()\[\]]+)[)\]]\s*", header)
    outside, unit = (inside[1], inside[2].strip()) if inside else (header, "")
    words = words_of(outside)
    ends = re.fullmatch(r"(\d+)\s*(?:-|\u2013|to)\s*(\d+)", unit)
    bounds = (int(ends[1]), int(ends[2])) if ends and int(ends[1]) < int(ends[2]) else None
    name = re.sub(r"^(?=[0-9])", "column_", "_".join(words)) or f"column_{place}"
    bounds = AGES if "age" in words and not bounds else bounds
    return Column(header, f"guessed_{place}", name, " ".join(words) or name, unit, bounds, set(words))


class Table:
    """The table of a source: `columns`, `n_rows`, what was `left_out`, {header: why}, and the `questions` that are open.

    `source` has the settings of a source: its file, and how that is written; `place` is what messages call it. Raises a
    QuestionError, or what a build would say, where nothing can be read.
    """

    def __init__(self, connection, folder, source, place=None):
        self.connection, self.folder, self.source = connection, folder, source
        self.place = place or source["file"]
        self.left_out, self.questions = {}, []
        self.columns = self.named_columns(self.headers())
        self.read_texts()
        for column in self.columns:
            column.way, column.date_format = self.way_of_writing(column)
        self.read_numbers()

    def rows(self, query):
        """The rows of a query as dictionaries."""
        result = self.connection.execute(query)
        names = [name for name, *_ in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def reading(self, attributes=(), features=({"name": "none"},), source=None):
        """The project configured to read these columns of the table."""
        block = {"source": source or self.source, "key": "row_number", "attributes": list(attributes), "features": list(features)}
        block |= {"n_clusters": "auto", "k_range": [1, 10], "seed": 42}
        # The day that dates are counted to for a trial lies behind all of them.
        variables = {"segmentation": block, "orders": None, "reference_date": "2100-01-01"}
        return Reading(self.connection, self.folder, variables)

    def headers(self):
        """The headers of the table; where it has several files, those of all of them."""
        reading = self.reading()
        nothing = {"source": reading.answer("segmentation('').source"), "key": {}, "columns": []}
        first, *others = [layout["headers"] for layout in reading.answer("source_layouts(table)", table=nothing)]
        common = [{comparable(header) for header in headers} for headers in others]
        found = [header for header in first if all(comparable(header) in headers for headers in common)]
        self.left_out |= {header: "not in every file" for header in first if header not in found}
        if len(found) == 1 and found[0].startswith("#"):
            raise QuestionError(f"{self.place} begins with a comment; skip such lines with SOURCE=\"{{comment: '#'}}\".")
        return found

    def named_columns(self, headers):
        """A column for every header that stands there once, under a name that is no other header and no keyword."""
        keywords = self.connection.execute("""
            select keyword_name from duckdb_keywords() where keyword_category in ('reserved', 'type_function')
        """).fetchall()
        taken = {word for (word,) in keywords} | set(self.reading().answer("_names_of_our_own()"))
        all_headers, columns = [comparable(header) for header in headers], []
        for place, header in enumerate(headers, start=1):
            if all_headers.count(comparable(header)) > 1 or not comparable(header):
                self.left_out[header or f"column {place}"] = "it has no header of its own"
                continue
            column = column_of(header, place)
            names = [column.name, f"{column.name}_value", *(f"{column.name}_{number}" for number in range(2, len(headers) + 3))]
            others = {*all_headers} - {comparable(header)}
            column.name = next(name for name in names if name not in taken and comparable(name) not in others)
            taken.add(column.name)
            columns.append(column)
        if not columns:
            raise QuestionError(f"{self.place} has no column with a header of its own; give it a header line.")
        n_blank = all_headers.count("")
        if 2 * n_blank > len(headers):
            raise QuestionError(
                f'{self.place} has no header for {n_blank} of {len(headers)} columns, and the first is "{headers[0]}". Is that a '
                'title? Skip the lines above the headers, such as two, with SOURCE="{skip_lines: 2}".'
            )
        return columns

    def read_texts(self):
        """Make the table `customers`: every column as text, NULL where it has a word for a missing value."""
        reading = self.reading(attributes=[{"name": column.field, "headers": [column.header]} for column in self.columns])
        table = reading.answer("segmentation('')")
        table["columns"] = [column for column in table["columns"] if column["kind"] != "feature"]
        reading.build(*RECORDS["segmentation"])
        for layout in reading.answer("source_layouts(segmentation(''))"):
            typed = {column["name"] for column in layout["columns"] if column.get("is_typed")}
            for column in self.columns:
                column.is_typed = column.is_typed or column.field in typed
        missing = reading.answer("sql_list(words)", words=missing_words(table["source"]))
        texts = [
            f"case when not list_contains({missing}, lower({c.field})) then {c.field} end as {c.field}" for c in self.columns
        ]
        self.connection.execute(
            f"create or replace table customers as select {', '.join(texts)} from base_customer_records where reasons is null"
        )
        counts = "select (select count(*) from customers), (select count(*) from base_customer_records)"
        self.n_rows, self.n_records = self.connection.execute(counts).fetchone()
        if not self.n_rows:
            raise QuestionError(
                f"{self.place} has no row with as many fields as its first line; if the header stands below, skip what is "
                'above it with SOURCE="{skip_lines: 3}".'
            )
        self.require_no_title()
        profiles = {row["name"]: row for row in self.rows(PROFILE)}
        nothing = dict.fromkeys(next(iter(profiles.values()), {"n_known": 0}), 0)
        for column in self.columns:
            column.texts = profiles.get(column.field, nothing)

    def require_no_title(self):
        """Raise where the first line is one field, and most lines below it have several."""
        column = self.columns[0]
        for delimiter, name in DELIMITERS.items() if len(self.columns) == 1 else ():
            query = f"select avg(case when contains({column.field}, ?) then 1 else 0 end) from customers"
            if self.connection.execute(query, [delimiter]).fetchone()[0] > 0.5:
                raise QuestionError(
                    f'{self.place} has "{column.header}" alone in its first line, and several fields, between {name}, in those '
                    'below. Is that a title? Skip what is above the headers with SOURCE="{skip_lines: 1}".'
                )

    def way_of_writing(self, column):
        """(settings that read the values of a column as numbers, or None; format that reads them as dates, or None)."""
        texts, n = column.texts, column.texts["n_known"]
        is_asked = not column.is_typed and texts["n_points"] == texts["n_grouped"] > 0
        if not n or texts["n_with_digits"] < READ_SHARE * n:
            return None, None
        if texts["n_days"] == n and texts["n_values"] > 1 and not column.is_numbered:
            return None, "YYYYMMDD"
        if texts["n_plain"] >= READ_SHARE * n and not is_asked:
            if texts["n_plain"] < n:
                column.remark = f"{number(n - texts['n_plain'])} of {number(n)} values are no numbers."
            return {}, None
        query = f"select distinct {column.field} from customers where regexp_matches({column.field}, '[0-9]')"
        seen = look_at(text for (text,) in self.connection.execute(query).fetchall())
        if texts["n_with_digits"] < n:
            column.remark = f"{number(n - texts['n_with_digits'])} of {number(n)} values have no digits."
        if seen.question:
            column.remark = sentence(seen.question)
            column.is_open = seen.kind == "number"
            # Several currencies, say, are no question of how numbers are written.
            if column.is_open and "may be" in seen.question:
                self.questions.append(f"{self.place}, {column.header}: {seen.question}; write the right one at {column.name}.")
                return {"decimal_separator": "."}, None
            return None, None
        settings = seen.settings or {}
        if seen.kind == "date":
            return None, settings["format"]
        return (settings, None) if seen.kind == "number" and settings.get("format") != "yes_no" else (None, None)

    def read_numbers(self):
        """Make the table `numbers`: every column of numbers as builds read it, within the bounds that its header tells."""
        columns = [column for column in self.columns if column.way is not None]
        if not columns:
            return
        features = [{"name": column.field, "headers": [column.header], "missing": "median", **column.way} for column in columns]
        reading = self.reading(features=features)
        reading.build(*RECORDS["segmentation"])
        counts = [
            f"count(*) filter ({c.field} not between {c.bounds[0]} and {c.bounds[1]})" if c.bounds else "0" for c in columns
        ]
        outside = self.connection.execute(f"select {', '.join(counts)} from base_customer_records").fetchone()
        for column, column.n_outside in zip(columns, outside, strict=True):
            if column.n_outside > (1 - READ_SHARE) * column.texts["n_known"]:
                column.bounds, column.n_outside = None, 0
        numbers = [
            f"case when {c.field} between {c.bounds[0]} and {c.bounds[1]} then {c.field} end as {c.field}"
            if c.bounds
            else c.field
            for c in columns
        ]
        self.connection.execute(f"create or replace table numbers as select {', '.join(numbers)} from base_customer_records")
        found = {
            row["name"]: row
            for row in self.rows(
                STATISTICS.format(
                    sample=SAMPLE,
                    logarithm=reading.rendered("{{ on_second_scale({'transform': 'none'}, 'value') }}"),
                    is_heavy=reading.rendered("{{ is_heavy_tailed('skewness', 'excess_kurtosis') }}"),
                    is_still_heavy=reading.rendered(
                        "{{ is_heavy_tailed('skewness_of_logarithm', 'excess_kurtosis_of_logarithm') }}"
                    ),
                )
            )
        }
        for column in columns:
            column.numbers = found.get(column.field, {})
            column.way = column.way if column.numbers else None


def missing_words(source):
    """The words that stand for a missing value, in small letters."""
    return [str(word).lower() for word in source.get("missing_words", ["", "na", "n/a", "null", "none"])]
