"""The tables and files of a source on Spark, as a plugin of the adapter sparksession; layouts.py describes the answer.

Files are Parquet, or texts in UTF-8 that are not packed: what else DuckDB reads is refused with one sentence. Each text on this
machine is read here once, byte by byte: its lines are counted apart from Spark.
"""

import difflib
import glob
import os
import re
from contextlib import contextmanager
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from layouts import (
    PARQUET,
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
)
from packed_files import packing_of
from refusals import refusal
from text_files import Text, declared_encoding, encoding_of

INSTEAD = "read it with DuckDB, the target duckdb, or save it as Parquet or as CSV in UTF-8"


class Plugin:
    """The door from the macros to the functions below."""

    def __init__(self, config, adapter):
        self.answers = {}

    def store(self, request):
        """The one door that the adapter opens from a macro to Python."""
        answer(request, self.answers, layouts)


def layouts(request):
    """The layouts that a request asks for."""
    reader = Reader(SparkSession.active(), request.get("split_record", {}))
    source, columns = request["source"], request["columns"]
    if "relation" in request:
        sql = request["relation"]["sql"]
        with reader.one_sentence(source["name"]):
            are_texts = reader.are_texts(f"select * from {sql}")
        return [relation_layout(reader, source, columns, {"sql": sql, "columns": are_texts})]
    return source_layouts(reader, source, columns, found_files(reader, source))


class Reader:
    """Looks into files with Spark. `split_record` is {delimiter: an expression that splits raw_record}, from the macros."""

    def __init__(self, session, split_record):
        self.session = session
        self.split_record = split_record

    def first_lines(self, path, encoding, n_lines):
        """The first lines, blank ones among them as ''."""
        return [line for (line,) in self.session.sql(f"select value from text.{quoted(path)} limit {n_lines}").collect()]

    def n_lines(self, path):
        return self.session.sql(f"select count(*) from text.{quoted(path)}").collect()[0][0]

    def split(self, line, delimiters):
        """{delimiter: the fields of a line}, without the delimiters under which its quotes are not balanced."""
        expressions = ", ".join(self.split_record[delimiter] for delimiter in delimiters)
        (fields,) = self.session.sql(f"select {expressions} from (select {spark_literal(line)} as raw_record)").collect()
        return {delimiter: headers for delimiter, headers in zip(delimiters, fields, strict=True) if headers is not None}

    def parquet_columns(self, path):
        """{name of a column: whether it holds texts}."""
        return self.are_texts(f"select * from parquet.{quoted(path)}")

    def are_texts(self, query):
        return {field.name: field.dataType.typeName() == "string" for field in self.session.sql(query).schema.fields}

    def parquet_rows(self, path):
        return self.session.sql(f"select count(*) from parquet.{quoted(path)}").collect()[0][0]

    def json_keys(self, path, encoding):
        raise refusal(f"{path} has JSON lines, which are not read on Spark; {INSTEAD}.")

    def similarities(self, pairs):
        """How much the texts of each pair read alike, from 0 to 1."""
        return [difflib.SequenceMatcher(None, one, other).ratio() for one, other in pairs]

    @staticmethod
    @contextmanager
    def one_sentence(path):
        """What Spark or the system says of what cannot be opened, in one line with its name."""
        try:
            yield
        except PySparkException as error:
            said = str(error).splitlines()[0].rstrip(".")
            raise refusal(f"{path} cannot be read: {said}.") from None
        except OSError as error:
            raise refusal(f"{path} cannot be read: {error.strerror}.") from None


def quoted(path):
    return "`" + path.replace("`", "``") + "`"


def spark_literal(text):
    return literal(text.replace("\\", "\\\\").replace("'", "\0")).replace("\0", "\\'")


def found_files(reader, source):
    """The files of a source, as layouts.source_layouts takes them."""
    if declared_encoding(source) != "utf-8":
        raise refusal(
            f"{source['file']} is declared as {source['encoding']}, and on Spark texts are read in UTF-8 only; {INSTEAD}."
        )
    require_a_clear_name(source["file"])
    is_here = "://" not in source["file"]
    paths = [source["file"]]
    if is_here and not os.path.lexists(source["file"]):
        paths = sorted(glob.glob(source["file"], recursive=True))
    require_found(paths, source)
    files = [local_file(reader, path, source) if is_here else file_elsewhere(reader, path) for path in paths]
    # A column of Parquet may have another type in each.
    return [
        file | {"disk_path": path, "path": path, "is_alone": file["format"] == "parquet"}
        for path, file in zip(paths, files, strict=True)
    ]


def file_elsewhere(reader, path):
    """A file at an address, which Spark alone opens: a pattern stands for all files that it finds there."""
    with reader.one_sentence(path):
        if is_called_parquet(path):
            return {"format": "parquet", "opened": path, "pattern": path, "state": None, "n_lines": reader.parquet_rows(path)}
        return {"format": "utf-8", "opened": path, "pattern": path, "state": None, "n_lines": reader.n_lines(path)}


def local_file(reader, path, source):
    """A file of this machine, by its first bytes."""
    require_a_clear_name(path)
    with reader.one_sentence(path):
        state = file_state(path)
        require_content(path, os.path.getsize(path))
        if packing_of(path):
            raise refusal(f"{path} is packed or a workbook, which is not read on Spark; {INSTEAD}.")
        beginning, opened = beginning_of(path, None), exact_pattern(path)
        found = {"opened": opened, "pattern": opened, "state": state}
        if beginning.startswith(PARQUET):
            require_whole_parquet(path, path)
            return found | {"format": "parquet", "n_lines": reader.parquet_rows(opened)}
        require_a_name_of_text(path, beginning)
        if (encoding := encoding_of(path, source, beginning)) != "utf-8":
            raise refusal(f"{path} is {encoding} text, which is not read on Spark; {INSTEAD}.")
        n_lines, _ = Text(path, None, encoding, source).counted()
    return found | {"format": "utf-8", "n_lines": n_lines}


def exact_pattern(path):
    """What Spark takes for this path on this machine and no other; it takes brackets, braces and stars for a pattern."""
    return "file://" + re.sub(r"([\[\]{}*?\\])", r"\\\1", str(Path(path).absolute()))
