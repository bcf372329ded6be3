"""What holds for a build on every engine: which sources may follow one another, and what of earlier builds counts."""

import subprocess
from functools import partial
from glob import glob
from pathlib import Path

import yaml
from dbt.events.types import JinjaLogInfo
from dbt_common.events.functions import fire_event
from dbt_common.exceptions import DbtRuntimeError

SAMPLE = {"customers": "dbt_project/sample/customers.csv", "orders": "dbt_project/sample/orders.csv"}


def code_version():
    """The commit, marked where files were changed since; the version of the project where it is not under git."""
    git = partial(subprocess.run, capture_output=True, text=True, check=True)
    try:
        git(["git", "ls-files", "--error-unmatch", "dbt_project.yml"])
        return git(["git", "--no-optional-locks", "describe", "--always", "--dirty"]).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "version " + yaml.safe_load(Path("dbt_project.yml").read_text(encoding="utf-8"))["version"]


def say(message):
    """A line of dbt's, as the macro log() prints it."""
    fire_event(JinjaLogInfo(msg=message, node_info={}))


def is_sample(source, kinds=("customers", "orders")):
    """Whether the file or pattern `source`, a text or None, is one of the sample or stands for it, however it is written."""
    if not source:
        return False
    samples = {Path(SAMPLE[kind]).resolve() for kind in kinds}
    return any(Path(path).resolve() in samples for path in [str(source), *glob(str(source))])


def refuse_customers_of_the_sample(customers, orders):
    if orders and is_sample(customers, ["customers"]) and not is_sample(orders, ["orders"]):
        raise DbtRuntimeError(
            f"The orders are those of {orders}, but the customers are those of the sample, who did not place them; give your "
            "customers, too, with the environment variable CUSTOMERS_FILE, or source: file in dbt_project.yml, vars, "
            "segmentation. For segments from orders alone, set CUSTOMERS_FILE to the word none, or write customers: null there."
        )


def is_to_begin_anew(last_source, files, *, place, way_out, way_back):
    """Whether the last build was on the sample and this one, of `files`, {customers, orders}, is not; the reverse is refused.

    `last_source` is that of the last build as in the column `source_file` of builds: of a build from orders alone the file of its
    orders. `place` is where it is published, `way_out` the way to be rid of it, and `way_back` the command that goes back to it.
    """
    kind = "customers" if files["customers"] else "orders"
    was_sample, is_now = is_sample(last_source), is_sample(files[kind])
    if is_now and not was_sample:
        raise DbtRuntimeError(
            f"{place} holds the segments of {last_source}, and the sample is not published over them; give "
            f"your {kind} with the environment variable {kind.upper()}_FILE, or source: file in dbt_project.yml, vars, "
            f"{'segmentation' if kind == 'customers' else 'orders'}. To see the sample again, {way_out}."
        )
    if was_sample and not is_now:
        say(f"The last build was on the sample: models and history begin anew. To go back to the sample, use {way_back}.")
    return was_sample and not is_now


def lineage(builds, number=None):
    """The numbers of the builds that build `number`, or else the last one, goes on from, itself included, the newest first.

    `builds` is {number: row}. A restore goes on from the build that it restores; a build on files of one's own does not go on
    from one on the sample.
    """
    found, number = [], number or max(builds)
    while number in builds:
        found.append(number)
        row = builds[number]
        before = row["restored_build_number"] or max((other for other in builds if other < number), default=None)
        is_first = before in builds and is_sample(builds[before]["source_file"]) and not is_sample(row["source_file"])
        number = None if is_first else before
    return found
