"""Runs dbt for the tests: imports it and parses a project once, and forks a process for each command, which saves three seconds.

A request is a line of JSON on the standard input: the folder, the environment, the arguments, and a file for what dbt
prints, and by how many seconds the clock is wrong. The answer is a line with the exit code.
"""

import atexit
import gc
import json
import os
import sys
import tempfile
import traceback
from datetime import datetime, timedelta
from pathlib import Path

import dbt.adapters.duckdb
import dbt.tracking
import pandas  # noqa: F401
import sklearn.cluster  # noqa: F401
from dbt.cli.main import cli, dbtRunner

WARM_UP = {
    "dbt_project.yml": "{name: warm_up, version: 1.0.0, profile: warm_up, flags: {send_anonymous_usage_stats: false}}",
    "profiles.yml": "warm_up: {target: any, outputs: {any: {type: duckdb, path: ':memory:'}}}",
    "models/one.sql": "select 1 as one",
    "models/one.yml": "models: [{name: one, columns: [{name: one, data_tests: [not_null]}]}]",
}


def warm_up():
    """Parse a project of one model: dbt writes code for its classes as it first uses them, and keeps it.

    Nothing is opened. The parser of static models holds a lock that a forked process would wait for, so it is left out.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, text in WARM_UP.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        place = ["--project-dir", folder, "--profiles-dir", folder]
        parsed = dbtRunner().invoke(["--quiet", "--no-static-parser", "parse", "--no-write-json", *place])
    if not parsed.success:
        raise RuntimeError("The project for the warm-up cannot be parsed.") from parsed.exception


def set_clock(seconds):
    """Let builds begin that much later than the system says, or earlier."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=seconds)

    dbt.tracking.datetime = Clock


def run(folder, environment, arguments, output, clock=0):
    """Become `dbt` with these arguments; never returns."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if clock:
        set_clock(clock)
    nothing = os.open(os.devnull, os.O_RDONLY)
    printed = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for source, target in ((nothing, 0), (printed, 1), (printed, 2)):
        os.dup2(source, target)
    sys.argv, code = ["dbt", *arguments], 1
    try:
        cli()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        # The end of a forked process: what was registered is done, such as closing DuckDB; what the parent made is left.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main():
    warm_up()
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            run(**request)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
