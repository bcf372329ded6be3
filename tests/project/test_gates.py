"""Every gate, passing in the default build and failing where its bound is moved; what it then says and stops."""

import json
import random
import re

import pytest

# gate: (a bound that the sample cannot keep, what the sentence says)
GATES = {
    "smallest_share": (0.16, "customers, a share of 0.157, below the gate of 0.16: lower n_clusters"),
    "silhouette": (0.5, "The silhouette of model 1 is 0.492, below the gate of 0.5"),
    "stability": (0.99, "has a bootstrap stability of 0.98"),
}


def gate_tests(output, outcome):
    """(prefix of the segmentation, name) of the gates with an outcome in dbt's report."""
    return set(re.findall(rf"{outcome}(?: \d+)? (?:int_)?(rfm_)?\w+?__gate_(\w+)", output))


@pytest.fixture(scope="module")
def project(built_customers, copy_of):
    return copy_of(built_customers)


def test_all_gates_pass_on_the_sample(built_sample):
    of_each = {"customers", "smallest_share", "structure", "silhouette", "agreement", "drift", "joint_drift", "stability"}
    of_each.add("valuable_movers")
    gates = {("", gate) for gate in of_each} | {("rfm_", gate) for gate in of_each} | {("", "orders")}
    assert gate_tests(built_sample.output, "PASS") == gates


def configure_gates(project, severity):
    project.configure(gates={gate: {"bound": bound, "severity": severity} for gate, (bound, _) in GATES.items()})


@pytest.mark.nights
def test_a_gate_fails_says_why_and_keeps_the_build_out_of_the_history(project):
    changes = project.query("select count(*), max(built_at) from segment_changes")
    periods = project.query("select * from customer_segment_history order by all", "warehouse.duckdb")
    configure_gates(project, "error")
    code, output = project.dbt("build")
    assert code == 1
    assert all(sentence in output for _, sentence in GATES.values())
    assert output.count("under gates") >= len(GATES)
    assert project.query("select count(*), max(built_at) from segment_changes") == changes
    assert project.query("select * from customer_segment_history order by all", "warehouse.duckdb") == periods
    assert "SKIP relation main.segment_migrations" in output


def test_each_gate_stops_what_only_appends(built_sample):
    """A test that fails keeps dbt from what depends on all that the test reads; one looks at what this build has appended."""
    manifest = json.loads((built_sample.folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    parents = manifest["parent_map"]

    def upstream(node):
        return set(parents[node]).union(*map(upstream, parents[node]))

    gates = [node for node in manifest["nodes"].values() if "__gate_" in node["name"]]
    assert len(gates) == 19
    for gate in [gate for gate in gates if not gate["name"].endswith("valuable_movers")]:
        prefix = "rfm_" if gate["name"].startswith(("rfm_", "int_rfm_", "stg_orders")) else ""
        for table in ("segment_changes", "segment_migrations"):
            assert set(gate["depends_on"]["nodes"]) <= upstream(f"model.customer_segmentation.{prefix}{table}")


@pytest.mark.nights
def test_with_the_severity_warn_it_is_said_and_the_build_goes_on(project):
    configure_gates(project, "warn")
    output = project.build()
    assert all(sentence in output for _, sentence in GATES.values())
    assert gate_tests(output, "WARN") == {("", gate) for gate in GATES}


@pytest.mark.nights
def test_drift_and_agreement(new_project):
    """Without a refit drift fails its gate; with one, the new model may agree too little with the one before.

    Permuted columns leave every feature as it is, and are a reason to refit all the same.
    """
    project = new_project()
    (project.folder / "dbt_project" / "sample" / "customers.csv").rename(project.folder / "customers.csv")
    project.configure(source={"file": "customers.csv"})
    project.build()
    rows = project.query("select * from stg_customers order by customer_id")
    header = "CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)"
    # Turning scores around for half of the customers mixes the groups.
    lines = [f"{key},,{age},{income},{101 - score if key % 2 else score // 2 + 1}" for key, _, age, income, score in rows]
    (project.folder / "turned.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    project.configure(source={"file": "turned.csv"}, refit="never", gates={"drift": {"bound": 0.25, "severity": "error"}})
    code, output = project.dbt("build")
    assert code == 1
    assert "spending_score has drifted from what model 1 was fitted on: its stability index is" in output
    assert "fit anew with --vars '{refit: true}'" in output
    assert "The features no longer go together as they did when model 1 was fitted: customers lie between the segments" in output

    keys, _, *features = zip(*rows, strict=True)
    columns = [random.Random(seed).sample(values, len(values)) for seed, values in enumerate(features)]
    lines = [f"{key},,{age},{income},{score}" for key, age, income, score in zip(keys, *columns, strict=True)]
    (project.folder / "permuted.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    project.configure(source={"file": "permuted.csv"}, refit="auto", gates={"agreement": {"bound": 0.95, "severity": "error"}})
    code, output = project.dbt("build")
    assert project.value("select max(psi) from int_feature_drift") == pytest.approx(0)
    assert project.value("select reason from int_refit_decision").startswith("the features no longer go together as they did")
    assert code == 1
    assert "Model 2 agrees with the one before by an adjusted Rand index of" in output


@pytest.mark.nights
def test_a_model_cannot_score_with_other_features_than_its_own(built_customers, copy_of):
    project = copy_of(built_customers)
    features = project.block()["features"]
    project.configure(features=features[1:], refit="never")
    code, output = project.dbt("build")
    assert code == 1
    assert (
        "dbt_project.yml, vars, segmentation: refit: never: model 1 was fitted on age (none), annual_income_k (none), "
        "spending_score (none), and the features of today are annual_income_k (none), spending_score (none); "
        "fit anew with --vars '{refit: true}', or put the features of the model back."
    ) in output
    assert "Traceback" not in output
    project.configure(refit="auto")
    project.build()
    assert project.query("select model_version, reason, agreement from segmentation_models where model_version = 2") == [
        (2, "the configuration changed", None)
    ]
    by_model, by_customer = project.query(
        "select sum(n_model_changed), sum(n_customer_changed) from segment_migrations "
        "where model_version = 2 and from_segment_id <> to_segment_id"
    )[0]
    assert by_model > 0
    assert by_customer == 0
    # Two of the three features remain: those segments that are still where they were keep their numbers.
    assert project.value("select max(segment_id) from segment_profiles") >= 5

    project.configure(features=features, model_version=2)
    code, output = project.dbt("build")
    assert code == 1
    assert (
        "dbt_project.yml, vars, segmentation: model_version: model 2 was fitted on annual_income_k (none), "
        "spending_score (none), and the features of today are age (none), annual_income_k (none), spending_score (none); "
        "ask for one of the models with the features of today, 1, or take model_version out."
    ) in output
