"""Other databases and object stores, as a plugin of dbt-duckdb: what profiles.yml lists under attach: and secrets:.

DuckDB reads SQLite, PostgreSQL, MySQL and S3 by extensions, and looks for one where a build needs it. The packages of
requirements-databases.txt hold them; where they are not installed, DuckDB downloads what it needs, if it can.

A password may stand in what DuckDB says, and in what dbt writes into its log. Each is masked in all that dbt prints and writes.
"""

import re
import shutil
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.context import get_invocation_context

from refusals import refusal, said_by

# DuckDB's scanners take a NaN in a NUMERIC of PostgreSQL for 0 unless they read texts, and stop at a text in a column that SQLite
# calls a number, as any of its columns may hold. As texts such values reach the checks.
SETTINGS = {"postgres": "pg_use_text_protocol", "sqlite": "sqlite_all_varchar"}
# What is not to be seen, by the name of a parameter of a secret, and in the text that says where a database is.
SECRET_NAMES = re.compile("pass|secret|token|key|connection_string|headers")
PASSWORDS = re.compile(
    r"""pass(?:word|wd)?\s*=\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"|([^\s&;'"]+))|://[^\s/:@]*:([^\s/@]+)@""", re.I
)


class Plugin(BasePlugin):
    """Named first among the plugins in profiles.yml, so that what the others do finds the extensions."""

    def initialize(self, plugin_config):
        get_invocation_context().env_secrets.extend(passwords(self.creds))
        self.secrets = None

    def update_connection_config(self, creds, config):
        """Called before dbt opens the build file."""
        folder = Path(creds.path).parent / "extensions"
        if link_extensions(folder):
            config.setdefault("extension_directories", [str(folder.absolute())])
        # Dbt-duckdb would make the secrets by itself, and say the whole statement where it cannot.
        if self.secrets is None:
            self.secrets, creds._secrets = creds.secrets_sql(), []

    def configure_connection(self, conn):
        """Make the secrets and attach the databases; dbt-duckdb finds them attached. A refusal where it cannot be done."""
        for number, statement in enumerate(self.secrets, start=1):
            try:
                conn.execute(statement)
            except (duckdb.Error, RuntimeError) as error:
                raise refusal(f"profiles.yml, secrets:, entry {number}: {said_by(error)}.") from None
        for attachment in self.creds.attach or []:
            name = attachment.alias or Path(attachment.path).name
            try:
                conn.execute(attachment.to_sql())
            except (duckdb.Error, RuntimeError) as error:
                raise unattached(name, said_by(error)) from None
        for name, path, kind in conn.execute("select database_name, path, type from duckdb_databases()").fetchall():
            if kind == "sqlite" and not Path(path).exists():
                raise unattached(name, f"there is no file {path}")
            if kind in SETTINGS:
                conn.execute(f"set global {SETTINGS[kind]} = true")


def unattached(name, why):
    return refusal(f"The database {name} cannot be attached: {why}; check its entry under attach: in profiles.yml.")


def link_extensions(folder):
    """Show DuckDB the extensions that packages hold, in the `folder`, as it looks for them; whether there are any."""
    shutil.rmtree(folder, ignore_errors=True)
    version = f"v{duckdb.__version__}"
    found = list(Path(duckdb.__file__).parents[1].glob(f"duckdb_extension_*/extensions/{version}/*.duckdb_extension"))
    if found:
        with duckdb.connect() as session:
            (platform,) = session.execute("pragma platform").fetchone()
        place = folder / version / platform
        place.mkdir(parents=True)
        for file in found:
            (place / file.name).symlink_to(file)
    return bool(found)


def passwords(creds):
    """The texts in the profile that nobody is to see."""
    found = {
        str(value)
        for secret in creds.secrets or []
        for name, value in secret.items()
        if SECRET_NAMES.search(name) and isinstance(value, (str, int))
    }
    for attachment in creds.attach or []:
        found.update(text for match in PASSWORDS.finditer(attachment.path) for text in match.groups() if text)
    return sorted(found - {""}, key=len, reverse=True)
