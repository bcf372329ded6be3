"""Runs dbt for the tests: imports it once and forks a process for each command, which saves two seconds a command.

A request is a line of JSON on the standard input: the folder, the environment, the arguments, and a file for what dbt
prints. The answer is a line with the exit code.
"""

import atexit
import gc
import json
import os
import sys
import traceback

import dbt.adapters.duckdb  # noqa: F401
import pandas  # noqa: F401
import sklearn.cluster  # noqa: F401
from dbt.cli.main import cli


def run(folder, environment, arguments, output):
    """Become `dbt` with these arguments; never returns."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
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
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            run(**request)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
