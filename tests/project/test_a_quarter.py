"""A simulated quarter in one warehouse: customers come, go and change, spending shifts, a sixth group appears."""

import numpy as np
import pytest

pytestmark = pytest.mark.nights

# mean age, income in k$ and score of each kind; the sixth appears late
KINDS = np.array([[25, 27, 77], [33, 88, 80], [45, 56, 50], [42, 90, 19], [58, 30, 21], [70, 140, 55]])
SPREADS = np.array([[3, 6, 7], [4, 8, 7], [5, 6, 6], [5, 8, 7], [5, 6, 7], [3, 6, 5]])
SHARES = [0.24, 0.22, 0.20, 0.18, 0.16]


class Shop:
    """The customers of a shop, week by week."""

    def __init__(self):
        self.generator = np.random.default_rng(3)
        self.kinds = {}
        self.values = {}
        self.join(1500)

    def join(self, n, kind=None):
        for _ in range(n):
            customer_id = len(self.values) + 1
            self.values[customer_id] = None
            self.become(customer_id, self.generator.choice(5, p=SHARES) if kind is None else kind)

    def become(self, customer_id, kind):
        values = self.generator.normal(KINDS[kind], SPREADS[kind]).round().astype(int)
        self.kinds[customer_id] = kind
        self.values[customer_id] = np.clip(values, [18, 5, 1], [90, 250, 100])

    def leave(self, n):
        for customer_id in self.generator.choice(list(self.kinds), n, replace=False):
            del self.kinds[customer_id]

    def shift_scores(self, points):
        for customer_id in self.kinds:
            self.values[customer_id] = np.clip(self.values[customer_id] + [0, 0, points], [18, 5, 1], [90, 250, 100])

    def write(self, path):
        lines = ["CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)"]
        lines += [f"{customer_id},,{','.join(map(str, self.values[customer_id]))}" for customer_id in self.kinds]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def quarter(new_project):
    """The project after twelve builds; `weeks` tells for each what a test may want to know."""
    project, shop, weeks = new_project(), Shop(), []
    path = project.folder / "shop.csv"
    project.configure(source={"file": "shop.csv"})

    def week(event, *arguments):
        shop.write(path)
        project.build(*arguments)
        weeks.append(
            {
                "event": event,
                "labels": dict(project.query("select customer_id, segment_id from customer_segments")),
                "names": dict(project.query("select segment_id, segment_name from segment_profiles")),
                "kinds": dict(shop.kinds),
                "version": project.value("select max(model_version) from segmentation_models"),
                "models": project.query("select distinct model_version from customer_segments"),
                "build": project.value("select max_by(build_id, built_at) from segment_migrations"),
            }
        )

    week("start")
    week("nothing")
    project.configure(seed=7)
    week("another seed")
    shop.join(40)
    shop.leave(30)
    week("come and go")
    movers = [customer_id for customer_id, kind in shop.kinds.items() if kind == 0][:25]
    for customer_id in movers:
        shop.become(customer_id, 1)
    week("customers change")
    shop.join(20)
    week("score only")
    shop.shift_scores(12)
    week("spending shifts")
    shop.leave(20)
    week("after the shift")
    shop.join(300, kind=5)
    project.configure(n_clusters=6)
    week("a sixth group")
    week("asked for", "--vars", "{refit: true}")
    week("an earlier model", "--vars", "{model_version: 2}")
    week("full refresh at the end", "--full-refresh")
    project.weeks, project.movers = {week["event"]: week for week in weeks}, movers
    project.order = [week["event"] for week in weeks]
    return project


def before(quarter, event):
    return quarter.weeks[quarter.order[quarter.order.index(event) - 1]]


def migrations(quarter, event):
    return quarter.frame(f"select * from segment_migrations where build_id = '{quarter.weeks[event]['build']}'")


def test_every_night_reconciles(quarter):
    for event in quarter.order:
        moves, labels = migrations(quarter, event), quarter.weeks[event]["labels"]
        earlier = {} if event == "start" else before(quarter, event)["labels"]
        assert moves.loc[moves["to_segment_id"].notna(), "n_customers"].sum() == len(labels)
        assert moves.loc[moves["from_segment_id"].notna(), "n_customers"].sum() == len(earlier)
        assert moves.loc[moves["from_segment_id"].isna(), "n_customers"].sum() == len(labels.keys() - earlier.keys())
        assert moves.loc[moves["to_segment_id"].isna(), "n_customers"].sum() == len(earlier.keys() - labels.keys())
        for row in moves.dropna().itertuples():
            came = [k for k in labels if earlier.get(k) == row.from_segment_id and labels[k] == row.to_segment_id]
            assert len(came) == row.n_customers


def test_nothing_changes_where_nothing_changed(quarter):
    week, earlier = quarter.weeks["nothing"], before(quarter, "nothing")
    assert (week["labels"], week["version"]) == (earlier["labels"], earlier["version"])


def test_an_earlier_model_is_used_until_it_is_taken_out_again(quarter):
    """Although it is of another configuration and the customers have drifted since; all who move do so because of the model."""
    asked, earlier, later = (quarter.weeks[event] for event in ("asked for", "an earlier model", "full refresh at the end"))
    assert [week["models"] for week in (asked, earlier, later)] == [[(5,)], [(2,)], [(5,)]]
    assert asked["version"] == earlier["version"] == later["version"]
    assert set(earlier["names"]) == {1, 2, 3, 4, 5}
    assert later["labels"] == asked["labels"]
    moved = {customer for customer, label in asked["labels"].items() if earlier["labels"][customer] != label}
    assert moved >= {customer for customer, label in asked["labels"].items() if label == 6}
    for event in ("an earlier model", "full refresh at the end"):
        moves = migrations(quarter, event).query("from_segment_id != to_segment_id")
        assert moves["n_customers"].sum() == moves["n_model_changed"].sum() == len(moved)
    drift = f"select distinct model_version, max(psi) > 0.25 from feature_drift where build_id = '{earlier['build']}' group by 1"
    assert quarter.query(drift) == [(2, True)]


def test_scoring_keeps_the_label_of_everybody_who_did_not_change(quarter):
    """Also with customers coming and going: the scaler is that of the fit."""
    for event in ("come and go", "score only"):
        labels, earlier = quarter.weeks[event]["labels"], before(quarter, event)["labels"]
        assert quarter.weeks[event]["version"] == before(quarter, event)["version"]
        assert all(labels[customer] == earlier[customer] for customer in labels.keys() & earlier.keys())


def test_customers_who_change_are_told_from_a_model_that_changes(quarter):
    moves = migrations(quarter, "customers change").query("from_segment_id != to_segment_id")
    labels, earlier = quarter.weeks["customers change"]["labels"], before(quarter, "customers change")["labels"]
    moved = {customer for customer in labels if labels[customer] != earlier[customer]}
    assert moved
    assert moved <= set(quarter.movers)
    assert moves["n_customer_changed"].sum() == len(moved)
    assert moves["n_model_changed"].sum() == moves["n_both_changed"].sum() == 0
    asked = migrations(quarter, "asked for")
    assert asked["n_customer_changed"].sum() == 0


def test_another_seed_fits_anew_and_changes_no_label(quarter):
    assert quarter.weeks["another seed"]["version"] == before(quarter, "another seed")["version"] + 1
    assert quarter.query("select reason, agreement from segmentation_models where model_version = 2") == [
        ("the configuration changed", 1.0)
    ]
    assert quarter.weeks["another seed"]["labels"] == before(quarter, "another seed")["labels"]
    assert quarter.weeks["another seed"]["names"] == before(quarter, "another seed")["names"]


def test_a_shift_raises_drift_and_a_new_model_keeps_all_numbers(quarter):
    week = quarter.weeks["spending shifts"]
    drift = dict(quarter.query(f"select feature, psi from feature_drift where build_id = '{week['build']}'"))
    assert drift["spending_score"] >= 0.25 > max(drift["age"], drift["annual_income_k"])
    reason, kept, new, retired = quarter.query(
        "select reason, kept_segments, new_segments, retired_segments from segmentation_models "
        f"where model_version = {week['version']}"
    )[0]
    assert reason.startswith("spending_score drifted")
    assert (kept, new, retired) == ("1, 2, 3, 4, 5", "", "")
    assert week["names"] == before(quarter, "spending shifts")["names"]
    assert quarter.weeks["after the shift"]["version"] == week["version"]


def test_a_sixth_group_becomes_one_new_segment(quarter):
    week, earlier = quarter.weeks["a sixth group"], before(quarter, "a sixth group")
    kept, new, retired = quarter.query(
        f"select kept_segments, new_segments, retired_segments from segmentation_models where model_version = {week['version']}"
    )[0]
    assert (kept, new, retired) == ("1, 2, 3, 4, 5", "6", "")
    assert {number: name for number, name in week["names"].items() if number < 6} == earlier["names"]
    sixth = [customer for customer, label in week["labels"].items() if label == 6]
    assert np.mean([week["kinds"][customer] == 5 for customer in sixth]) > 0.99
    assert len(sixth) >= 295


def test_history_follows_every_customer(quarter):
    """The periods of a customer do not overlap, the open one is today's segment, and nobody who left has an open one."""
    overlapping = quarter.value("""
        select count(*) from (
            select dbt_valid_to > lead(dbt_valid_from) over (partition by customer_id order by dbt_valid_from) as is_overlapping
            from customer_segment_history
        ) where is_overlapping
    """)
    assert overlapping == 0
    assert quarter.value("select count(*) = count(distinct dbt_scd_id) from customer_segment_history")
    open_periods = dict(quarter.query("select customer_id, segment_id from customer_segment_history where dbt_valid_to is null"))
    assert open_periods == quarter.weeks[quarter.order[-1]]["labels"]
    mover = next(
        c
        for c in quarter.movers
        if c in open_periods and quarter.value(f"select count(*) from customer_segment_history where customer_id = {c}") > 1
    )
    previous, changed_at = quarter.query(
        f"select previous_segment_id, changed_at from customer_segments where customer_id = {mover}"
    )[0]
    last_two = quarter.query(
        f"select segment_id, dbt_valid_from from customer_segment_history where customer_id = {mover} "
        "order by dbt_valid_from desc limit 2"
    )
    assert (previous, changed_at) == (last_two[1][0], last_two[0][1])


def test_the_log_says_of_every_build_what_the_migrations_count(quarter):
    """Who stayed is in the migrations alone."""
    migrations = """
        select build_id, from_segment_id, to_segment_id, n_customers from segment_migrations
        where from_segment_id is distinct from to_segment_id order by all
    """
    log = """
        select build_id, from_segment_id, to_segment_id, count(*) from segment_changes
        group by all order by all
    """
    assert quarter.query(log) == quarter.query(migrations)
    assert {change for (change,) in quarter.query("select distinct change from segment_changes")} == {"joined", "moved", "left"}


def test_builds_are_counted(quarter):
    numbers = quarter.query("select build_number from builds order by built_at")
    assert numbers == [(number,) for number in range(1, len(quarter.order) + 1)]


def test_full_refresh_loses_nothing_of_registry_and_history(quarter):
    assert quarter.value("select count(*) from segmentation_models") == quarter.weeks[quarter.order[-1]]["version"] == 5
    assert quarter.value("select count(distinct build_id) from segment_migrations") == len(quarter.order)
    assert quarter.value("select count(distinct build_id) from segment_drift") == len(quarter.order)
    # The first build has nothing to drift from.
    assert quarter.value("select count(distinct build_id) from feature_drift") == len(quarter.order) - 1


def test_a_small_batch_gets_the_labels_that_it_gets_in_the_whole(quarter, new_project):
    """Scoring never refits the scaler: fifty customers alone are labelled as they were among all."""
    everybody = quarter.weeks[quarter.order[-1]]["labels"]
    header, *rows = (quarter.folder / "shop.csv").read_text(encoding="utf-8").splitlines()
    batch = quarter.folder / "batch.csv"
    batch.write_text("\n".join([header, *rows[-50:]]) + "\n", encoding="utf-8")
    quarter.build("--vars", "{refit: never, accept_customers: true}", file=batch)
    labels = dict(quarter.query("select customer_id, segment_id from customer_segments"))
    assert len(labels) == 50
    assert labels == {customer: everybody[customer] for customer in labels}
