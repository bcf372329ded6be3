"""The line that names the longest steps of a build, by the macro alone."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import Environment

SOURCE = Path(__file__).parents[2] / "dbt_project" / "macros" / "publishing" / "publishing.sql"


@pytest.fixture(scope="module")
def longest_steps():
    (text,) = re.findall(r"{% macro _longest_steps.*?{% endmacro %}", SOURCE.read_text(encoding="utf-8"), re.DOTALL)

    def call(steps, *seconds):
        results = [SimpleNamespace(node=SimpleNamespace(name=name), execution_time=its) for name, its in steps.items()]
        answers = []
        # An underscore hides a macro from Python, and return() is dbt's own.
        environment = Environment(extensions=["jinja2.ext.do"])
        environment.from_string(text + "{% do _longest_steps(*arguments) %}").render(
            arguments=[results, *seconds], **{"return": answers.append}
        )
        return answers[0]

    return call


def test_the_three_longest_steps_are_named_the_longest_first(longest_steps):
    steps = {"stg_customers": 0.1, "segment_changes": 16.7, "base_customer_lines": 29.9, "customer_clusters": 1233.1}
    line = "The longest steps: customer_clusters 1,233 s, base_customer_lines 30 s, segment_changes 17 s."
    assert longest_steps(steps, 9.1, 1300) == line


def test_publishing_is_a_step(longest_steps):
    assert longest_steps({"builds": 0.2, "k_scores": 20, "builds__promises": 1}, 45.4, 61).startswith(
        "The longest steps: publishing 45 s, k_scores 20 s, "
    )


@pytest.mark.parametrize(("seconds", "is_said"), [(60, False), (60.1, True)])
def test_only_of_more_than_a_minute(longest_steps, seconds, is_said):
    assert (longest_steps({"customer_clusters": 50}, 1, seconds) is not None) == is_said
