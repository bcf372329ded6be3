"""How the plugins refuse what cannot be used: with one sentence that says what is wrong, where, and what to do."""

import re

from dbt_common.exceptions import DbtRuntimeError


def refusal(sentence):
    """The error to raise, with what a terminal would obey, as it can stand in a header or in a name, in letters: \\x1b."""
    return DbtRuntimeError("".join(one if one.isprintable() else repr(one)[1:-1] for one in sentence))


def said_by(error):
    """The first line of what DuckDB says, without the kind of error before it, and without how it was to reach a database."""
    said = re.sub(r"^[\w ]+ Error: ", "", str(error))
    missing = re.search(r"Failed to download extension \"(\w+)\"|Extension \"[^\"]*?(\w+)\.duckdb_extension\" not found", said)
    if missing:
        reason = re.search(r"\(ERROR (.+)\)\s*$", said)
        return (
            f"DuckDB needs its extension {missing[1] or missing[2]}, and cannot download it"
            f"{f' ({reason[1]})' if reason else ''}; use the environment that has it, as make build DATABASES=yes does"
        )
    how = r"Unable to connect to Postgres at|Failed to connect to MySQL database with parameters|Failed to (?:prepare COPY|execute query)"
    said = re.sub(rf"^(?:{how}) \".*?\": (?:ERROR: *)?", "", said, flags=re.DOTALL)
    return (said.splitlines() or [""])[0].rstrip(".:")
