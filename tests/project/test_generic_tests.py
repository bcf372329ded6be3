"""The project's own generic data tests, each proven by a model that passes and one that fails."""

import pytest

# name: (arguments, rows that pass, rows that fail); `{column: ...}` goes to a column test, the rest to a model test.
CASES = {
    "one_row_per": (
        {"columns": ["a", "b"]},
        ["select 1 as a, 1 as b union all select 1, 2"],
        ["select 1 as a, 1 as b union all select 1, 1", "select 1 as a, null::int as b"],
    ),
    "finite": (
        {"columns": ["a", "b"]},
        ["select 1.5::double as a, -2.0::double as b"],
        [
            "select 1.0::double as a, null::double as b",
            "select 'nan'::double as a, 1.0::double as b",
            "select 1.0::double as a, '-infinity'::double as b",
        ],
    ),
    "between": (
        {"column_name": "a", "lowest": 0, "highest": 1},
        ["select 0.0 as a union all select 1 union all select null"],
        ["select 1.001 as a", "select -0.001 as a", "select 'nan'::double as a"],
    ),
    "true_of_every_row": (
        {"key": "a", "conditions": ["b > 0", "c = 'it''s'"]},
        [
            "select 1 as a, 1 as b, 'it''s' as c union all select 2, 5, 'it''s'",
            # Not told apart by a bitmap: too far apart, and no numbers.
            "select unnest([1, 9000000000000000000]) as a, 1 as b, 'it''s' as c",
            "select unnest(['x', 'y']) as a, 1 as b, 'it''s' as c",
            # The least number there is, and a few above it.
            "select unnest([-9223372036854775808, -9223372036854775805]::bigint[]) as a, 1 as b, 'it''s' as c",
        ],
        [
            "select unnest([1, 1]) as a, 1 as b, 'it''s' as c",
            "select unnest([1, null]) as a, 1 as b, 'it''s' as c",
            "select unnest([1, 9000000000000000000, 1]) as a, 1 as b, 'it''s' as c",
            "select unnest(['x', 'y', 'x']) as a, 1 as b, 'it''s' as c",
            "select 1 as a, 0 as b, 'it''s' as c",
            "select 1 as a, null::int as b, 'it''s' as c",
            "select 1 as a, 1 as b, 'its' as c",
        ],
    ),
    "as_many_rows_as": (
        {"to": "ref('two_rows')"},
        ["select 1 as a union all select 1"],
        ["select 1 as a", "select unnest([1, 2, 3]) as a"],
    ),
    "sums_to_rows_of": (
        {"column_name": "a", "to": "ref('two_rows')"},
        ["select unnest([2, 0]) as a"],
        ["select unnest([2, 1]) as a", "select 1 as a where false"],
    ),
    "sums_to_one": (
        {"column_name": "a", "per": ["b"]},
        ["select unnest([0.25, 0.75, 1.0]) as a, unnest(['x', 'x', 'y']) as b"],
        ["select unnest([0.25, 0.75, 0.5]) as a, unnest(['x', 'x', 'y']) as b", "select null::double as a, 'x' as b"],
    ),
}


@pytest.fixture(scope="module")
def outcomes(new_project):
    """{model: whether its test passed}, all from one run of dbt."""
    import json

    import yaml

    project = new_project()
    folder = project.folder / "dbt_project" / "models" / "proofs"
    folder.mkdir()
    (folder / "two_rows.sql").write_text("select unnest([1, 2]) as a", encoding="utf-8")
    models = []
    for name, (arguments, passing, failing) in CASES.items():
        arguments = dict(arguments)
        for verdict, queries in (("passes", passing), ("fails", failing)):
            for number, query in enumerate(queries):
                model = f"{name}_{verdict}_{number}"
                (folder / f"{model}.sql").write_text(query, encoding="utf-8")
                test = {name: {"name": f"{model}__test", "arguments": arguments}}
                models.append({"name": model, "data_tests": [test]})
    (folder / "models.yml").write_text(yaml.safe_dump({"version": 2, "models": models}), encoding="utf-8")
    project.dbt("build", "--select", "path:dbt_project/models/proofs")
    results = json.loads((project.folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    return {result["unique_id"].split(".")[2]: result["status"] for result in results}


@pytest.mark.parametrize("name", CASES)
def test_passes_where_it_should_and_fails_where_it_should(outcomes, name):
    _, passing, failing = CASES[name]
    for number in range(len(passing)):
        assert outcomes[f"{name}_passes_{number}__test"] == "pass"
    for number in range(len(failing)):
        assert outcomes[f"{name}_fails_{number}__test"] == "fail"


def test_every_generic_test_is_proven(new_project):
    folder = new_project().folder / "dbt_project" / "tests" / "generic"
    assert {path.stem for path in folder.glob("*.sql")} == set(CASES)
