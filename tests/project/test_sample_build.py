"""The default build, on the sample that the project ships."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

ROOT = Path(__file__).parents[2]

PUBLIC_TABLES = [
    "customer_segments",
    "k_scores",
    "segment_attribute_profiles",
    "segment_centroids",
    "segment_drift",
    "segment_feature_profiles",
    "segment_migrations",
    "segment_profiles",
    "segmentation_models",
]


def test_every_public_table_has_rows(built_sample):
    assert all(built_sample.value(f"select count(*) from {table}") > 0 for table in PUBLIC_TABLES)


def test_the_unit_tests_of_the_sql_pass_and_are_not_part_of_a_build(built_sample, new_project):
    code, output = new_project(whole=True).dbt("test", "--select", "test_type:unit")
    assert code == 0, output[-3000:]
    assert int(re.search(r"Done\. PASS=(\d+) WARN=0 ERROR=0 SKIP=0", output)[1]) >= 20
    assert "START unit_test" not in built_sample.output


def test_the_sample_is_what_the_script_makes(tmp_path):
    made = tmp_path / "customers.csv"
    subprocess.run([sys.executable, ROOT / "scripts" / "make_sample.py", made], check=True, capture_output=True)
    assert made.read_bytes() == (ROOT / "dbt_project" / "sample" / "customers.csv").read_bytes()


def test_the_spoilt_rows_are_refused_with_their_reasons_and_their_lines(built_sample):
    lines = (ROOT / "dbt_project" / "sample" / "customers.csv").read_text(encoding="utf-8").splitlines()
    refused = built_sample.query("select line_number, raw_record, reasons from rejected_customers")
    assert all(lines[line_number - 1] == raw_record for line_number, raw_record, _ in refused)
    # make_sample.py spoils these rows, each in the way said here.
    assert sorted(reasons for _, _, reasons in refused) == sorted(
        [
            "age is missing",
            "age is not a number",
            "age is above 120",
            "annual_income_k is below 0",
            "spending_score is above 100",
            "annual_income_k is missing",
            "customer_id is missing",
            "too few fields",
            "too many fields",
            "quotes are not balanced",
            "age is missing; annual_income_k is not a finite number; spending_score is missing",
            "customer_id is a duplicate",
        ]
    )


def test_nothing_is_lost(built_sample):
    lines = (ROOT / "dbt_project" / "sample" / "customers.csv").read_text(encoding="utf-8").splitlines()
    n_records = sum(1 for line in lines if line.strip()) - 1
    n_accepted, n_rejected = built_sample.query(
        "select (select count(*) from stg_customers), (select count(*) from rejected_customers)"
    )[0]
    assert n_accepted + n_rejected == n_records
    assert built_sample.value("select count(*) from customer_segments") == n_accepted == 3000
    assert f"{n_rejected} of {n_records} rows of dbt_project/sample/customers.csv are refused" in built_sample.output


def test_the_five_kinds_of_customers_are_found(built_sample):
    """The kinds overlap, so a few customers fall on the other side; the centres lie where make_sample.py put them."""
    profiles = built_sample.query("select age_mean, annual_income_k_mean, spending_score_mean from segment_profiles")
    kinds = [(25, 27, 77), (33, 88, 80), (45, 56, 50), (42, 90, 19), (58, 30, 21)]
    nearest = [min(kinds, key=lambda kind: sum((a - b) ** 2 for a, b in zip(kind, profile, strict=True))) for profile in profiles]
    assert sorted(nearest) == sorted(kinds)
    assert all(np.allclose(profile, kind, atol=3) for profile, kind in zip(profiles, nearest, strict=True))


def test_segments_are_numbered_by_size(built_sample):
    sizes = [size for (size,) in built_sample.query("select n_customers from segment_profiles order by segment_id")]
    assert sizes == sorted(sizes, reverse=True)


def test_profiles_agree_with_the_customers(built_sample):
    customers = built_sample.frame("select * from customer_segments")
    profiles = built_sample.frame("select * from segment_profiles").set_index("segment_id")
    for segment_id, members in customers.groupby("segment_id"):
        profile = profiles.loc[segment_id]
        assert profile["n_customers"] == len(members)
        assert profile["share"] == pytest.approx(len(members) / len(customers))
        for feature in ("age", "annual_income_k", "spending_score"):
            mean = members[feature].mean()
            assert profile[f"{feature}_mean"] == pytest.approx(mean)
            assert profile[f"{feature}_median"] == members[feature].median()
            assert profile[f"{feature}_p10"] == pytest.approx(members[feature].quantile(0.1))
            assert profile[f"{feature}_p90"] == pytest.approx(members[feature].quantile(0.9))
            assert profile[f"{feature}_index"] == pytest.approx(100 * mean / customers[feature].mean())
            deviation = (mean - customers[feature].mean()) / customers[feature].std(ddof=0)
            assert profile[f"{feature}_index_scaled"] == pytest.approx(100 + 50 * deviation)


def test_rules_run_as_where_clauses_and_have_the_coverage_and_precision_they_say(built_sample):
    profiles = built_sample.query("select segment_id, rule, rule_coverage, rule_precision, n_customers from segment_profiles")
    for segment_id, rule, coverage, precision, n_customers in profiles:
        n_matches, n_members = built_sample.query(
            f"select count(*), count(*) filter (segment_id = {segment_id}) from customer_segments where {rule}"
        )[0]
        assert coverage == pytest.approx(n_members / n_customers)
        assert precision == pytest.approx(n_members / n_matches)
        assert len(re.findall("<=|>", rule)) <= 4


def test_labels_and_distances_follow_from_the_published_centroids(built_sample):
    """segment_centroids is all that scoring needs: the same labels come out of plain SQL over the two tables."""
    differing = built_sample.value("""
        with distances as (
            select
                customer_id,
                segment_centroids.segment_id,
                sqrt(sum(((case feature
                    when 'age' then age when 'annual_income_k' then annual_income_k else spending_score
                end - mean) / scale - centroid_scaled) ** 2)) as distance
            from stg_customers cross join segment_centroids
            group by all
        ),
        ranked as (
            select *, row_number() over (partition by customer_id order by distance, segment_id) as place from distances
        )
        select count(*)
        from customer_segments
        inner join ranked as nearest on nearest.customer_id = customer_segments.customer_id and nearest.place = 1
        inner join ranked as second on second.customer_id = customer_segments.customer_id and second.place = 2
        where
            nearest.segment_id <> customer_segments.segment_id
            or second.segment_id <> customer_segments.runner_up_segment_id
            or abs(nearest.distance - customer_segments.distance) > 1e-9
            or abs(second.distance - customer_segments.runner_up_distance) > 1e-9
    """)
    assert differing == 0


def test_the_warehouse_explains_itself(built_sample):
    """Every public table, and every column of it, carries its description as a comment."""
    uncommented = built_sample.query(f"""
        select table_name, column_name from duckdb_columns()
        where table_name in {tuple(PUBLIC_TABLES)} and (comment is null or trim(comment) = '')
        union all
        select table_name, null from duckdb_tables() where table_name in {tuple(PUBLIC_TABLES)} and comment is null
        union all
        select view_name, null from duckdb_views() where view_name in {tuple(PUBLIC_TABLES)} and comment is null
    """)
    assert uncommented == []


def test_shuffled_rows_another_order_of_columns_and_another_seed_change_no_label(built_sample, new_project):
    header, *rows = (ROOT / "dbt_project" / "sample" / "customers.csv").read_text(encoding="utf-8").splitlines()
    np.random.default_rng(1).shuffle(rows)
    rows = [",".join(row.split(",")[::-1]) for row in [header, *rows]]
    project = new_project()
    project.configure(seed=7, k_range=[3, 6])
    shuffled = project.folder / "shuffled.csv"
    shuffled.write_text("\n".join(rows) + "\n", encoding="utf-8")
    project.build(file=shuffled)
    # Of a key that occurs twice the first row is kept, and the shuffle may have put the other one first.
    same = "select customer_id, segment_id from customer_segments where customer_id <> 1 order by customer_id"
    assert project.query(same) == built_sample.query(same)


def test_a_rule_decides_and_the_verdict_says_so(new_project):
    project = new_project()
    project.build("--vars", "{n_clusters: elbow}")
    used, preferred_by, verdict = project.query("select k, preferred_by, verdict from k_scores where is_used")[0]
    assert "elbow" in preferred_by
    assert f"In use: {used}, since n_clusters is elbow, which takes the elbow." in verdict
    assert project.query("select n_clusters, n_clusters_setting, chosen_by from segmentation_models") == [
        (used, "elbow", "elbow")
    ]
    assert project.value("select count(*) from segment_profiles") == used


def test_one_segment_is_possible_and_as_the_only_number_tried(new_project):
    project = new_project()
    project.configure(n_clusters=1, k_range=[1, 1])
    project.build()
    assert project.query("select segment_id, segment_name, rule, n_customers, share, mean_confidence from segment_profiles") == [
        (1, "Close to the average", "true", 3000, 1.0, None)
    ]
    assert project.query("select distinct runner_up_segment_id, runner_up_distance, confidence from customer_segments") == [
        (None, None, None)
    ]
    verdict = "Too few numbers of segments were tried to compare them. In use: 1, as n_clusters says."
    assert project.query("select k, preferred_by, verdict from k_scores") == [(1, None, verdict)]


def test_missing_values_of_whole_number_features_are_filled_in_and_names_with_a_suffix_are_not_confused(new_project):
    project = new_project()
    lines = [f"{i},p{i},{'' if i % 10 == 0 else 20 + i % 7},{2018 + i % 5}" for i in range(100)]
    (project.folder / "years.csv").write_text("\n".join(["id,age_number,age,signup_year", *lines]), encoding="utf-8")
    project.configure(
        source={"file": "years.csv"},
        key={"name": "id"},
        attributes=[{"name": "age_number"}],
        features=[
            {"name": "age", "data_type": "integer", "missing": "median"},
            {"name": "signup_year", "data_type": "integer"},
        ],
    )
    project.build()
    assert project.query("select id, age_number, age, has_imputed_features from customer_segments order by id limit 2") == [
        (0, "p0", None, True),
        (1, "p1", 21, False),
    ]
    assert project.value("select count(*) from rejected_customers") == 0
    # Years differ in their last digits: a rule rounded to three of them would match nobody.
    assert project.value("select min(rule_coverage) from segment_profiles") > 0
    assert project.value("select count(distinct rule) from segment_profiles") == 5


def test_the_business_names_segments_by_a_seed(built_customers, copy_of):
    project = copy_of(built_customers)
    seed = project.folder / "dbt_project" / "seeds" / "segment_names.csv"
    seed.write_text('segment_id,segment_name\n2,"Young, and ""on trend"""\n', encoding="utf-8")
    assert "no longer holds" not in project.build()
    assert project.value("select bool_and(is_name_current) from segment_profiles")
    assert project.value("select segment_name from segment_profiles where segment_id = 2") == 'Young, and "on trend"'
    assert project.value("select count(distinct segment_name) from customer_segments") == 5


def test_labels_equal_those_of_scikit_learn(built_sample):
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import StandardScaler

    customers = built_sample.frame("select age, annual_income_k, spending_score, segment_id from customer_segments")
    scaled = StandardScaler().fit_transform(customers.drop(columns="segment_id"))
    labels = KMeans(5, n_init=50, random_state=0).fit_predict(scaled)
    assert adjusted_rand_score(labels, customers["segment_id"]) == 1.0
