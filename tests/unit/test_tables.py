"""Tables of models and labels without rows, for a segmentation that cannot be formed."""

import duckdb
import pytest
from frames import engine_of
from tables import LABEL_COLUMNS, new_fits, no_clusters

FEATURES = [{"name": "days", "transform": "yeo-johnson"}, {"name": "orders", "transform": "log1p"}]
SETTINGS = {"features": FEATURES, "n_clusters": 2, "k_range": [1, 2], "seed": 42}


@pytest.fixture(scope="module")
def session():
    with duckdb.connect() as session:
        yield session


def fits(session, reason):
    columns = "null::varchar as fitting_builds, null::integer as last_build_version, 'build' as build_id, '{}' as configuration"
    decision = f"select {reason} as reason, 1 as model_version, {columns}, 'print' as fingerprint, 30 as n_customers"
    rows = session.sql("select range % 10 + 20.0 * (range % 2) as days, range % 7 as orders, 1 as n_customers from range(10)")
    return new_fits(
        session,
        None,
        SETTINGS,
        decision=session.sql(decision),
        medians=session.sql("select 30 as n_customers"),
        training_rows=rows,
        customers=rows,
    )


def types(relation):
    return dict(zip(relation.columns, map(str, relation.types), strict=True))


def test_the_registry_of_a_first_build_without_segments_is_empty_and_has_the_columns_of_one_with_a_model(session):
    empty, fitted = fits(session, "null::varchar"), fits(session, "'the first model'")
    assert len(empty.fetchall()) == 0
    assert types(empty) == types(fitted)
    assert len(fitted.fetchall()) == 1


def test_without_a_model_nobody_has_a_label(session):
    customers = session.sql("select 7 as customer_id, 1.5 as days, 2 as last_segment_id, 3 as _last_previous_segment_id")
    clusters = no_clusters(engine_of(session), customers)
    assert clusters.columns == ["customer_id", "days", "last_segment_id", *LABEL_COLUMNS]
    assert clusters.fetchall() == []
