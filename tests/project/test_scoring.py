"""Scoring in SQL, by the functions in the warehouse and by the macro in a model of one's own, agrees with Python on every row."""

import os
import re
import subprocess

import numpy as np
import pandas as pd
import pytest
from conftest import DBT
from segmentation.versions import assign_version

FEATURES = ["age", "annual_income_k", "spending_score"]


def scored(project, points):
    """Segment and distance of points (n, 3) by the functions of the warehouse."""
    customers = pd.DataFrame(points, columns=FEATURES)
    with project.reader() as warehouse:
        warehouse.register("customers", customers)
        values = ", ".join(FEATURES)
        return warehouse.sql(
            f"select nearest_segment({values}) as segment_id, distance_to_nearest_segment({values}) as distance from customers"
        ).df()


@pytest.fixture(scope="module")
def version(built_sample):
    return built_sample.frame("select * from segmentation_fits").iloc[-1]


def test_three_hundred_thousand_random_customers(built_sample, version):
    generator = np.random.default_rng(0)
    points = generator.uniform([-10, -50, -20], [130, 300, 150], (300_000, 3))
    points[::2] = points[::2].round()
    by_python = assign_version(points, version)
    by_sql = scored(built_sample, points)
    assert (by_sql["segment_id"] == np.array(version["segment_ids"])[by_python.nearest]).all()
    assert np.abs(by_sql["distance"] - by_python.distance).max() < 1e-9


def test_ties_go_to_the_lowest_number(new_project):
    """Four equal groups at the corners of a square: its sides lie between two of them, its middle between all four."""
    project = new_project()
    corners = [(20, 10), (30, 10), (20, 90), (30, 90)]
    lines = [f"{number},,{age},{income},50" for number, (age, income) in enumerate(corners * 10)]
    header = "CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)"
    (project.folder / "corners.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    features = [feature for feature in project.block()["features"] if feature["name"] != "spending_score"]
    project.configure(source={"file": "corners.csv"}, features=features, n_clusters=4, k_range=[1, 4])
    project.build()
    numbers = {corner: project.value(f"select nearest_segment{corner}") for corner in corners}
    assert sorted(numbers.values()) == [1, 2, 3, 4]
    between = {(25, 10): corners[:2], (25, 90): corners[2:], (20, 50): corners[::2], (30, 50): corners[1::2], (25, 50): corners}
    version = project.frame("select * from segmentation_fits").iloc[-1]
    for point, ends in between.items():
        lowest = min(numbers[corner] for corner in ends)
        assert project.value(f"select nearest_segment{point}") == lowest
        by_python = assign_version(np.array([point]), version)
        assert version["segment_ids"][by_python.nearest[0]] == lowest


def test_one_row_of_values_and_missing_ones(built_sample):
    """A customer at a centroid is in its segment, at no distance; without a value there is no segment."""
    centroids = built_sample.query("""
        select segment_id, list(centroid order by feature_order) from segment_centroids group by segment_id order by segment_id
    """)
    for segment_id, (age, income, score) in centroids:
        assert built_sample.value(f"select nearest_segment({age!r}, {income!r}, {score!r})") == segment_id
        assert built_sample.value(f"select distance_to_nearest_segment({age!r}, {income!r}, {score!r})") == pytest.approx(
            0, abs=1e-9
        )
    assert built_sample.value("select nearest_segment(30, null, 50)") is None


def test_the_macro_scores_in_a_model_of_ones_own(built_customers, copy_of):
    project = copy_of(built_customers)
    model = project.folder / "dbt_project" / "models" / "marts" / "new_clients.sql"
    model.write_text(
        "select customer_id, {{ nearest_segment(ref('segment_centroids')) }} as segment_id,\n"
        "    {{ distance_to_nearest_segment(ref('segment_centroids')) }} as distance\n"
        "from {{ ref('stg_customers') }}\n",
        encoding="utf-8",
    )
    (model.parent / "new_clients.yml").write_text(
        "version: 2\nmodels: [{name: new_clients, config: {contract: {enforced: false}}}]\n", encoding="utf-8"
    )
    project.build("--select", "new_clients")
    assert (
        project.value("""
        select count(*) from customer_segments inner join new_clients using (customer_id)
        where new_clients.segment_id = customer_segments.segment_id
            and abs(new_clients.distance - customer_segments.distance) < 1e-9
    """)
        == 3000
    )


def test_a_build_that_only_scores_imports_nothing_that_fits(built_customers, copy_of):
    project = copy_of(built_customers)
    environment = os.environ | {"PYTHONPROFILEIMPORTTIME": "1"}
    run = subprocess.run([DBT, "build"], cwd=project.folder, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-3000:]
    imported = set(re.findall(r"^import time:.*\| +([\w.]+)$", run.stderr, re.MULTILINE))
    assert "segmentation.scoring" in imported
    assert imported & {"numpy", "pandas", "scipy", "sklearn", "segmentation.fitting"} == set()
    assert project.value("select count(*) from builds") == 2
