"""What the files of a source are, as a plugin of dbt-duckdb: which files, how each is written, where each column stands in it.

The macros in macros/reading ask once a build for each source, before its lines are read. The plugin reads no rows: SQL splits,
types and checks them. Whatever cannot be answered for certain raises a DbtRuntimeError with one sentence: what is wrong, where,
and what to do.

A column is a dictionary, as the macros segmentation and orders return it: `name`; `headers`, other names accepted in a file;
`is_optional`; `instead`, the names of the columns that make up for it; `is_substitute`, read only where it makes up for another.
The last three may be absent.

Each file is read here once, byte by byte, before it counts: it has to be whole, and its lines are counted apart from the reader.
Text whose line ends are of several kinds is copied with line ends of one kind, because DuckDB's reader would split it wrongly;
UTF-16 is copied as UTF-8, because that reader refuses it where a character takes four bytes, as emoji do.

The answer is a list of layouts. Files that are laid out alike share one, so that each layout is read in one pass. A source
that is a relation has one:

    format      'parquet', 'relation', or the encoding of the text
    relation    SQL of its name; there for a relation only
    files       the paths; of a relation its name as the configuration has it
    opened      {path: the file that DuckDB opens: itself, or a copy}
    patterns    {path: what DuckDB's readers need for it, which take a bracket or a star in a path for a pattern}
    n_lines     {path: its lines or rows, blank ones and the header counted; None where only DuckDB can open it}
    states      {path: what changes when somebody writes to it}
    delimiter   between the fields of a line, ' ' for any number of spaces; None for Parquet and relations
    n_fields    of a complete record
    columns     the configured columns that the files have; `is_typed` where a column of Parquet or a relation does not hold texts
    fields      {name of the column: its position in the line, from 1, or its name in the Parquet file or relation}
"""

import codecs
import glob
import io
import os
import re
import shutil
import stat
import weakref
import zlib
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from string import Template

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from headers import columns_to_read, positions_of, require_every_column
from refusals import refusal, said_by

# Bytes read at once. A block of gzip becomes a thousand times longer at most, which fits into memory.
BLOCK = 1 << 16
# What the reader splits a line by, and would take out of a text.
SEPARATOR = "\U0010ffff"
# The first bytes of files that are neither text nor Parquet, and what they are.
PACKED = {b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"}
PACKED_NAMES = {".bz2": "bzip2", ".xz": "xz", ".zst": "zstd", ".zstd": "zstd", ".lz4": "lz4"}


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
        """The one door that dbt-duckdb opens from a macro to Python: `config` names the step and takes the answer."""
        request = target_config.config
        if request["step"] == "check_lines":
            if request["n_rows"] is None:
                check_lines(request["layouts"], request["source"], unreadable=request["unreadable"], found=request["found"])
            else:
                check_rows(request["source"], n_rows=request["n_rows"], found=request["found"])
            return
        key = request["invocation"], request["source"]["block"]
        if key in self.answers:
            require_unchanged(self.answers[key])
        else:
            # A cursor of its own: the macros run in a transaction of dbt's, and read what the reader sets aside there.
            with self.connection.cursor() as session:
                if request.get("relation"):
                    require_readable(session, request["source"], request["relation"])
                reader = Reader(session, request["read_lines"], request["split_record"])
                self.answers[key] = source_layouts(
                    reader, request["source"], request["columns"], self.copies, request.get("relation")
                )
        request["layouts"] = self.answers[key]


class Reader:
    """Looks into files with DuckDB and the SQL of the macros, so that a first line is read and split exactly as all lines are.

    `read_lines` is a table function with the column raw_record and with $files and $encoding for what differs;
    `split_record` gives for each delimiter the expression that splits raw_record into a list of texts, or into NULL. Values are
    written into the SQL, because DuckDB imports pandas to look at a parameter, which takes longer than all questions together.
    """

    def __init__(self, session, read_lines, split_record):
        self.session = session
        self.read_lines = Template(read_lines)
        self.split_record = split_record

    def paths(self, pattern):
        """The file of that name, or else the files that it stands for as a glob, in the order of their names."""
        if os.path.lexists(pattern):
            return [pattern]
        query = f"select file from glob({literal(pattern)}) order by file"
        return [path for (path,) in self.session.execute(query).fetchall()]

    def first_line(self, path, encoding):
        """The first line that is not blank, '' where there is none.

        Raises duckdb.InvalidInputException where it, or one soon after it, cannot be decoded or held.
        """
        lines = self.read_lines.substitute(files=literal(exact_pattern(path)), encoding=literal(encoding))
        line = self.session.execute(f"select raw_record from {lines} where trim(raw_record) <> '' limit 1").fetchone()
        return line[0] if line else ""

    def split(self, line, delimiters):
        """{delimiter: the fields of a line}, without the delimiters under which its quotes are not balanced."""
        expressions = ", ".join(self.split_record[delimiter] for delimiter in delimiters)
        fields = self.session.execute(f"select {expressions} from (select {literal(line)} as raw_record)").fetchone()
        return {delimiter: headers for delimiter, headers in zip(delimiters, fields, strict=True) if headers is not None}

    def parquet_columns(self, path):
        """{name of a column: whether it holds texts}."""
        schema = self.session.execute(
            f"select * from read_parquet({literal(exact_pattern(path))}, hive_partitioning = false) limit 0"
        )
        return {name: str(kind).startswith(("VARCHAR", "ENUM", "BLOB")) for name, kind, *_ in schema.description}

    def parquet_rows(self, path):
        """How many rows the file says that it has, without reading them."""
        return self.session.execute(f"select num_rows from parquet_file_metadata({literal(exact_pattern(path))})").fetchone()[0]

    def similarities(self, pairs):
        """How much the texts of each pair read alike, from 0 to 1 (Jaro-Winkler)."""
        expressions = ", ".join(f"jaro_winkler_similarity({literal(one)}, {literal(other)})" for one, other in pairs)
        return self.session.execute(f"select {expressions}").fetchone()


def source_layouts(reader, source, columns, copies, relation=None):
    """The layouts of a source, as the head of this file describes them.

    `copies` is the folder for those that it makes. `relation`, where the source is one, has its `sql` and its `columns`,
    {name: whether the column holds texts}.
    """
    if relation:
        layout = layout_of_columns(reader, source["name"], relation["columns"], source, columns)
        return [layout | {"format": "relation", "relation": relation["sql"], "files": [source["name"]]}]
    layouts = {}
    files = [source_file(reader, path, source, copies) for path in found_paths(reader, source)]
    # Files of one format stand together, in the order of the first ones.
    formats = list(dict.fromkeys(file["format"] for file in files))
    for file in sorted(files, key=lambda file: formats.index(file["format"])):
        with one_sentence(file["path"]):
            layout = file_layout(reader, file, source, columns)
        path, opened, pattern = file["path"], file["opened"], exact_pattern(file["opened"])
        # Alone where it is read under another name, and where it is Parquet: a column may have another type in each.
        alike = (
            path if file["format"] == "parquet" or pattern != path else (file["format"], layout["delimiter"], layout["n_fields"])
        )
        layout = layouts.setdefault((alike, tuple(layout["fields"].items())), layout)
        layout["files"].append(path)
        layout["opened"][path] = opened
        layout["patterns"][path] = pattern
        layout["n_lines"][path] = file["n_lines"]
        layout["states"][path] = file["state"]
    return list(layouts.values())


def require_readable(session, source, relation):
    """Raise where a table cannot be read: a database may show one that it lets nobody read, or be gone."""
    try:
        session.execute(f"select 1 from {relation['sql']} limit 1")
    except (duckdb.Error, RuntimeError) as error:
        raise refusal(f"{source['name']} cannot be read: {said_by(error)}; let the user in the profile read it.") from None


def found_paths(reader, source):
    """The paths of the files of a source, one at least."""
    where = (
        "give the path of a CSV or Parquet file, or a pattern such as exports/*.csv, relative to the folder of dbt_project.yml, "
        f"with --vars '{{{source['variable']}: path}}', the environment variable {source['variable'].upper()}, or source: file "
        f"in dbt_project.yml, vars, {source['block']}."
    )
    require_a_clear_name(source["file"])
    try:
        paths = reader.paths(source["file"])
    except duckdb.Error as error:
        for path in glob.glob(source["file"], recursive=True):
            require_a_clear_name(path)
        raise refusal(f"{source['file']} cannot be looked at: {said_by(error)}; {where}") from None
    if not paths:
        raise refusal(f"No file is found at {source['file']}; {where}")
    return paths


def require_a_clear_name(path):
    """Raise where a name cannot be written down: dbt, DuckDB and the terminal take texts, and no other bytes."""
    if re.search(r"[\ud800-\udfff]", path):
        raise refusal(f"The name of the file {path} is not UTF-8; rename it.")
    if re.search(r"[\x00-\x1f\x7f-\x9f]", path):
        raise refusal(f"The name of the file {path} has a control character in it; rename it.")


@contextmanager
def one_sentence(path):
    """What DuckDB or the system says of a file that cannot be opened, in one line with the name of the file."""
    try:
        yield
    except duckdb.Error as error:
        raise refusal(f"{path} cannot be read: {said_by(error)}; is it whole?") from None
    except OSError as error:
        raise refusal(f"{path} cannot be read: {error.strerror}.") from None


def literal(text):
    """As SQL, which cannot hold a zero byte."""
    return "'" + text.replace("'", "''").replace("\0", "") + "'"


def exact_pattern(path):
    """What DuckDB takes for this path and no other; it takes ~ at the beginning for the home folder."""
    return re.sub(r"([*?\[])", r"[\1]", f"./{path}" if path.startswith("~") else path)


def source_file(reader, path, source, copies):
    """One file, read to its end: path, state, format, n_lines and opened, as in the layouts."""
    require_a_clear_name(path)
    if "://" in path:
        encoding = "parquet" if is_called_parquet(path) else source["encoding"].lower()
        return {"path": path, "opened": path, "state": None, "format": encoding, "n_lines": None}
    with one_sentence(path):
        state = file_state(path)
        if os.path.getsize(path) == 0:
            raise refusal(f"{path} is empty; give a file with a header line and one line for each record.")
        encoding = file_format(path, source)
        file = {"path": path, "opened": path, "state": state, "format": encoding}
        if encoding == "parquet":
            return file | {"n_lines": reader.parquet_rows(path)}
        n_lines, line_ends = lines_and_line_ends(path, encoding)
        if is_utf_16(encoding):
            file["format"] = "utf-8"
        # DuckDB takes a question mark for the end of the name, so that it does not see .gz behind it.
        if len(line_ends) > 1 or is_utf_16(encoding) or (path.endswith(".gz") and "?" in path):
            file["opened"] = copy_as_the_reader_needs_it(path, encoding, copies)
        return file | {"n_lines": n_lines}


def file_state(path):
    """Device, inode, size and time of the last change of a file; it need not be opened, and nothing else than a file is."""
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise refusal(f"{path} is a folder; give a file in it, or a pattern such as {path.rstrip('/')}/*.csv.")
    if not stat.S_ISREG(status.st_mode):
        raise refusal(f"{path} is a pipe, a socket or a device; write what comes out of it into a file, and give that.")
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def require_unchanged(layouts):
    """Raise where a file is not the one that was read at first."""
    for layout in layouts:
        for path, state in layout["states"].items():
            if state is not None and has_changed(path, state):
                raise refusal(
                    f"{path} has changed while it was read; start again when it is complete, and let the program that writes it "
                    "do so under another name, and rename it in the end."
                )


def has_changed(path, state):
    try:
        return file_state(path) != state
    except OSError:
        return True


def is_called_parquet(path):
    return path.lower().endswith((".parquet", ".pq"))


def file_format(path, source):
    """'parquet', or the encoding of the text: the one declared, unless the file is UTF-16: 'utf-16-le' or 'utf-16-be'."""
    name = path.lower()
    with open(path, "rb") as file:
        beginning = file.read(8)
        file.seek(-min(os.fstat(file.fileno()).st_size, 4), os.SEEK_END)
        end = file.read(4)
    if is_called_parquet(path):
        if beginning[:4] not in (b"PAR1", b"PARE"):
            raise refusal(
                f"{path} is not a Parquet file, which its name says; export it anew, or let the name of a text file end in .csv."
            )
        if end != beginning[:4]:
            raise refusal(
                f"{path} is not whole: a Parquet file ends as it begins, and this one does not; export or copy it anew."
            )
        return "parquet"
    if name.endswith((".xlsx", ".xls", ".ods")) or beginning.startswith(b"\xd0\xcf\x11\xe0"):
        raise refusal(f"{path} is a workbook; save its sheet as CSV.")
    if name.endswith((".zip", ".tar", ".tgz", ".tar.gz")) or beginning.startswith(b"PK\x03\x04"):
        raise refusal(f"{path} is an archive; unpack it, or pack the file with gzip.")
    packed_with = PACKED_NAMES.get(os.path.splitext(name)[1])
    packed_with = packed_with or next((kind for magic, kind in PACKED.items() if beginning.startswith(magic)), None)
    if packed_with:
        raise refusal(
            f"{path} is packed with {packed_with}, which cannot be checked here to its end; unpack it, or pack it with gzip."
        )
    if beginning.startswith(b"\x1f\x8b") and not path.endswith(".gz"):
        raise refusal(f"{path} is packed with gzip, which its name does not say; let the name end in .gz.")
    if not beginning.startswith(b"\x1f\x8b") and path.endswith(".gz"):
        raise refusal(f"{path} is not packed with gzip, which its name says; let the name end without .gz.")
    if beginning.startswith(b"PAR1"):
        raise refusal(f"{path} is a Parquet file, which its name does not say; let the name end in .parquet.")
    return text_format(path, source, beginning_of_text(path))


def beginning_of_text(path):
    """The first bytes of a text, unpacked: a block at least, or all. The first member of gzip may hold none or few."""
    beginning = b""
    for block in blocks(path):
        beginning += block
        if len(beginning) >= BLOCK:
            break
    return beginning


def text_format(path, source, beginning):
    """The encoding of a text by its first bytes."""
    mark = beginning[:2]
    if beginning.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise refusal(f"{path} is UTF-32, which is not read; save it as UTF-8.")
    # Without a mark UTF-16 shows in its first line: of each letter of a header one half is a zero byte, and the other never is.
    line = re.match(rb"[\r\n\0]*[^\r\n]*", beginning)[0]
    zeros = (0 in line[0::2], 0 in line[1::2])
    if mark == codecs.BOM_UTF16_BE or (mark != codecs.BOM_UTF16_LE and zeros == (True, False)):
        return "utf-16-be"
    if mark == codecs.BOM_UTF16_LE or zeros == (False, True):
        return "utf-16-le"
    if zeros == (True, True) or (0 in beginning and not is_text(beginning)):
        raise refusal(f"{path} is not text, but a program, a picture or the like; give a CSV or Parquet file.")
    return source["encoding"].lower()


def is_text(beginning):
    """Whether bytes are UTF-8, but for a character that is cut at their end."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError:
        return False
    return True


def blocks(path):
    """The bytes of a file, unpacked, in blocks. Raises where what is packed is damaged or not whole."""
    with open(path, "rb", buffering=0) as file:
        read = iter(partial(file.read, BLOCK), b"")
        yield from unpacked(path, read) if path.endswith(".gz") else read


def unpacked(path, read):
    """What blocks of gzip hold; zlib compares the checksum and the length at the end of each member. DuckDB does neither."""
    member = None
    for block in read:
        while block:
            member = member or zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            try:
                yield member.decompress(block)
            except zlib.error as error:
                what = "its checksum is wrong" if re.search("(data|length) check", str(error)) else "it cannot be unpacked"
                raise refusal(f"{path} is damaged: {what}; copy or export it anew.") from None
            block = member.unused_data
            member = None if member.eof else member
    if member:
        raise refusal(f"{path} is not whole: it ends before its checksum; copy or export it anew.")


def is_utf_16(encoding):
    return encoding.startswith("utf-16")


def decoded(path, encoding):
    """The text of a file in blocks, each line end as LF, and the decoder, whose `newlines` tells which kinds there are."""
    # What is not text is carried along, for the reader to say in which line it stands; UTF-16 is not what the reader sees.
    decoder = codecs.getincrementaldecoder(encoding)("strict" if is_utf_16(encoding) else "surrogateescape")
    decoder = io.IncrementalNewlineDecoder(decoder, translate=True)

    def texts():
        for block in blocks(path):
            try:
                yield decoder.decode(block)
            except UnicodeDecodeError:
                raise refusal(f"{path} is not UTF-16 text; save the file as UTF-8.") from None
        try:
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise refusal(f"{path} is not whole: it ends in the middle of a character; copy or export it anew.") from None

    return texts(), decoder


def lines_and_line_ends(path, encoding):
    """The number of lines of a text, blank ones counted, and the kinds of line ends: of LF, CR LF and CR those that it has."""
    texts, decoder = decoded(path, encoding)
    n_lines, last = 0, "\n"
    for text in texts:
        if SEPARATOR in text:
            line = n_lines + text.partition(SEPARATOR)[0].count("\n") + 1
            raise refusal(f"{path}, line {line}, has the character U+10FFFF, which is never one of a text; remove it.")
        n_lines += text.count("\n")
        last = text[-1:] or last
    kinds = decoder.newlines or ()
    return n_lines + (last != "\n"), (kinds,) if isinstance(kinds, str) else kinds


def copy_as_the_reader_needs_it(path, encoding, copies):
    """The path of a copy of a text in which each line ends in LF; of UTF-16 in UTF-8."""
    texts, _ = decoded(path, encoding)
    encoding = "utf-8" if is_utf_16(encoding) else encoding
    try:
        copies.mkdir(exist_ok=True)
        copy = copies / f"{len(os.listdir(copies))}.txt"
        with open(copy, "w", encoding=encoding, errors="surrogateescape", newline="") as file:
            shutil.copymode(path, copy)
            file.writelines(texts)
    except OSError as error:
        raise refusal(
            f"{path} needs a copy as plain UTF-8 with line ends of one kind, which cannot be written into {copies}: "
            f"{error.strerror}; make room there, or save the file so."
        ) from None
    return str(copy)


def file_layout(reader, file, source, columns):
    """The layout of one file, which is not yet among its `files`."""
    path = file["path"]
    if file["format"] == "parquet":
        return layout_of_columns(reader, path, reader.parquet_columns(path), source, columns) | {"format": "parquet"}
    delimiter, headers = delimiter_and_headers(reader, file, source, columns)
    positions = positions_of(columns, headers)
    require_every_column(reader, path, headers, positions, source, columns)
    found = columns_to_read(columns, positions)
    fields = {column["name"]: positions[column["name"]][0] for column in found}
    return empty_layout() | {
        "format": file["format"],
        "delimiter": delimiter,
        "n_fields": len(headers),
        "columns": found,
        "fields": fields,
    }


def layout_of_columns(reader, name, are_texts, source, columns):
    """The layout of what has columns instead of lines: {name: whether it holds texts}. `name` is what messages call it."""
    headers = list(are_texts)
    positions = positions_of(columns, headers)
    require_every_column(reader, name, headers, positions, source, columns)
    fields = {column["name"]: headers[positions[column["name"]][0] - 1] for column in columns_to_read(columns, positions)}
    # Whatever separator texts have, a number that is one here has a point when it is written out.
    found = [{**column, "is_typed": not are_texts[fields[column["name"]]]} for column in columns_to_read(columns, positions)]
    return empty_layout() | {"delimiter": None, "n_fields": len(found), "columns": found, "fields": fields}


def empty_layout():
    return {"files": [], "opened": {}, "patterns": {}, "n_lines": {}, "states": {}}


def delimiter_and_headers(reader, file, source, columns):
    """The delimiter under which most of the columns are found, and the names of the fields between.

    A tie goes to the first delimiter of `reader.split_record`. The names stand in the first line, or in the configuration.
    """
    path = file["path"]
    try:
        line = reader.first_line(file["opened"], file["format"])
    except duckdb.InvalidInputException as error:
        said = str(error)
        place = re.search(r"CSV Error on Line: (\d+)", said)
        kind = "line size over maximum" if "Maximum line size" in said else "invalid encoding"
        raise unreadable_text(path, file["format"], source, line=place and place[1], error=kind) from None
    if not line:
        raise refusal(f"{path} is empty; give a file with a header line and one line for each record.")
    names = source.get("fields")
    # Fields between spaces are not quoted, so a quote that is left open would go unnoticed there.
    delimiters = [delimiter for delimiter in reader.split_record if delimiter != " " or names or '"' not in line]
    headers = reader.split(line, delimiters)
    if names:
        headers = {delimiter: names for delimiter, fields in headers.items() if len(fields) == len(names)}
    if not headers and names:
        raise refusal(
            f"{path}: its first line does not have the {len(names)} fields that fields: in dbt_project.yml, vars, "
            f"{source['block']} names, whatever it is split by; name every field of the file, in order."
        )
    open_quote = refusal(
        f"{path}: the quotes of its first line are not balanced; the header has to stand on one line, with each quote closed."
    )
    if not headers:
        raise open_quote
    delimiter, found = max(headers.items(), key=lambda item: len(positions_of(columns, item[1])))
    # A delimiter that is not that of the file leaves the line whole, and a quote within a field is none.
    if not names and not positions_of(columns, found) and len(headers) < len(delimiters):
        raise open_quote
    return delimiter, found


def check_lines(layouts, source, *, unreadable, found):
    """Raise where a line was not read, or cannot be decoded, or where there are none below the headers.

    `unreadable` is None or (path, line, kind of error) of the first line that cannot be decoded; `found` has for each file that
    lines were read of (path, number of lines, number of those that are not blank).
    """
    formats = {path: layout["format"] for layout in layouts for path in layout["files"]}
    if unreadable:
        opened, line, error = unreadable
        path = next(path for layout in layouts for path, other in layout["opened"].items() if other == opened)
        raise unreadable_text(path, formats[path], source, line=line, error=error)
    n_read = {path: n_lines for path, n_lines, _ in found}
    for layout in layouts:
        for path, n_lines in layout["n_lines"].items():
            if n_lines is not None and n_lines != n_read.get(path, 0):
                raise refusal(
                    f"{path} has {n_lines} lines, of which {n_read.get(path, 0)} were read; save it anew as UTF-8 text with one "
                    "kind of line end, and report it as an error of this project."
                )
    n_headers = 0 if source.get("fields") else sum(format != "parquet" for format in formats.values())
    if sum(n_not_blank for *_, n_not_blank in found) == n_headers:
        raise refusal(f"{', '.join(formats)} has a header and no rows below it; give a file with one line for each record.")


def check_rows(source, *, n_rows, found):
    """Raise where a relation has no rows, or `found`, as in check_lines, is not all of them."""
    n_read = sum(n_lines for _, n_lines, _ in found)
    if n_read != n_rows:
        raise refusal(f"{source['name']} has {n_rows} rows, of which {n_read} were read: it has changed meanwhile; start again.")
    if n_rows == 0:
        raise refusal(f"{source['name']} has no rows; give a table with one row for each record.")


def unreadable_text(path, encoding, source, *, line, error):
    """The error to raise where DuckDB cannot decode or hold a line, `line`, or does not say which, None."""
    place = path if line is None else f"{path}, line {line},"
    if "encod" not in error.lower():
        which = f"{place} has a line of" if line is None else f"{place} has"
        return refusal(
            f"{which} more than two million bytes, which is too long; is this a text file with a line for each record?"
        )
    remedy = "save the file as UTF-8"
    if encoding == "utf-8":
        remedy += f", or set encoding: latin-1 under source: in dbt_project.yml, vars, {source['block']}"
    return refusal(f"{place} is not {encoding} text; {remedy}.")
