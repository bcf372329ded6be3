"""A version of a model holds all that it does to a raw value: what it fills in, the power of a transform, the scale.

One project, three nights: fitted; built on as if an earlier version of the project had published it, which did not keep what is
filled in; and once more. Every night other customers change, so that the medians move.
"""

import duckdb
import numpy as np
import pytest
from sklearn.preprocessing import PowerTransformer

pytestmark = pytest.mark.nights

FEATURES = ["balance", "visits", "counter"]
N = 240


def customers(seed):
    """Lines of a file, the values (N, 3) in it, and who changes: those without a value never do, nor any counter."""
    generator = np.random.default_rng(5)
    kind = np.arange(N) % 3
    balance = np.round(np.array([3.0, 40.0, 800.0])[kind] * generator.lognormal(sigma=0.5, size=N) - 10, 2)
    visits = np.array([2.0, 9.0, 30.0])[kind] + generator.integers(0, 4, N)
    counter = 1e15 + 5 * (kind % 2) + generator.integers(0, 3, N)
    balance[7::40], visits[8::40] = np.nan, np.nan
    if seed:
        changes = (np.random.default_rng(seed).random(N) < 0.3) & ~np.isnan(balance + visits)
        balance[changes], visits[changes] = balance[changes] + 20 * seed, visits[changes] + 3 * seed
    values = np.column_stack([balance, visits, counter])
    lines = ["client,balance,visits,counter"]
    for number, row in enumerate(values):
        lines.append(",".join([str(number), *("" if np.isnan(value) else repr(float(value)) for value in row)]))
    return lines, values


TOO_LARGE = ["1e200", "9.99E+307", "-1e300", "1e100"]


@pytest.fixture(scope="module")
def nights(new_project):
    """The project after three nights, with the values (N, 3) of each and a copy of what it published."""
    project = new_project()
    number = {"missing": "median"}
    project.configure(
        source={"file": "clients.csv"},
        key={"name": "client"},
        attributes=[],
        features=[{"name": "balance", "transform": "yeo-johnson", **number}, {"name": "visits", **number}, {"name": "counter"}],
        n_clusters=3,
        k_range=[1, 4],
    )
    project.values = []
    for night in range(3):
        lines, values = customers(night)
        refused = [f"{N + place},{text},5,1e15" for place, text in enumerate(TOO_LARGE)]
        (project.folder / "clients.csv").write_text("\n".join([*lines, *refused, f"{N + 9},99e98,5,"]) + "\n", encoding="utf-8")
        if night == 1:
            with duckdb.connect(project.folder / "warehouse.duckdb") as warehouse:
                warehouse.execute("alter table segmentation_fits drop column fill_values")
            (project.folder / "build" / "warehouse.duckdb").unlink()
        project.build("--vars", "{refit: never}")
        (project.folder / f"night_{night}.duckdb").write_bytes((project.folder / "warehouse.duckdb").read_bytes())
        project.values.append(values)
    return project


def columns_of(project, night):
    columns = "feature_order, feature, fill_value, transform_lambda, mean, scale"
    query = f"select distinct {columns} from segment_centroids order by feature_order"
    return project.frame(query, f"night_{night}.duckdb").set_index("feature")


def labels(project, night):
    return dict(project.query("select client, segment_id from customer_segments", f"night_{night}.duckdb"))


def test_a_number_whose_square_is_infinite_is_refused_row_by_row(nights):
    refused = nights.query("select reasons, raw_record from rejected_customers order by raw_record", "night_0.duckdb")
    reason = "balance is too large: from 1e100 on, sums of squares become infinite"
    of_others = [(f"{N + place},{text},5,1e15", reason) for place, text in enumerate(TOO_LARGE)]
    assert [(record, why) for why, record in refused] == [*of_others, (f"{N + 9},99e98,5,", "counter is missing")]


def test_what_is_filled_in_transformed_and_scaled_is_as_scikit_learn_does_it(nights):
    found, values = columns_of(nights, 0), nights.values[0].copy()
    medians = np.nanmedian(values, axis=0)
    assert found["fill_value"].tolist()[:2] == medians[:2].tolist()
    assert np.isnan(found["fill_value"]["counter"])
    values = np.where(np.isnan(values), medians, values)
    transformer = PowerTransformer(standardize=False).fit(values[:, :1])
    assert found["transform_lambda"]["balance"] == pytest.approx(transformer.lambdas_[0], rel=1e-6)
    assert found["transform_lambda"].isna().tolist() == [False, True, True]
    values[:, :1] = transformer.transform(values[:, :1])
    centred = values - values[0]
    assert found["mean"].to_numpy() == pytest.approx(values[0] + centred.mean(axis=0), rel=1e-6)
    assert found["scale"].to_numpy() == pytest.approx(centred.std(axis=0), rel=1e-6)


@pytest.mark.parametrize("night", range(3))
def test_sql_scoring_says_what_the_table_says_also_of_missing_values(nights, night):
    arguments = ", ".join(FEATURES)
    differences = nights.query(
        f"""
        select count(*) filter (where nearest_segment({arguments}) is distinct from segment_id),
            max(abs(distance_to_nearest_segment({arguments}) - distance)), count(*), count(*) filter (where has_imputed_features)
        from customer_segments
        """,
        f"night_{night}.duckdb",
    )
    assert differences == [(0, pytest.approx(0, abs=1e-9), N, 12)]
    assert nights.query("select nearest_segment(1, 2, null)", f"night_{night}.duckdb") == [(None,)]


def test_who_is_without_a_value_and_unchanged_stays_though_the_median_moves(nights):
    before, after = nights.values[1:]
    assert (np.nanmedian(before, axis=0) != np.nanmedian(after, axis=0))[:2].all()
    same = np.flatnonzero(np.isclose(before, after, equal_nan=True).all(axis=1))
    assert np.isnan(after[same]).any(axis=1).sum() == 12
    first, second = labels(nights, 1), labels(nights, 2)
    assert [first[number] for number in same] == [second[number] for number in same]


def test_a_version_without_what_it_fills_in_gets_it_once_from_the_last_build(nights):
    fitted, completed, kept = (columns_of(nights, night) for night in range(3))
    assert completed["fill_value"].tolist()[:2] == np.nanmedian(nights.values[0], axis=0)[:2].tolist()
    for later in (completed, kept):
        assert later.equals(fitted)
    assert nights.query("select count(*) from segmentation_models", "night_2.duckdb") == [(1,)]


def test_means_and_rules_hold_for_large_values_that_differ_little(nights):
    profiles = nights.query(
        "select segment_id, counter_mean, rule, rule_coverage, rule_precision from segment_profiles", "night_0.duckdb"
    )
    assert sum("counter" in rule for _, _, rule, *_ in profiles) >= 1
    for segment, mean, rule, coverage, precision in profiles:
        of_segment = f"from customer_segments where segment_id = {segment}"
        (expected,) = nights.query(f"select 1e15 + avg(counter - 1e15) {of_segment}", "night_0.duckdb")[0]
        assert mean == expected
        (met,) = nights.query(f"select avg(cast(coalesce({rule}, false) as int)) {of_segment}", "night_0.duckdb")[0]
        assert coverage == pytest.approx(met)
        assert min(coverage, precision) > 0.9
