"""How the plugins refuse what cannot be used: with one sentence that says what is wrong, where, and what to do."""

import re

from dbt_common.exceptions import DbtRuntimeError


def refusal(sentence):
    """The error to raise, with what a terminal would obey, as it can stand in a header or in a name, in letters: \\x1b."""
    return DbtRuntimeError("".join(one if one.isprintable() else repr(one)[1:-1] for one in sentence))


# What DuckDB says before the reason: how it was to reach a database, which may have a password in it, or what it asked there.
ASKED = re.compile(
    "^(?:Unable to connect to Postgres at|Failed to connect to MySQL database with parameters|Failed to prepare COPY|"
    'Failed to execute query) ".*?": (?:ERROR: *)?',
    re.DOTALL,
)
MISSING = re.compile(r'Failed to download extension "(\w+)"|Extension "[^"]*?(\w+)\.duckdb_extension" not found')


def said_by(error):
    """The first line of what DuckDB says, without the kind of error before it."""
    said = re.sub(r"^[\w ]+ Error: ", "", str(error))
    missing = MISSING.search(said)
    if missing:
        reason = re.search(r" \(ERROR .+\)(?=\s*$)", said)
        name, why = missing[1] or missing[2], reason[0] if reason else ""
        return (
            f"DuckDB needs its extension {name}, and cannot download it{why}; use the environment that has it, as "
            "make build DATABASES=yes does"
        )
    return (ASKED.sub("", said).splitlines() or [""])[0].rstrip(".:")
