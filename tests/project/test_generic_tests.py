"""The project's own generic data test, each kind of promise proven by models that keep it and models that break it."""

import json

import pytest
import yaml

SHARES = {"per": ["b"], "holds": "sum(a) = 1"}
# kind: (arguments, rows that keep it, [(rows that break it, what the sentence says)])
CASES = {
    "one_row_per": (
        {"one_row_per": ["a", "b"]},
        ["select 1 as a, 1 as b union all select 1, 2", "select 1 as a, 1 as b where false"],
        [
            ("select 1 as a, 1 as b union all select 1, 1", "one row per a, b (1 key)"),
            ("select 1 as a, null::int as b union all select null, 1", "one row per a, b (2 keys)"),
        ],
    ),
    "one_row_per_customer": (
        {"one_row_per": ["customer_id"]},
        [
            "select unnest([1, 2, 3]) as customer_id",
            # Not told apart by a bitmap: too far apart, and no numbers.
            "select unnest([1, 9000000000000000000]) as customer_id",
            "select unnest(['x', 'y']) as customer_id",
            # The least number there is, and a few above it.
            "select unnest([-9223372036854775808, -9223372036854775805]::bigint[]) as customer_id",
        ],
        [
            ("select unnest([1, 1]) as customer_id", "one row per customer_id (1 key)"),
            ("select unnest([1, null]) as customer_id", "one row per customer_id (1 key)"),
            ("select unnest([1, 9000000000000000000, 1]) as customer_id", "one row per customer_id (1 key)"),
            ("select unnest(['x', 'y', 'x']) as customer_id", "one row per customer_id (1 key)"),
        ],
    ),
    "in_every_row": (
        {"in_every_row": {"b is above 0": "b > 0", "it's it": "c = 'it''s'"}},
        ["select 1 as b, 'it''s' as c", "select 1 as b, 'x' as c where false"],
        [
            ("select 0 as b, 'it''s' as c", "b is above 0 (1 row)"),
            ("select null::int as b, 'it''s' as c union all select -1, 'it''s'", "b is above 0 (2 rows)"),
            ("select 'nan'::double - 1 as b, 'its' as c", "it's it (1 row)"),
            ("select 0 as b, 'its' as c", "b is above 0 (1 row); it's it (1 row)"),
        ],
    ),
    "in_all": (
        {"in_all": {"as many rows as there are": "count(*) = (select count(*) from {{ ref('two_rows') }})", "sum": "sum(a) = 2"}},
        ["select unnest([2, 0]) as a"],
        [
            ("select 2 as a", "as many rows as there are"),
            ("select unnest([2, 1]) as a", "sum"),
            ("select 1 as a where false", "as many rows as there are; sum"),
        ],
    ),
    "in_every_group": (
        {"in_every_group": {"shares sum to one": SHARES}},
        ["select unnest([0.25, 0.75, 1.0]) as a, unnest(['x', 'x', 'y']) as b", "select 1 as a, 'x' as b where false"],
        [
            ("select unnest([0.25, 0.75, 0.5]) as a, unnest(['x', 'x', 'y']) as b", "shares sum to one (1 group)"),
            ("select null::double as a, 'x' as b union all select 2, 'y'", "shares sum to one (2 groups)"),
        ],
    ),
}
KEPT = [(name, number) for name, (_, kept, _) in CASES.items() for number in range(len(kept))]
BROKEN = [(name, number, words) for name, (_, _, broken) in CASES.items() for number, (_, words) in enumerate(broken)]


@pytest.fixture(scope="module")
def outcomes(new_project):
    """{data test: (status, message)}, all from one run of dbt."""
    project = new_project()
    folder = project.folder / "dbt_project" / "models" / "proofs"
    folder.mkdir()
    (folder / "two_rows.sql").write_text("select unnest([1, 2]) as a", encoding="utf-8")
    models = []
    for name, (arguments, kept, broken) in CASES.items():
        for verdict, queries in (("kept", kept), ("broken", [query for query, _ in broken])):
            for number, query in enumerate(queries):
                model = f"{name}_{verdict}_{number}"
                (folder / f"{model}.sql").write_text(query, encoding="utf-8")
                tests = [{"promises": {"name": f"{model}__test", "arguments": arguments}}]
                if verdict == "broken":
                    tests.append(
                        {"promises": {"name": f"{model}__warning", "arguments": arguments, "config": {"severity": "warn"}}}
                    )
                models.append({"name": model, "data_tests": tests})
    (folder / "models.yml").write_text(yaml.safe_dump({"version": 2, "models": models}, width=1000), encoding="utf-8")
    project.output = project.dbt("build", "--select", "path:dbt_project/models/proofs")[1]
    results = json.loads((project.folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    found = {result["unique_id"].split(".")[2]: (result["status"], result["message"]) for result in results}
    return found | {"output": project.output}


@pytest.mark.parametrize(("name", "number"), KEPT)
def test_a_promise_that_is_kept_passes(outcomes, name, number):
    assert outcomes[f"{name}_kept_{number}__test"][0] == "pass"


@pytest.mark.parametrize(("name", "number", "words"), BROKEN)
def test_a_promise_that_is_broken_fails_in_words(outcomes, name, number, words):
    status, message = outcomes[f"{name}_broken_{number}__test"]
    assert status == "error"
    assert f"{name}_broken_{number} does not hold: {words}" in " ".join(message.split())


@pytest.mark.parametrize(("name", "number", "words"), BROKEN)
def test_with_the_severity_warn_it_says_the_same_and_goes_on(outcomes, name, number, words):
    assert outcomes[f"{name}_broken_{number}__warning"][0] == "warn"
    assert f"{name}_broken_{number} does not hold: {words}" in outcomes["output"]


def test_there_is_no_other_generic_test(new_project):
    folder = new_project().folder / "dbt_project" / "tests" / "generic"
    assert [path.stem for path in folder.glob("*.sql")] == ["promises"]
