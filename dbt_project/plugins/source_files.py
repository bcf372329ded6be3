"""What the files of a source are, as a plugin of dbt-duckdb: which files, how each is written, where each column stands in it.

The macros in macros/reading ask once a build for each source, before its lines are read. The plugin reads no rows: SQL splits,
types and checks them. Whatever cannot be answered for certain raises a DbtRuntimeError with one sentence: what is wrong, where,
and what to do.

A column is a dictionary, as the macros segmentation and orders return it: `name`; `headers`, other names accepted in a file;
`is_optional`; `instead`, the names of the columns that make up for it; `is_substitute`, read only where it makes up for another.
The last three may be absent.

The answer is a list of layouts. Files that are laid out alike share one, so that each layout is read in one pass:

    format      'parquet', or the encoding of the text
    files       the paths
    patterns    {path: what DuckDB's readers need for it, which take a bracket or a star in a path for a pattern}
    delimiter   between the fields of a line, ' ' for any number of spaces; None for Parquet
    n_fields    of a complete record
    columns     the configured columns that the files have
    fields      {name of the column: its position in the line, from 1, or its name in the Parquet file}
"""

import re
from contextlib import contextmanager
from string import Template

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

# Below it the suggestions are noise: unrelated English words score 0.4 to 0.7.
LEAST_SIMILARITY = 0.8


class Plugin(BasePlugin):
    """The door from the macros to the functions below."""

    def initialize(self, plugin_config):
        self.answers = {}

    def configure_connection(self, conn):
        self.connection = conn

    def store(self, target_config):
        """The one door that dbt-duckdb opens from a macro to Python: `config` names the step and takes the answer."""
        request = target_config.config
        if request["step"] == "check_lines":
            check_lines(request["layouts"], request["source"], unreadable=request["unreadable"], n_lines=request["n_lines"])
            return
        key = request["invocation"], request["source"]["block"]
        if key not in self.answers:
            # A cursor of its own: the macros run in a transaction of dbt's, and read what the reader sets aside there.
            with self.connection.cursor() as session:
                reader = Reader(session, request["read_lines"], request["split_record"])
                self.answers[key] = source_layouts(reader, request["source"], request["columns"])
        request["layouts"] = self.answers[key]


class Reader:
    """Looks into files with DuckDB and the SQL of the macros, so that a first line is read and split exactly as all lines are.

    `read_lines` is a table function with the column raw_record and with $files, $encoding and $skip_unreadable for what differs;
    `split_record` gives for each delimiter the expression that splits raw_record into a list of texts, or into NULL. Values are
    written into the SQL, because DuckDB imports pandas to look at a parameter, which takes longer than all questions together.
    """

    def __init__(self, session, read_lines, split_record):
        self.session = session
        self.read_lines = Template(read_lines)
        self.split_record = split_record

    def paths(self, pattern):
        """The files that a path or a glob stands for, in the order of their names."""
        query = f"select file from glob({literal(pattern)}) order by file"
        return [path for (path,) in self.session.execute(query).fetchall()]

    def first_line(self, path, encoding, *, skip_unreadable=False):
        """The first line that is not blank, '' where there is none.

        Raises duckdb.InvalidInputException where it, or one soon after it, cannot be decoded or held, unless those are skipped.
        """
        lines = self.read_lines.substitute(
            files=literal(exact_pattern(path)), encoding=literal(encoding), skip_unreadable=skip_unreadable
        )
        line = self.session.execute(f"select raw_record from {lines} where trim(raw_record) <> '' limit 1").fetchone()
        return line[0] if line else ""

    def split(self, line, delimiters):
        """{delimiter: the fields of a line}, without the delimiters under which its quotes are not balanced."""
        expressions = ", ".join(self.split_record[delimiter] for delimiter in delimiters)
        fields = self.session.execute(f"select {expressions} from (select {literal(line)} as raw_record)").fetchone()
        return {delimiter: headers for delimiter, headers in zip(delimiters, fields, strict=True) if headers is not None}

    def parquet_columns(self, path):
        schema = self.session.execute(f"select * from read_parquet({literal(exact_pattern(path))}) limit 0")
        return [name for name, *_ in schema.description]

    def similarities(self, pairs):
        """How much the texts of each pair read alike, from 0 to 1 (Jaro-Winkler)."""
        expressions = ", ".join(f"jaro_winkler_similarity({literal(one)}, {literal(other)})" for one, other in pairs)
        return self.session.execute(f"select {expressions}").fetchone()


def source_layouts(reader, source, columns):
    """The layouts of a source, as the head of this file describes them."""
    paths = reader.paths(source["file"])
    if not paths:
        raise DbtRuntimeError(
            f"No file is found at {source['file']}; give the path of a CSV or Parquet file, or a pattern such as exports/*.csv, "
            f"relative to the folder of dbt_project.yml, with --vars '{{{source['variable']}: path}}', the environment variable "
            f"{source['variable'].upper()}, or source: file in dbt_project.yml, vars, {source['block']}."
        )
    by_format = {}
    for path in paths:
        with one_sentence(path):
            by_format.setdefault(file_format(reader, path, source), []).append(path)
    layouts = {}
    for format, paths in by_format.items():
        for path in paths:
            with one_sentence(path):
                layout = file_layout(reader, path, format, source, columns)
            # Parquet files are read one by one: a column may have another type in each.
            alike = path if format == "parquet" else (format, layout["delimiter"], layout["n_fields"])
            layout = layouts.setdefault((alike, tuple(layout["fields"].items())), layout)
            layout["files"].append(path)
            layout["patterns"][path] = exact_pattern(path)
    return list(layouts.values())


@contextmanager
def one_sentence(path):
    """What DuckDB says of a file that it cannot open, in one line with the name of the file."""
    try:
        yield
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        raise DbtRuntimeError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None


def literal(text):
    """As SQL, which cannot hold a zero byte."""
    return "'" + text.replace("'", "''").replace("\0", "") + "'"


def exact_pattern(path):
    return re.sub(r"([*?\[])", r"[\1]", path)


def file_format(reader, path, source):
    """'parquet', or the encoding of the text: the one declared, unless the file is UTF-16."""
    name = path.lower()
    if name.endswith((".parquet", ".pq")):
        return "parquet"
    if name.endswith((".xlsx", ".xls", ".ods")):
        raise DbtRuntimeError(f"{path} is a workbook; save its sheet as CSV.")
    beginning = first_bytes(path)
    if name.endswith(".zip") or beginning.startswith(b"PK\x03\x04"):
        raise DbtRuntimeError(f"{path} is an archive; unpack it, or pack the file with gzip.")
    if beginning.startswith(b"\x1f\x8b") and not name.endswith(".gz"):
        raise DbtRuntimeError(f"{path} is packed with gzip, which its name does not say; let the name end in .gz.")
    if beginning == b"PAR1":
        raise DbtRuntimeError(f"{path} is a Parquet file, which its name does not say; let the name end in .parquet.")
    # Read as UTF-8, the first readable line of UTF-16 has zero bytes.
    if "\0" not in reader.first_line(path, "utf-8", skip_unreadable=True):
        return source["encoding"].lower()
    # DuckDB takes the low byte for the first one, which turns the byte order mark U+FEFF around.
    if reader.first_line(path, "utf-16", skip_unreadable=True).startswith("\ufffe"):
        raise DbtRuntimeError(f"{path} is UTF-16 with the high byte first, which DuckDB does not read; save it as UTF-8.")
    return "utf-16"


def first_bytes(path):
    """The first four; none of a path that only DuckDB can open."""
    try:
        with open(path, "rb") as file:
            return file.read(4)
    except OSError:
        return b""


def file_layout(reader, path, format, source, columns):
    """The layout of one file, which is not yet among its `files`."""
    if format == "parquet":
        delimiter, headers = None, reader.parquet_columns(path)
    else:
        delimiter, headers = delimiter_and_headers(reader, path, format, source, columns)
    positions = positions_of(columns, headers)
    require_every_column(reader, path, headers, positions, source, columns)
    found = columns_to_read(columns, positions)
    fields = {column["name"]: positions[column["name"]][0] for column in found}
    if delimiter is None:
        fields = {name: headers[position - 1] for name, position in fields.items()}
    n_fields = len(found) if delimiter is None else len(headers)
    return {
        "format": format,
        "files": [],
        "patterns": {},
        "delimiter": delimiter,
        "n_fields": n_fields,
        "columns": found,
        "fields": fields,
    }


def delimiter_and_headers(reader, path, encoding, source, columns):
    """The delimiter under which most of the columns are found, and the names of the fields between.

    A tie goes to the first delimiter of `reader.split_record`. The names stand in the first line, or in the configuration.
    """
    try:
        line = reader.first_line(path, encoding)
    except duckdb.InvalidInputException as error:
        said = str(error)
        place = re.search(r"CSV Error on Line: (\d+)", said)
        kind = "line size over maximum" if "Maximum line size" in said else "invalid encoding"
        raise unreadable_text(path, encoding, source, line=place and place[1], error=kind) from None
    if not line:
        raise DbtRuntimeError(f"{path} is empty; give a file with a header line and one line for each record.")
    names = source.get("fields")
    # Fields between spaces are not quoted, so a quote that is left open would go unnoticed there.
    delimiters = [delimiter for delimiter in reader.split_record if delimiter != " " or names or '"' not in line]
    headers = reader.split(line, delimiters)
    if names:
        headers = {delimiter: names for delimiter, fields in headers.items() if len(fields) == len(names)}
    if not headers and names:
        raise DbtRuntimeError(
            f"{path}: its first line does not have the {len(names)} fields that fields: in dbt_project.yml, vars, "
            f"{source['block']} names, whatever it is split by; name every field of the file, in order."
        )
    if not headers:
        raise DbtRuntimeError(
            f"{path}: the quotes of its first line are not balanced; the header has to stand on one line, with each quote closed."
        )
    return max(headers.items(), key=lambda item: len(positions_of(columns, item[1])))


def comparable(header):
    """A header without case, spaces and underscores, which do not matter."""
    return re.sub(r"[\s_]+", "", str(header)).lower()


def accepted_headers(column):
    return [column["name"], *column["headers"]]


def positions_of(columns, headers):
    """{name of a configured column: the positions of its headers, from 1}, without the columns that have none."""
    positions = {}
    for column in columns:
        accepted = {comparable(name) for name in accepted_headers(column)}
        found = [position for position, header in enumerate(headers, start=1) if comparable(header) in accepted]
        if found:
            positions[column["name"]] = found
    return positions


def require_every_column(reader, path, headers, positions, source, columns):
    """Raise where a column stands in the file twice, or not at all and nothing makes up for it."""
    missing = []
    for column in columns:
        name, instead = column["name"], column.get("instead", [])
        found = positions.get(name, [])
        if len(found) > 1:
            doubled = '" and "'.join(str(headers[position - 1]) for position in found)
            raise DbtRuntimeError(
                f'{path} has more than one column for {name}, "{doubled}"; rename or remove all but one of them.'
            )
        if not found and not column.get("is_optional") and not (instead and all(other in positions for other in instead)):
            taken = {position for found in positions.values() for position in found}
            nearest = nearest_header(
                reader, column, [header for position, header in enumerate(headers, 1) if position not in taken]
            )
            missing.append(
                name
                + (f" or {' and '.join(instead)}" if instead else "")
                + (f' (the nearest header is "{nearest}")' if nearest else "")
            )
    if missing:
        remedy = (
            "what the file does not have can be removed there."
            if source["block"] == "segmentation"
            else "where there is no header, name its fields under fields: there."
        )
        raise DbtRuntimeError(
            f"{path} has no column for {', nor for '.join(missing)}; its first line is "
            f'"{", ".join(map(str, headers))[:200]}"; rename the header in the file, or add it under headers: in '
            f"dbt_project.yml, vars, {source['block']}; {remedy}"
        )


def nearest_header(reader, column, headers):
    """The header that reads most like one of those accepted for a column, or None where none is close."""
    pairs = [(header, accepted) for header in headers for accepted in accepted_headers(column)]
    if not pairs:
        return None
    similarities = reader.similarities([(comparable(header), comparable(accepted)) for header, accepted in pairs])
    similarity, (nearest, _) = max(zip(similarities, pairs, strict=True), key=lambda pair: pair[0])
    return nearest if similarity > LEAST_SIMILARITY else None


def columns_to_read(columns, positions):
    """The columns that a file has; what makes up for another is required of every record, and no other substitute is read."""
    needed = {other for column in columns if column["name"] not in positions for other in column.get("instead", [])}
    return [
        {**column, "missing": "reject"} if column["name"] in needed else column
        for column in columns
        if column["name"] in positions and (column["name"] in needed or not column.get("is_substitute"))
    ]


def check_lines(layouts, source, *, unreadable, n_lines):
    """Raise where a line that was read cannot be decoded, or where there are none below the headers.

    `unreadable` is None or (path, line, kind of error) of the first such line; `n_lines` counts those that are not blank.
    """
    formats = {path: layout["format"] for layout in layouts for path in layout["files"]}
    if unreadable:
        path, line, error = unreadable
        raise unreadable_text(path, formats[path], source, line=line, error=error)
    n_headers = 0 if source.get("fields") else sum(format != "parquet" for format in formats.values())
    if n_lines == n_headers:
        raise DbtRuntimeError(
            f"{', '.join(formats)} has a header and no rows below it; give a file with one line for each record."
        )


def unreadable_text(path, encoding, source, *, line, error):
    """The error to raise where DuckDB cannot decode or hold a line, `line`, or does not say which, None."""
    place = path if line is None else f"{path}, line {line},"
    if "encod" not in error.lower():
        return DbtRuntimeError(f"{place} cannot be read as text ({error.lower()}); is this a text file?")
    remedy = "save the file as UTF-8"
    if encoding == "utf-8":
        remedy += f", or set encoding: latin-1 under source: in dbt_project.yml, vars, {source['block']}"
    return DbtRuntimeError(f"{place} is not {encoding} text; {remedy}.")
