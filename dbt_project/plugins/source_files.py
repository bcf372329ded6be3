"""The files of a source, as a plugin of dbt-duckdb: which they are, whole or not, packed or not, and what DuckDB opens for each.

The macros in macros/reading ask once a build for each source, before its lines are read. The plugin reads no rows: SQL splits,
types and checks them. What the files are like is made out in layouts.py, which describes the answer.

What a file is, its first bytes say, whatever it is called: Parquet, a workbook (workbooks.py), or text (text_files.py), and each
of them may be packed (packed_files.py). Each file is read here once, byte by byte, before it counts: it has to be whole, and its
lines are counted apart from the reader. What DuckDB's reader would not take as it is, is copied for it.
"""

import glob
import os
import re
import shutil
import weakref
from contextlib import contextmanager
from pathlib import Path
from string import Template

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from layouts import (
    PARQUET,
    UnreadableLineError,
    answer,
    beginning_of,
    file_state,
    is_called_parquet,
    literal,
    relation_layout,
    require_a_clear_name,
    require_a_name_of_text,
    require_content,
    require_found,
    require_whole_parquet,
    source_layouts,
    where_to_name,
)
from packed_files import blocks, packed_with, packing_of
from refusals import refusal, said_by
from text_files import DIRECT, Text, declared_encoding, encoding_of, new_copy
from workbooks import BEGINNINGS, copied_sheets, is_workbook

# What is read on this machine only: what has to be unpacked or copied here.
UNREADABLE_ELSEWHERE = (".zip", ".zst", ".bz2", ".xz", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


class Plugin(BasePlugin):
    """The door from the macros to the functions below."""

    def initialize(self, plugin_config):
        self.answers = {}
        self.copies = Path(f"{self.creds.path}.normalised")
        # What a build that was killed has left, and what this one leaves: a copy holds customers.
        shutil.rmtree(self.copies, ignore_errors=True)
        weakref.finalize(self, shutil.rmtree, self.copies, ignore_errors=True)

    def configure_connection(self, conn):
        self.connection = conn

    def store(self, target_config):
        """The one door that dbt-duckdb opens from a macro to Python: `config` is the request."""
        answer(target_config.config, self.answers, self.layouts)

    def layouts(self, request):
        """The layouts that a request asks for."""
        source, columns = request["source"], request["columns"]
        # A cursor of its own: the macros run in a transaction of dbt's, and read what the reader sets aside there.
        with self.connection.cursor() as session:
            reader = Reader(
                session, request.get("read_lines", ""), request.get("split_record", {}), request.get("is_json_object")
            )
            if "relation" in request:
                require_readable(session, source, request["relation"])
                return [relation_layout(reader, source, columns, request["relation"])]
            return source_layouts(reader, source, columns, found_files(reader, source, self.copies, request["notes"]))


class Reader:
    """Looks into files with DuckDB and the SQL of the macros, so that a first line is read and split exactly as all lines are.

    `read_lines` is a table function with the column raw_record and with $files and $encoding for what differs;
    `split_record` gives for each delimiter the expression that splits raw_record into a list of texts, or into NULL;
    `is_json_object` is a condition on it. Values are written into the SQL, because DuckDB imports pandas to look at a parameter,
    which takes longer than all questions together.
    """

    def __init__(self, session, read_lines, split_record, is_json_object):
        self.session = session
        self.read_lines = Template(read_lines)
        self.split_record = split_record
        self.is_json_object = is_json_object
        # Ten thousand files of a pattern have the same first line as a rule; planning how it is split takes longest of all.
        self.known_splits = {}

    def paths(self, pattern):
        """The file of that name, or else the files that it stands for as a glob, in the order of their names."""
        if os.path.lexists(pattern):
            return [pattern]
        query = f"select file from glob({literal(pattern)}) order by file"
        return [path for (path,) in self.session.execute(query).fetchall()]

    def first_lines(self, path, encoding, n_lines):
        """The first lines, blank ones among them as ''.

        Raises UnreadableLineError where one, or one soon after them, cannot be decoded or held.
        """
        lines = self.lines(path, encoding)
        try:
            found = self.session.execute(f"select raw_record from {lines} limit {n_lines}").fetchall()
        except duckdb.InvalidInputException as error:
            said = str(error)
            place = re.search(r"CSV Error on Line: (\d+)", said)
            kind = "line size over maximum" if "Maximum line size" in said else "invalid encoding"
            raise UnreadableLineError(place and place[1], kind) from None
        return [line or "" for (line,) in found]

    def lines(self, path, encoding):
        return self.read_lines.substitute(files=literal(exact_pattern(path)), encoding=literal(encoding))

    def json_keys(self, path, encoding):
        """{key: whether it stands twice in an object} of the lines that are JSON objects."""
        query = f"""
            select key, bool_or(repeats)
            from (
                select unnest(keys) as key, len(keys) <> list_unique(keys) as repeats
                from (
                    select distinct json_keys(raw_record) as keys from {self.lines(path, encoding)} where {self.is_json_object}
                )
            )
            group by key
        """
        return dict(self.session.execute(query).fetchall())

    def json_types(self, path, encoding, pointers):
        """For each JSON pointer the set of the types of what it points to, such as VARCHAR, NULL, OBJECT, or one for numbers."""
        types = f"json_type(raw_record, [{', '.join(map(literal, pointers))}])"
        query = f"select distinct {types} from {self.lines(path, encoding)} where {self.is_json_object}"
        # A sheet with nothing below its header has no objects.
        rows = [row for (row,) in self.session.execute(query).fetchall()]
        return [{row[place] for row in rows} - {None} for place in range(len(pointers))]

    def split(self, line, delimiters):
        """{delimiter: the fields of a line}, without the delimiters under which its quotes are not balanced."""
        known = line, tuple(delimiters)
        if known not in self.known_splits:
            expressions = ", ".join(self.split_record[delimiter] for delimiter in delimiters)
            query = f"select {expressions} from (select {literal(line)} as raw_record)"
            self.known_splits[known] = self.session.execute(query).fetchone()
        fields = zip(delimiters, self.known_splits[known], strict=True)
        return {delimiter: headers for delimiter, headers in fields if headers is not None}

    def parquet_columns(self, path):
        """{name of a column: whether it holds texts}."""
        schema = self.session.execute(
            f"select * from read_parquet({literal(exact_pattern(path))}, hive_partitioning = false) limit 0"
        )
        return {name: str(kind).startswith(("VARCHAR", "ENUM", "BLOB")) for name, kind, *_ in schema.description}

    def parquet_rows(self, path):
        """How many rows the file says that it has, without reading them."""
        return self.session.execute(f"select num_rows from parquet_file_metadata({literal(exact_pattern(path))})").fetchone()[0]

    @staticmethod
    @contextmanager
    def one_sentence(path):
        """What DuckDB or the system says of a file that cannot be opened, in one line with the name of the file."""
        try:
            yield
        except duckdb.Error as error:
            raise refusal(f"{path} cannot be read: {said_by(error)}; is it whole?") from None
        except OSError as error:
            raise refusal(f"{path} cannot be read: {error.strerror}.") from None

    def similarities(self, pairs):
        """How much the texts of each pair read alike, from 0 to 1 (Jaro-Winkler)."""
        expressions = ", ".join(f"jaro_winkler_similarity({literal(one)}, {literal(other)})" for one, other in pairs)
        return self.session.execute(f"select {expressions}").fetchone()


def require_readable(session, source, relation):
    """Raise where a table cannot be read: a database may show one that it lets nobody read, or be gone."""
    try:
        session.execute(f"select 1 from {relation['sql']} limit 1")
    except (duckdb.Error, RuntimeError) as error:
        raise refusal(f"{source['name']} cannot be read: {said_by(error)}; let the user in the profile read it.") from None


def found_files(reader, source, copies, notes):
    """The files of a source, as layouts.source_layouts takes them.

    `copies` is the folder for those that are made here; what is to be said on the console is appended to `notes`.
    """
    declared_encoding(source)
    files = [file for path in found_paths(reader, source) for file in files_at(reader, path, source, copies, notes)]
    for file in files:
        file["pattern"] = exact_pattern(file["opened"])
        # Where it is read under another name, and where it is Parquet: a column may have another type in each.
        file["is_alone"] = file["format"] == "parquet" or file["pattern"] != file["path"]
    return files


def found_paths(reader, source):
    """The paths of the files of a source, one at least."""
    require_a_clear_name(source["file"])
    try:
        paths = reader.paths(source["file"])
    except duckdb.Error as error:
        for path in glob.glob(source["file"], recursive=True):
            require_a_clear_name(path)
        raise refusal(f"{source['file']} cannot be looked at: {said_by(error)}; {where_to_name(source)}") from None
    require_found(paths, source)
    return paths


def exact_pattern(path):
    """What DuckDB takes for this path and no other; it takes ~ at the beginning for the home folder."""
    return re.sub(r"([*?\[])", r"[\1]", f"./{path}" if path.startswith("~") else path)


def files_at(reader, path, source, copies, notes):
    """What is read at a path, to its end: one file, or some sheets of a workbook."""
    require_a_clear_name(path)
    if "://" in path:
        return [file_elsewhere(path, source)]
    with reader.one_sentence(path):
        state = file_state(path)
        require_content(path, os.path.getsize(path))
        found = [{"path": path, **file} for file in local_files(reader, path, source, copies, notes)]
    return [{**file, "disk_path": path, "state": state} for file in found]


def file_elsewhere(path, source):
    """A file at an address, which only DuckDB can open."""
    encoding = "parquet" if is_called_parquet(path) else declared_encoding(source)
    if encoding not in ("parquet", *DIRECT) or path.lower().endswith(UNREADABLE_ELSEWHERE):
        raise refusal(
            f"{path} is at an address, where CSV as UTF-8, JSON lines and Parquet are read, unpacked or as .gz; save it so, or "
            "give a copy of it on this machine."
        )
    return {"path": path, "disk_path": path, "opened": path, "state": None, "format": encoding, "n_lines": None}


def local_files(reader, path, source, copies, notes):
    """What is read in a file of this machine, by its first bytes."""
    packing, content = packing_of(path), path
    if packing == "zip" and is_workbook(path):
        packing = None
    beginning = beginning_of(path, packing)
    require_content(path, beginning)
    if packing and beginning.startswith((*PARQUET, *BEGINNINGS)):
        with new_copy(path, copies, mode="wb") as copy:
            copy.writelines(blocks(path, packing))
        packing, content = None, copy.name
    if beginning.startswith(PARQUET):
        require_whole_parquet(path, content)
        return [{"opened": content, "format": "parquet", "n_lines": reader.parquet_rows(content)}]
    if is_workbook(content):
        return copied_sheets(path, content, source, copies, notes)
    if content != path or (packing and packed_with(beginning)):
        raise refusal(f"{path} is packed twice; unpack it, and give what is in it.")
    return [text_file(path, packing, beginning, source, copies)]


def text_file(path, packing, beginning, source, copies):
    """A text, which is copied where DuckDB's reader would not take it, or not rightly."""
    require_a_name_of_text(path, beginning)
    encoding = encoding_of(path, source, beginning)
    text = Text(path, packing, encoding, source)
    if encoding not in DIRECT or packing != unpacked_by_duckdb(path):
        with new_copy(path, copies) as copy:
            n_lines, _ = text.counted(copy)
        return {"opened": copy.name, "format": "utf-8", "n_lines": n_lines}
    n_lines, line_ends = text.counted()
    if len(line_ends) > 1:
        with new_copy(path, copies) as copy:
            text.counted(copy)
        return {"opened": copy.name, "format": "utf-8", "n_lines": n_lines}
    return {"opened": path, "format": encoding, "n_lines": n_lines}


def unpacked_by_duckdb(path):
    """How DuckDB unpacks a file of this name, whose end is a question mark to it."""
    return {".gz": "gzip", ".zst": "zstd"}.get(os.path.splitext(path.partition("?")[0])[1])
