"""What files and relations are like that hold a table: their layouts, for every engine.

A layout says which files, how each is written, and where each column stands in it. The plugin of an engine (source_files.py,
spark_source_files.py) finds the files and looks into them with a reader of its own; here it is made out what they are. Whatever
cannot be answered for certain raises a DbtRuntimeError with one sentence: what is wrong, where, and what to do.

A column is a dictionary, as the macros segmentation and orders return it: `name`; `headers`, other names accepted in a file;
`is_optional`; `instead`, the names of the columns that make up for it; `is_substitute`, read only where it makes up for another.
The last three may be absent.

The answer is a list of layouts. Files that are laid out alike share one, so that each layout is read in one pass. A source
that is a relation has one:

    format      'parquet', 'relation', or the encoding of the text
    relation    SQL of its name; there for a relation only
    files       the paths; of a workbook "<path>, sheet <name>" for each sheet; of a relation its name as the configuration has it
    opened      {path: the file that DuckDB opens: itself, or a copy}
    patterns    {path: what DuckDB's readers need for it, which take a bracket or a star in a path for a pattern}
    n_lines     {path: its lines or rows, blank ones and the header counted; None where only DuckDB can open it}
    preambles   {path: (lines above the header or the first record, and how many of them are not blank)}, where there are such
    states      {path of the file on disk: what changes when somebody writes to it}
    delimiter   between the fields of a line: ' ' for any number of spaces; 'json' for JSON lines; None for Parquet and relations
    n_fields    of a complete record
    headers     what the columns are called there, in order
    n_needed    fields that a record has at least: behind them there is nothing that is asked for
    columns     the configured columns that the files have. `is_typed` where a column of Parquet, JSON or a relation does not hold
                texts; of JSON `is_mixed` where some values are texts and others are not, `has_numbers` where some are numbers,
                `may_be_nested` where some are lists or objects
    fields      {name of the column: its position in the line, from 1; its name in Parquet or a relation; its pointer in JSON}
    has_header  whether the first line below the preamble is none of the records
    repeats     whether a key stands twice in an object of JSON
    masked      the positions or names of the fields whose values are personal, read or not
"""

import json
import os
import re
import stat
from contextlib import suppress

from dbt_common.exceptions import DbtRuntimeError

from headers import columns_to_read, personal_positions, positions_of, require_every_column
from packed_files import BLOCK, blocks
from refusals import refusal
from ways_of_writing import in_words, look_at

# How Parquet files begin and end; the second one is encrypted.
PARQUET = (b"PAR1", b"PARE")
# A first line of spreadsheets that names the delimiter.
SEP = re.compile('"?sep=(.)"?[,;]*', re.IGNORECASE)
# The most lines of comments, beyond those that skip_lines counts.
LONGEST_PREAMBLE = 1000
# The lines among which a header is looked for where the first one is none.
HEADERS_LOOKED_FOR = 50
# The delimiter of a layout whose lines are JSON objects, and what the names of such files end in.
JSON = "json"
JSON_LINES = (".json", ".jsonl", ".ndjson")


def answer(request, known, look):
    """Take the step that a request of the macros names; it takes the answer, too.

    `look` is a function of the engine: a request with all that it takes to look into a source → its layouts. It is called once a
    build for each source, and `known` keeps what it found.
    """
    source = request["source"]
    if request["step"] == "check_lines":
        if request["n_rows"] is None:
            check_lines(request["layouts"], source, unreadable=request["unreadable"], found=request["found"])
        else:
            check_rows(source, n_rows=request["n_rows"], found=request["found"])
        return
    if request["step"] == "look_at":
        words = frozenset(source["missing_words"])
        request["seen"] = [in_words(name, look_at(texts, words)) for name, texts in request["texts"].items()]
        return
    key = request["invocation"], source["block"]
    if key in known:
        require_unchanged(known[key])
    elif "relation" not in request and "split_record" not in request:
        # The macro asks once more, with what it takes to look.
        return
    else:
        known[key] = look(request)
    request["layouts"] = known[key]


def source_layouts(reader, source, columns, files):
    """The layouts of files, as the head of this module describes them.

    `reader` looks into them; it has what that of source_files.py has, but for what finds files. Each of `files` has path,
    disk_path, state, format, opened and n_lines, as in the layouts; its pattern; and whether it `is_alone`, in a layout of its
    own. A sheet has its headers and keys, too.
    """
    layouts = {}
    # Files of one format stand together, in the order of the first ones.
    formats = list(dict.fromkeys(file["format"] for file in files))
    for file in sorted(files, key=lambda file: formats.index(file["format"])):
        with reader.one_sentence(file["path"]):
            layout = file_layout(reader, file, source, columns)
        path = file["path"]
        alike = (
            path
            if file["is_alone"]
            else (file["format"], layout["delimiter"], layout["n_fields"], str(layout["columns"]), layout["repeats"])
        )
        layout = layouts.setdefault((alike, tuple(layout["fields"].items()), tuple(layout["masked"])), layout)
        layout["files"].append(path)
        layout["opened"][path] = file["opened"]
        layout["patterns"][path] = file["pattern"]
        layout["n_lines"][path] = file["n_lines"]
        if file.get("preamble"):
            layout["preambles"][path] = file["preamble"]
        if file["state"]:
            layout["states"][file["disk_path"]] = file["state"]
    return list(layouts.values())


def relation_layout(reader, source, columns, relation):
    """The layout of a relation, which has its `sql` and its `columns`, {name: whether the column holds texts}."""
    layout = layout_of_columns(reader, source["name"], relation["columns"], source, columns)
    return layout | {"format": "relation", "relation": relation["sql"], "files": [source["name"]]}


class UnreadableLineError(Exception):
    """A line of a text cannot be decoded or held: its number, `line`, None where nobody says it, and the `kind` of error."""

    def __init__(self, line, kind):
        super().__init__(line, kind)
        self.line, self.kind = line, kind


def require_a_clear_name(path):
    """Raise where a name cannot be written down: dbt, DuckDB and the terminal take texts, and no other bytes."""
    if re.search(r"[\ud800-\udfff]", path):
        raise refusal(f"The name of the file {path} is not UTF-8; rename it.")
    if re.search(r"[\x00-\x1f\x7f-\x9f]", path):
        raise refusal(f"The name of the file {path} has a control character in it; rename it.")


def literal(text):
    """As SQL, which cannot hold a zero byte."""
    return "'" + text.replace("'", "''").replace("\0", "") + "'"


def json_pointer(key):
    """What points to the value of a key in an object, RFC 6901."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def beginning_of(path, packing):
    """The first bytes, unpacked: a block at least, or all. The first member of gzip may hold none or few."""
    beginning = b""
    for block in blocks(path, packing):
        beginning += block
        if len(beginning) >= BLOCK:
            break
    return beginning


def where_to_name(source):
    """Where the files of a source are named, for a sentence."""
    return (
        "give the path of a CSV or Parquet file, or a pattern such as exports/*.csv, relative to the folder of dbt_project.yml, "
        f"with --vars '{{{source['variable']}: path}}', the environment variable {source['variable'].upper()}, or source: file "
        f"in dbt_project.yml, vars, {source['block']}."
    )


def require_found(paths, source):
    if not paths:
        raise refusal(f"No file is found at {source['file']}; {where_to_name(source)}")


def require_content(path, content):
    if not content:
        raise refusal(f"{path} is empty; give a file with a header line and one line for each record.")


def require_whole_parquet(path, content):
    with open(content, "rb") as file:
        beginning = file.read(4)
        file.seek(-4, os.SEEK_END)
        if file.read(4) != beginning:
            raise refusal(
                f"{path} is not whole: a Parquet file ends as it begins, and this one does not; export or copy it anew."
            )


def require_a_name_of_text(path, beginning):
    """Raise where the name of a text says that it is something else, or its first bytes do."""
    name = path.lower()
    if is_called_parquet(path):
        raise refusal(
            f"{path} is not a Parquet file, which its name says; export it anew, or let the name of a text file end in .csv."
        )
    if name.endswith((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")):
        raise refusal(f"{path} is not a workbook, which its name says; save it anew, or let the name of a text file end in .csv.")
    if name.endswith((".tar", ".tgz", ".tar.gz")) or beginning[257:262] == b"ustar":
        raise refusal(f"{path} is an archive; unpack it, and give what is to be read.")
    if name.endswith(".lz4") or beginning.startswith(b"\x04\x22\x4d\x18"):
        raise refusal(f"{path} is packed with lz4, which is not read; unpack it, or pack it with gzip.")


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
            if has_changed(path, state):
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


def file_layout(reader, file, source, columns):
    """The layout of one file, which is not yet among its `files`. What stands above its first record is noted in `file`."""
    path, repeats = file["path"], False
    if file["format"] == "parquet":
        are_texts = reader.parquet_columns(file["opened"])
        return layout_of_columns(reader, path, are_texts, source, columns) | {"format": "parquet"}
    if "keys" in file:
        delimiter, headers = JSON, file["headers"]
    else:
        line, delimiters = first_record(reader, file, source)
        if is_json(path, line):
            keys = reader.json_keys(file["opened"], file["format"])
            delimiter, headers, repeats = JSON, keys_in_order(path, line, keys), any(keys.values())
        else:
            delimiter, headers = delimiter_and_headers(reader, path, line, delimiters, source, columns)
    positions = positions_of(columns, headers)
    try:
        require_every_column(reader, path, headers, positions, source, columns)
    except DbtRuntimeError:
        require_no_header_below(reader, file, delimiter, source, columns)
        raise
    found = columns_to_read(columns, positions)
    fields = {column["name"]: positions[column["name"]][0] for column in found}
    masked = personal_positions(source.get("personal", []), headers, of_others=positions)
    n_fields = n_needed = len(headers)
    if delimiter == JSON:
        keys = file.get("keys", headers)
        fields = {name: json_pointer(keys[position - 1]) for name, position in fields.items()}
        masked = [keys[position - 1] for position in masked]
        types = reader.json_types(file["opened"], file["format"], fields.values()) if fields else []
        found = [{**column, **kinds_of(types_of_one)} for column, types_of_one in zip(found, types, strict=True)]
        n_fields = n_needed = len(found)
    elif delimiter != " ":
        # Fields between spaces have moved where one is missing.
        n_needed = max(fields.values(), default=1)
    return empty_layout() | {
        "format": file["format"],
        "delimiter": delimiter,
        "headers": headers,
        "n_fields": n_fields,
        "n_needed": n_needed,
        "columns": found,
        "fields": fields,
        "masked": masked,
        "has_header": delimiter != JSON and not source.get("fields"),
        "repeats": repeats,
    }


def layout_of_columns(reader, name, are_texts, source, columns):
    """The layout of what has columns instead of lines: {name: whether it holds texts}. `name` is what messages call it."""
    headers = list(are_texts)
    positions = positions_of(columns, headers)
    require_every_column(reader, name, headers, positions, source, columns)
    found = columns_to_read(columns, positions)
    fields = {column["name"]: headers[positions[column["name"]][0] - 1] for column in found}
    # Whatever separator texts have, a number that is one here has a point when it is written out.
    found = [{**column, "is_typed": not are_texts[fields[column["name"]]]} for column in found]
    # Of its columns only those that are read are ever shown, as they are called here or in the configuration.
    masked = [name for column in source.get("personal", []) for name in (column["name"], fields.get(column["name"])) if name]
    return empty_layout() | {
        "delimiter": None,
        "headers": headers,
        "n_fields": len(found),
        "columns": found,
        "fields": fields,
        "masked": masked,
    }


def empty_layout():
    no_file = {"files": [], "opened": {}, "patterns": {}, "n_lines": {}, "preambles": {}, "states": {}}
    return no_file | {"masked": [], "has_header": False, "repeats": False}


def first_record(reader, file, source):
    """The first line below the preamble, which is noted in `file`, and the delimiters that may stand in it.

    Above it are `skip_lines`, comments, a line such as "sep=;" and blank lines.
    """
    path, skip_lines, comment = file["path"], source.get("skip_lines", 0), source.get("comment")
    try:
        lines = reader.first_lines(file["opened"], file["format"], skip_lines + LONGEST_PREAMBLE)
    except UnreadableLineError as error:
        raise unreadable_text(path, file["format"], line=error.line, error=error.kind) from None
    delimiters, n_not_blank = list(reader.split_record), 0
    for number, line in enumerate(lines):
        if not line.strip(" "):
            continue
        named = SEP.fullmatch(line.strip(" \r"))
        if number >= skip_lines and not named and not (comment and line.startswith(comment)):
            file |= {"n_above": number, "preamble": (number, n_not_blank) if n_not_blank else None}
            return line, delimiters
        n_not_blank += 1
        if named and number >= skip_lines:
            delimiters = [named[1]]
    if n_not_blank:
        raise refusal(
            f"{path} has no header below the lines that are skipped; look at skip_lines: and comment: under source: in "
            f"dbt_project.yml, vars, {source['block']}."
        )
    raise refusal(f"{path} is empty; give a file with a header line and one line for each record.")


def is_json(path, line):
    """Whether a file has JSON objects, one on each line, as its first one tells. Raises where it is other JSON."""
    text = line.strip()
    if text.startswith("{"):
        with suppress(ValueError):
            return isinstance(json.loads(text), dict)
        if path.lower().endswith(JSON_LINES) and text != "{":
            # A damaged line costs no others.
            return True
    if text == "{" or re.match(r"\[\s*(\{|$)", text):
        raise refusal(
            f'{path} is JSON whose records are not a line each; write it as JSON lines, as jq -c ".[]" does, or as CSV.'
        )
    return False


def keys_in_order(path, line, keys):
    """The keys of all objects, those of the first one first."""
    if not keys:
        raise refusal(f"{path} is called JSON and has no line that is a JSON object; write one such line for each record.")
    with suppress(ValueError):
        first = json.loads(line)
        return [key for key in first if key in keys] + sorted(key for key in keys if key not in first)
    return sorted(keys)


def kinds_of(types):
    """What the types of the values of a JSON key mean to a column."""
    types = types - {"NULL"}
    return {
        "is_typed": "VARCHAR" not in types,
        "is_mixed": "VARCHAR" in types and len(types) > 1,
        "has_numbers": not types <= {"VARCHAR", "ARRAY", "OBJECT", "BOOLEAN"},
        "may_be_nested": not types.isdisjoint(("ARRAY", "OBJECT")),
    }


def delimiter_and_headers(reader, path, line, delimiters, source, columns):
    """The delimiter under which most of the columns are found, and the names of the fields between.

    A tie goes to the first delimiter of `reader.split_record`. The names stand in the first line, or in the configuration. Where
    no columns are looked for, the delimiter is the one that makes most fields, and no space, which stands in headers, too.
    """
    if not set(delimiters) <= reader.split_record.keys():
        raise refusal(
            f'{path}: its first line names the delimiter "{delimiters[0]}", which is not read; save the file with commas, '
            "semicolons, tabs or pipes."
        )
    names = source.get("fields")
    # Fields between spaces are not quoted, so a quote that is left open would go unnoticed there.
    delimiters = [delimiter for delimiter in delimiters if delimiter != " " or names or (columns and '"' not in line)]
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
    delimiter, found = max(headers.items(), key=lambda item: len(positions_of(columns, item[1]) if columns else item[1]))
    # A delimiter that is not that of the file leaves the line whole, and a quote within a field is none.
    if columns and not names and not positions_of(columns, found) and len(headers) < len(delimiters):
        raise open_quote
    return delimiter, found


def require_no_header_below(reader, file, delimiter, source, columns):
    """Raise where one of the first lines of a text looks like its header, and others stand above it."""
    if delimiter == JSON or source.get("fields"):
        return
    lines = reader.first_lines(file["opened"], file["format"], HEADERS_LOOKED_FOR)
    for number, line in enumerate(lines[file["n_above"] + 1 :], start=file["n_above"] + 1):
        for headers in reader.split(line, list(reader.split_record)).values():
            positions = positions_of(columns, headers)
            if all(len(positions.get(column["name"], [])) == 1 or column.get("is_optional") for column in columns):
                raise refusal(
                    f"{file['path']} has its header in line {number + 1}, below others; set skip_lines: {number} under source: "
                    f"in dbt_project.yml, vars, {source['block']}."
                )


def check_lines(layouts, source, *, unreadable, found):
    """Raise where a line was not read, or cannot be decoded, or where there are none below the headers.

    `unreadable` is None or (path, line, kind of error) of the first line that cannot be decoded; `found` has for each file that
    lines were read of (path, number of lines, number of those that are not blank).
    """
    formats = {path: layout["format"] for layout in layouts for path in layout["files"]}
    if unreadable:
        opened, line, error = unreadable
        path = next(path for layout in layouts for path, other in layout["opened"].items() if other == opened)
        raise unreadable_text(path, formats[path], line=line, error=error)
    n_read = {path: n_lines for path, n_lines, _ in found}
    n_above = 0
    for layout in layouts:
        n_above += len(layout["files"]) * layout["has_header"] + sum(
            n_not_blank for _, n_not_blank in layout["preambles"].values()
        )
        for path, n_lines in layout["n_lines"].items():
            if n_lines is not None and n_lines != n_read.get(path, 0):
                raise refusal(
                    f"{path} has {n_lines} lines, of which {n_read.get(path, 0)} were read; save it anew as UTF-8 text with one "
                    "kind of line end, and report it as an error of this project."
                )
    if sum(n_not_blank for *_, n_not_blank in found) == n_above:
        raise refusal(f"{', '.join(formats)} has a header and no rows below it; give a file with one line for each record.")


def check_rows(source, *, n_rows, found):
    """Raise where a relation has no rows, or `found`, as in check_lines, is not all of them."""
    n_read = sum(n_lines for _, n_lines, _ in found)
    if n_read != n_rows:
        raise refusal(f"{source['name']} has {n_rows} rows, of which {n_read} were read: it has changed meanwhile; start again.")
    if n_rows == 0:
        raise refusal(f"{source['name']} has no rows; give a table with one row for each record.")


def unreadable_text(path, encoding, *, line, error):
    """The error to raise where the reader cannot decode or hold a line, `line`, or does not say which, None."""
    place = path if line is None else f"{path}, line {line},"
    if "encod" not in error.lower():
        which = f"{place} has a line of" if line is None else f"{place} has"
        return refusal(
            f"{which} more than two million bytes, which is too long; is this a text file with a line for each record?"
        )
    return refusal(f"{place} is not {encoding} text; save the file as UTF-8.")
