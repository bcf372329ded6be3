"""Who may be delivered to another tool, and in which layout: what activation.yml says, asked of the customers of a build."""

import re
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import yaml
from export import COLUMNS, MEMORY, csv_value, neutralised
from file_set import file_set
from keys import make_table, read_keys, value_of
from warehouse import explained, found_tables, is_segmented, plural, quoted

RULES = Path("activation.yml")
BUILD = Path("build")  # where builds work; what is personal stays there
NEWEST_BUILD = "select build_id from builds order by build_number desc limit 1"
PERSONAL = """
    select column_name, data_type from duckdb_columns()
    where database_name = 'scratch' and schema_name = 'main' and table_name = 'stg_customers'
"""

# What has no @ between other characters, and no dot behind it, is no address.
EMAIL = r"^[^@\s\pZ]+@[^@\s\pZ]+\.[^@\s\pZ]+$"
# Spaces of every kind, and signs that have no width.
SPACES = r"[\s\pZ\pC]+"
# What becomes of a customer: what is asked first is the consent.
REASONS = ("delivered", "consent", "suppressed", "value", "duplicate")
DELIVERED, WITHOUT_CONSENT, SUPPRESSED, WITHOUT_VALUE, DUPLICATE = REASONS
# The number of customers of each segment, and of them what becomes of how many, in the same order.
SEGMENTS = f"""
    select
        segment_id, any_value(segment_name) as segment_name, count(*) as n_customers,
        count(*) filter (where _reason = '{DELIVERED}') as n_delivered,
        count(*) filter (where _reason = '{WITHOUT_CONSENT}') as n_without_consent,
        count(*) filter (where _reason = '{SUPPRESSED}') as n_suppressed,
        count(*) filter (where _reason = '{WITHOUT_VALUE}') as n_without_value,
        count(*) filter (where _reason = '{DUPLICATE}') as n_duplicates
    from customers group by segment_id
"""


class Column(NamedTuple):
    """A column of a list: the name of the customers' column, its heading in the list, and what is made of the values."""

    name: str
    header: str
    is_email: bool = False
    hash: str | None = None

    @property
    def words(self):
        return "an address" if self.is_email else f"a {self.name}"


class Rule(NamedTuple):
    """What must hold of a customer: a column that says yes, or a file that lists keys, or values of the column `of`."""

    column: str | None = None
    file: Path | None = None
    of: str | None = None
    place: str = ""


class Audience(NamedTuple):
    """The layout of a list, and the rules for who may be on it. Without columns the list has the key and the segment."""

    columns: tuple[Column, ...] = ()
    consent: tuple[Rule, ...] = ()
    suppression: tuple[Rule, ...] = ()
    delimiter: str = ","


# What activation.yml says


def read_audience(path, destination=None):
    """The audience of a destination in the file at `path`, or of none in particular.

    A sentence ends the script where the file is not as it should be. Where RULES is not there, there are no rules.
    """
    if path == RULES and not path.exists() and destination is None:
        return Audience()
    return RulesFile(path).audience(destination)


class RulesFile:
    """What a file such as activation.yml says. A sentence ends the script where it is not as it should be.

    It names the place, such as destinations.mailchimp.columns[2].
    """

    def __init__(self, path):
        self.path = path
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            mark = getattr(error, "problem_mark", None)
            problem = f"line {mark.line + 1}: {error.problem}" if mark else getattr(error, "strerror", None) or error
            raise SystemExit(f"{path} cannot be read: {problem}") from None
        self.content = self.mapping(content, "", ["consent", "suppression", "destinations"])

    def audience(self, destination):
        consent, suppression = (self.rules(self.content, name, name) for name in ("consent", "suppression"))
        if destination is None:
            return Audience(consent=consent, suppression=suppression)
        place = f"destinations.{destination}"
        layout = self.layout(destination, place)
        return Audience(
            self.columns(layout, f"{place}.columns"),
            consent + self.rules(layout, "consent", f"{place}.consent"),
            suppression + self.rules(layout, "suppression", f"{place}.suppression"),
            self.delimiter(layout, f"{place}.delimiter"),
        )

    def layout(self, destination, place):
        """The mapping with what is said of a destination."""
        destinations = self.content.get("destinations") or {}
        if not isinstance(destinations, dict):
            self.stop("destinations", "it should be a mapping of names to layouts")
        if destination not in destinations:
            self.stop("destinations", f"there is no {destination}, but {', '.join(map(str, destinations)) or 'none'}")
        if not re.fullmatch(r"[\w-]+", destination):
            self.stop(place, "a name has letters, digits, - and _, because a folder is called so")
        return self.mapping(destinations[destination], place, ["columns", "delimiter", "consent", "suppression"])

    def columns(self, layout, place):
        columns = tuple(self.column(*entry) for entry in self.entries(layout.get("columns"), place))
        if not columns:
            self.stop(place, "it should have a column")
        headers = [column.header.lower() for column in columns]
        if twice := {header for header in headers if headers.count(header) > 1}:
            self.stop(place, f"the header {', '.join(sorted(twice))} is there twice")
        return columns

    def column(self, entry, place):
        if isinstance(entry, str):
            return Column(entry, entry)
        self.check_texts(self.mapping(entry, place, ["column", "header", "type", "hash"]), place, ["column", "header"])
        if "column" not in entry:
            self.stop(place, "it should name a column")
        if entry.get("type", "email") != "email":
            self.stop(f"{place}.type", f"it is email or absent, not {entry['type']!r}")
        if entry.get("hash", "sha256") not in ("sha256", "md5"):
            self.stop(f"{place}.hash", f"it is sha256, md5 or absent, not {entry['hash']!r}")
        return Column(entry["column"], entry.get("header", entry["column"]), "type" in entry, entry.get("hash"))

    def delimiter(self, layout, place):
        delimiter = layout.get("delimiter", ",")
        if delimiter not in (",", ";", "|", "\t"):
            self.stop(place, f'it is ",", ";", "|" or "\\t", not {delimiter!r}')
        return delimiter

    def rules(self, value, name, place):
        found = value.get(name)
        return tuple(self.rule(*entry) for entry in self.entries(found, place)) if found is not None else ()

    def rule(self, entry, place):
        where = f"{self.path}, {place}"
        if isinstance(entry, str):
            return Rule(column=entry, place=where)
        self.check_texts(self.mapping(entry, place, ["file", "of"]), place, ["file", "of"])
        if "file" not in entry:
            self.stop(place, "it should name a column, or a file")
        return Rule(file=self.path.parent / entry["file"], of=entry.get("of"), place=where)

    def mapping(self, value, place, known):
        if not isinstance(value, dict):
            self.stop(place, f"it should be a mapping with {', '.join(known)}")
        for name in value.keys() - set(known):
            self.stop(place, f"it has {name}, which is none of {', '.join(known)}")
        return value

    def entries(self, value, place):
        """[(entry of a list, its place)]."""
        if not isinstance(value, list):
            self.stop(place, "it should be a list")
        return [(entry, f"{place}[{number}]") for number, entry in enumerate(value, start=1)]

    def check_texts(self, value, place, names):
        for name in names:
            if name in value and not (isinstance(value[name], str) and value[name].strip()):
                self.stop(f"{place}.{name}", f"it should be a text, not {value[name]!r}")

    def stop(self, place, problem):
        raise SystemExit(f"{self.path}{place and ', '}{place}: {problem}")


# What is asked of the customers


def normalised(email):
    """The SQL of an e-mail as other tools want it before it is hashed."""
    return f"lower(regexp_replace(cast({quoted(email)} as varchar), '^{SPACES}|{SPACES}$', '', 'g'))"


def cell(column, data_type):
    """The SQL of what a list holds of a column, NULL where there is nothing to deliver. What is hashed is normalised first."""
    if not (column.is_email or column.hash):
        return csv_value(quoted(column.name), data_type)
    value = f"nullif({normalised(column.name)}, '')"
    if column.is_email:
        value = f"case when regexp_matches({value}, '{EMAIL}') then {value} end"
    return f"{column.hash}({value})" if column.hash else csv_value(value, "VARCHAR")


def identifying(columns, key):
    """The column that a customer is known by in the other tool: the e-mail, or else what is hashed, or else the key."""
    ranked = sorted((column for column in columns if column.is_email or column.hash), key=lambda column: not column.is_email)
    return ranked[0] if ranked else next((column for column in columns if column.name == key), Column(key, key))


@contextmanager
def build_files(warehouse, table, name):
    """The two files that the published build has worked in, as the databases `build` and `scratch`."""
    remedy = f"{table} has no column {name}, and personal ones are only in {BUILD}"
    try:
        for database, file in (("build", BUILD / "warehouse.duckdb"), ("scratch", BUILD / "scratch.duckdb")):
            if not file.exists():
                raise SystemExit(f"{remedy}, where {file} is missing; run dbt build first")
            try:
                warehouse.execute(f"attach '{file}' as {database} (read_only)")
            except duckdb.Error as error:
                raise SystemExit(explained(error, file)) from None
        try:
            (build_id,) = warehouse.execute("select build_id from build.main.published_build").fetchone()
        except duckdb.CatalogException:
            build_id = None
        if build_id != warehouse.execute(NEWEST_BUILD).fetchone()[0]:
            raise SystemExit(f"{remedy}, which no longer holds the published build; run dbt build, then this command")
        yield
    finally:
        warehouse.execute("detach database if exists build")
        warehouse.execute("detach database if exists scratch")


@contextmanager
def list_set(warehouse, folder, name):
    """A folder for new files, as in `file_set`; what DuckDB cannot hold in memory meanwhile goes to a folder within it."""
    with file_set(folder, name) as new, tempfile.TemporaryDirectory(dir=new) as spilled:
        warehouse.execute(f"set memory_limit = '{MEMORY}'")
        warehouse.execute(f"set temp_directory = '{spilled.replace(chr(39), chr(39) * 2)}'")
        yield new


def check_segmented(warehouse, path, prefix):
    """Ends the script where there is no such segmentation, or where it is empty."""
    if f"{prefix}customer_segments" not in found_tables(warehouse):
        raise SystemExit(f"{path} has no table {prefix}customer_segments; run dbt build first")
    if not is_segmented(warehouse, prefix):
        raise SystemExit(
            f"{prefix}customer_segments is empty: the last build could not form these segments; the column not_segmented of "
            "the table builds says why"
        )


def build_number(warehouse):
    """The number of the published build, None where a build of an earlier version has published it."""
    is_there = "select count(*) from duckdb_columns() where table_name = 'builds' and column_name = 'build_number'"
    if not warehouse.execute(is_there).fetchone()[0]:
        return None
    return warehouse.execute("select max(build_number) from builds").fetchone()[0]


def types_of(warehouse, table):
    return {name: data_type for name, data_type, _ in warehouse.execute(COLUMNS, [table]).fetchall()}


def make_people(warehouse, prefix, audience):
    """Make the table `people` of everybody whom a build knows, with what `audience` asks; returns {column: type}, the key first.

    A column is that of the segmentation, or else that of the first one, or else a personal one. Who is in no segment of this
    segmentation is there too: what is not to be delivered may be the address of somebody who is in one.
    """
    segments = f"{prefix}customer_segments"
    relations = [(quoted(segments), types_of(warehouse, segments))]
    types = relations[0][1]
    key = next(iter(types))
    rules = [*audience.consent, *audience.suppression]
    names = [*(column.name for column in audience.columns), *(rule.column or rule.of or key for rule in rules)]
    if prefix and "customer_segments" in found_tables(warehouse):
        relations.append(("customer_segments", types_of(warehouse, "customer_segments")))
    with ExitStack() as stack:
        if missing := [name for name in names if not any(name in columns for _, columns in relations)]:
            stack.enter_context(build_files(warehouse, segments, missing[0]))
            relations.append(("scratch.main.stg_customers", dict(warehouse.execute(PERSONAL).fetchall())))
            if missing := [name for name in missing if name not in relations[-1][1]]:
                raise SystemExit(f"{segments} has no column {', '.join(missing)}; it has {', '.join(types)}")
        wanted, found = {}, {}
        for name in dict.fromkeys([key, "segment_id", "segment_name", *names]):
            number = next(number for number, (_, columns) in enumerate(relations) if name in columns)
            wanted[name] = quoted(name) if name == key else f"relation_{number}.{quoted(name)}"
            found[name] = relations[number][1][name]
        joined = " full join ".join(
            f"{relation} as relation_{number}" + (f" using ({quoted(key)})" if number else "")
            for number, (relation, _) in enumerate(relations)
        )
        confidence = "relation_0.confidence" if "confidence" in types else "null"
        columns = ", ".join([*wanted.values(), f"{confidence} as _confidence"])
        warehouse.execute(f"create temp table people as select {columns} from {joined}")
    return found


def holds(warehouse, rule, key, data_type, table):
    """The SQL of whether a rule holds of a row of `people`, never NULL; makes a `table` of the lines of a file."""
    if rule.column:
        word = f"nullif(trim(cast({quoted(rule.column)} as varchar)), '')"
        query = f"select {word} from people where {word} is not null and try_cast({word} as boolean) is null limit 1"
        if unclear := warehouse.execute(query).fetchone():
            raise SystemExit(f"{rule.place}: the column {rule.column} holds {unclear[0]!r}, which is neither yes nor no")
        return f"coalesce(try_cast({word} as boolean), false)"
    try:
        keys = read_keys(rule.file)
    except ValueError as error:
        raise SystemExit(f"{rule.place}: {error}") from None
    make_table(warehouse, table, keys)
    listed, value = value_of(data_type), quoted(key)
    if rule.of:
        listed, value = (f"nullif({normalised(name)}, '')" for name in ("key", rule.of))
    if not rule.of and (wrong := warehouse.execute(f"select line, key from {table} where {listed} is null limit 1").fetchone()):
        raise SystemExit(
            f"{rule.place}: {rule.file}, line {wrong[0]}: {wrong[1]!r} is no {key}, which is of the type {data_type.lower()}; "
            "correct it"
        )
    is_unknown = f"{listed} not in (select {value} from people where {value} is not null)"
    counts = warehouse.execute(f"select count(*), count(*) filter (where {is_unknown}) from {table}").fetchone()
    print(f"{rule.file}: {plural(counts[0], 'line')}, of which {counts[1]:,} belong to nobody", flush=True)
    return f"coalesce({value} in (select {listed} from {table}), false)"


def make_customers(warehouse, prefix, audience, rank="0"):
    """Make the table `customers` of all customers of a segmentation, each with the reason why it is delivered or not.

    Its columns: those that the audience asks for, _key (as lists hold it), _value (by which the other tool knows the customer,
    as lists hold it) and _reason. A value is delivered once: for the customer with the lowest `rank` (SQL), the highest
    confidence, and the lowest key. It counts as suppressed, or as without consent, where it is that of any such customer.
    Returns {column: type}, the key first, and the column of _value.
    """
    types = make_people(warehouse, prefix, audience)
    key = next(iter(types))
    known_by = identifying(audience.columns, key)
    consent, suppression = (
        [holds(warehouse, rule, key, types[key], f"{name}_{number}") for number, rule in enumerate(rules, start=1)]
        for name, rules in (("consent", audience.consent), ("suppression", audience.suppression))
    )
    if not consent and not suppression:
        print("No rules for consent and suppression are given: nobody is left out for these reasons.", flush=True)
    of_all = "over (partition by _value)"
    warehouse.execute(
        f"""
        create temp table customers as
        with marked as (
            select
                *,
                cast({csv_value(quoted(key), types[key])} as varchar) as _key,
                nullif(cast({cell(known_by, types[known_by.name])} as varchar), '') as _value,
                {" and ".join(consent) or "true"} as _consents,
                {" or ".join(suppression) or "false"} as _is_suppressed
            from people
        ),
        shared as (
            select
                * replace (
                    case when _value is null then _consents else bool_and(_consents) {of_all} end as _consents,
                    case when _value is null then _is_suppressed else bool_or(_is_suppressed) {of_all} end as _is_suppressed
                ),
                {rank} as _rank
            from marked
        )
        select
            * exclude (_consents, _is_suppressed, _rank),
            case
                when not _consents then '{WITHOUT_CONSENT}'
                when _is_suppressed then '{SUPPRESSED}'
                when _value is null then '{WITHOUT_VALUE}'
                when row_number() over (partition by _value order by _rank, _confidence desc nulls last, {quoted(key)}) > 1
                    then '{DUPLICATE}'
                else '{DELIVERED}'
            end as _reason
        from shared
        where segment_id is not null
        """
    )
    if known_by.name != key and not warehouse.execute("select count(_value) from customers").fetchone()[0]:
        what = "an e-mail" if known_by.is_email else "a value"
        raise SystemExit(f"no customer has {what} in the column {known_by.name}; name the column that holds it")
    return types, known_by


def columns_of(audience, types):
    """The columns of a list: those of the audience, or the key, the number and the name of the segment."""
    key = next(iter(types))
    return audience.columns or tuple(Column(name, name) for name in (key, "segment_id", "segment_name"))


def selected(columns, types):
    """The SQL of the columns of a list, from the table `customers`."""
    return ", ".join(f"{cell(column, types[column.name])} as {quoted(neutralised(column.header))}" for column in columns)


def counted(counts, known_by):
    """How many customers are on a list, and why others are not, from {reason: number}."""
    words = {
        WITHOUT_CONSENT: "without consent",
        SUPPRESSED: "suppressed",
        WITHOUT_VALUE: f"without {known_by.words}",
        DUPLICATE: f"with {known_by.words} that is listed for somebody else",
    }
    left_out = ", ".join(f"{counts[reason]:,} {text}" for reason, text in words.items() if counts.get(reason))
    return plural(counts.get(DELIVERED, 0), "customer") + (f"; left out: {left_out}" if left_out else "")
