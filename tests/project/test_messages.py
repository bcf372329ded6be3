"""Bad input stops the build with one sentence: what is wrong, where, what to do; the segments stay as they were.

Here are a build for each kind of bad file, and every mistake in the configuration; tests/unit/test_source_files.py has all files
that cannot be used.
"""

import copy
import hashlib
from types import SimpleNamespace

import pytest
import yaml
from dbt.adapters.factory import get_adapter
from dbt.cli.main import dbtRunner
from dbt.clients.jinja import get_rendered
from dbt.config.runtime import RuntimeConfig
from dbt.context.providers import generate_runtime_model_context
from dbt.flags import get_flags
from dbt_common.exceptions import CompilationError

HEADER = "CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)"
ROWS = [f"{i},Male,{20 + i},{30 + 2 * i},{40 + i}" for i in range(1, 21)]
GOOD = "\n".join([HEADER, *ROWS])


def changed(row, field, value):
    fields = row.split(",")
    fields[field] = str(value)
    return ",".join(fields)


@pytest.fixture(scope="module")
def project(built_customers, copy_of):
    project = copy_of(built_customers)
    project.configuration = (project.folder / "dbt_project.yml").read_text(encoding="utf-8")
    return project


def published(project):
    """A digest of every public table."""
    tables = [
        "customer_segments",
        "segment_profiles",
        "segment_feature_profiles",
        "segment_attribute_profiles",
        "k_scores",
        "segmentation_models",
        "segment_centroids",
    ]
    rows = [repr(project.query(f"select * from {table} order by all", "warehouse.duckdb")) for table in tables]
    return hashlib.sha256("".join(rows).encode()).hexdigest()


def assert_stopped(project, sentence, *arguments, **build):
    before = published(project)
    code, output = project.dbt("build", *arguments, **build)
    assert code != 0, output
    assert sentence in output
    assert "Traceback" not in output
    assert published(project) == before


FILES = {
    "header_only": (HEADER + "\n", "data.csv has a header and no rows below it; give a file with one line for each record."),
    "latin_1_undeclared_far_below": (
        "\n".join([HEADER, *[f"{i},{'Male' if i < 9000 else 'Männlich'},30,40,50" for i in range(1, 10_000)]]).encode("latin-1"),
        "data.csv, line 9001, is not utf-8 text; save the file as UTF-8, or set encoding: latin-1",
    ),
    "fewer_customers_than_segments": (
        "\n".join([HEADER, *ROWS[:3]]),
        "data.csv has 3 usable customers, fewer than the 5 segments asked for; give more rows or lower n_clusters in "
        "dbt_project.yml, vars, segmentation.",
    ),
    "fewer_different_customers_than_segments": (
        "\n".join([HEADER, *[f"{i},Male,{20 + i % 4},{30 + i % 4},{40 + i % 4}" for i in range(20)]]),
        "data.csv has 4 different combinations of features, fewer than the 5 segments asked for; lower n_clusters or add a "
        "feature in dbt_project.yml, vars, segmentation.",
    ),
    "a_constant_feature": (
        "\n".join([HEADER, *[changed(row, 3, 50) for row in ROWS]]),
        "data.csv has the same value for every customer in annual_income_k, which tells nobody apart; remove it from features",
    ),
    "too_many_refused": (
        "\n".join([HEADER, *ROWS[:18], *[changed(row, 2, "") for row in ROWS[18:]]]),
        "data.csv are refused, more than the share of 0.05 that is allowed (2 times: age is missing): query rejected_customers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_cannot_be_used(project, case):
    content, sentence = FILES[case]
    path = project.folder / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert_stopped(project, sentence, file=path)


def test_rows_that_are_lost_stop_the_build(project):
    """The accounting itself, proven to fail: a filter smuggled into staging loses rows, and no segment is computed."""
    model = project.folder / "dbt_project" / "models" / "staging" / "stg_customers.sql"
    before = model.read_text(encoding="utf-8")
    model.write_text(
        before.replace("base_customer_records.reasons is null", "base_customer_records.reasons is null and age <> 30")
    )
    try:
        assert_stopped(project, "FAIL 1 rejected_customers__accepted_and_rejected_make_all_rows", "--exclude", "test_type:unit")
    finally:
        model.write_text(before, encoding="utf-8")


def test_a_feature_without_any_value(project):
    path = project.folder / "data.csv"
    path.write_text("\n".join([HEADER, *[changed(row, 2, "") for row in ROWS]]), encoding="utf-8")
    configuration = yaml.safe_load(project.configuration)
    configuration["vars"]["segmentation"]["features"][0]["missing"] = "median"
    (project.folder / "dbt_project.yml").write_text(yaml.safe_dump(configuration, sort_keys=False), encoding="utf-8")
    try:
        assert_stopped(
            project, "data.csv has no value at all in age, so there is no median to fill in; remove it from features", file=path
        )
    finally:
        (project.folder / "dbt_project.yml").write_text(project.configuration, encoding="utf-8")


def test_the_refused_rows_of_a_stopped_build_can_be_looked_at(project):
    path = project.folder / "data.csv"
    path.write_text("\n".join([HEADER, *[changed(row, 2, "old") for row in ROWS]]), encoding="utf-8")
    sentence = (
        "(20 times: age is not a number): query rejected_customers in build/warehouse.duckdb for all reasons, then mend the file"
    )
    assert_stopped(project, sentence, file=path)
    assert project.query("select distinct reasons from rejected_customers") == [("age is not a number",)]


def test_a_mistake_in_the_configuration_stops_the_build(project):
    configuration = yaml.safe_load(project.configuration)
    configuration["vars"]["segmentation"]["features"][0]["transform"] = "sqrt"
    path = project.folder / "dbt_project.yml"
    path.write_text(yaml.safe_dump(configuration, sort_keys=False), encoding="utf-8")
    try:
        assert_stopped(
            project, "dbt_project.yml, vars, segmentation: transform of age: sqrt is unknown; use none or log1p or yeo-johnson."
        )
    finally:
        path.write_text(project.configuration, encoding="utf-8")


@pytest.fixture(scope="module")
def dbt(built_sample, copy_of):
    """The whole project, parsed once by dbt in this process; nothing of it is opened, as its database is in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(copy_of(built_sample).folder)
        for variable in ("CUSTOMERS_FILE", "ORDERS_FILE"):
            patch.delenv(variable, raising=False)
        manifest = dbtRunner().invoke(["parse", "--quiet", "--no-write-json"]).result
        config = RuntimeConfig.from_args(get_flags())
        adapter = get_adapter(config)
        credentials = adapter.config.credentials
        credentials.path, credentials.attach, credentials.plugins = ":memory:", None, None
        yield SimpleNamespace(manifest=manifest, config=config, adapter=adapter)
        adapter.cleanup_connections()


@pytest.fixture
def said(dbt):
    """A function: what dbt says to a model that asks a question, or is rendered as it is, after a change of the variables."""
    shipped = copy.deepcopy(dbt.config.vars.vars)

    def said_of(model, change, question=None):
        change(dbt.config.vars.vars)
        # What the macros have checked is shared by the nodes of a command, which this is not.
        dbt.manifest.flat_graph.pop("checked_blocks", None)
        node = dbt.manifest.nodes[f"model.customer_segmentation.{model}"]
        context = generate_runtime_model_context(node, dbt.config, dbt.manifest)
        with dbt.adapter.connection_named("test"), pytest.raises(CompilationError) as stopped:
            get_rendered(f"{{% do {question} %}}" if question else node.raw_code, context, node)
        return stopped.value.msg

    yield said_of
    dbt.config.vars.vars.clear()
    dbt.config.vars.vars.update(shipped)


def test_the_configuration_as_it_is_shipped_has_no_mistake(said):
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        said("stg_customers", lambda blocks: None, "require_names_without_keywords(segmentation().columns + orders().columns)")


CONFIGURATIONS = {
    "an_unknown_transform": (
        lambda block: block["features"][0].update(transform="sqrt"),
        "transform of age: sqrt is unknown; use none or log1p or yeo-johnson.",
    ),
    "log1p_of_negative_values": (
        lambda block: block["features"][0].update(transform="log1p", range=[None, 120]),
        "feature age: the transform log1p is for values of 0 or more; give it a range that starts at 0 or above.",
    ),
    "an_unknown_setting": (
        lambda block: block.update(clusters=5),
        "segmentation: the setting clusters is unknown; the settings here are source, key, customers, attributes, features, "
        "n_clusters, k_range, seed, refit, model_version, gates.",
    ),
    "a_setting_misspelt": (
        lambda block: block["features"][0].update(transfrom="log1p"),
        "feature age: the setting transfrom is unknown; the settings here are name, headers, description, label, low, high",
    ),
    "an_unknown_treatment_of_missing_values": (
        lambda block: block["features"][0].update(missing="mean"),
        "missing of age: mean is unknown; use reject or median.",
    ),
    "an_unknown_encoding": (
        lambda block: block["source"].update(encoding=1252),
        "source: encoding: 1252 is not the name of an encoding, such as utf-8 or windows-1252.",
    ),
    "lines_to_skip_in_words": (
        lambda block: block["source"].update(skip_lines="three"),
        "source: skip_lines: three is not a number of lines, such as 3.",
    ),
    "a_sheet_by_its_number": (
        lambda block: block["source"].update(sheet=2),
        "source: sheet: 2 is not a text; put it in quotes, or leave the setting out.",
    ),
    "a_share_in_percent": (
        lambda block: block["source"].update(max_rejected_share="5%"),
        "source: max_rejected_share: 5% is not a share from 0 to 1, such as 0.05.",
    ),
    "a_header_that_is_no_list": (
        lambda block: block["features"][0].update(headers="Age"),
        "headers of age: Age is not a list, such as [Age].",
    ),
    "a_negative_seed": (lambda block: block.update(seed=-1), "seed: -1 is not a whole number of 0 or more, such as 42."),
    "a_model_that_is_no_number": (
        lambda block: block.update(model_version="last"),
        "model_version: last is not the number of a model, such as 2; segmentation_models lists them.",
    ),
    "model_0": (
        lambda block: block.update(model_version=0),
        "model_version: 0 is not the number of a model, such as 2; segmentation_models lists them.",
    ),
    "an_earlier_model_and_a_new_one": (
        lambda block: block.update(model_version=2, refit="always"),
        "model_version: 2 asks for a model that is there, and refit: always for a new one; take one of the two out.",
    ),
    "no_range_of_k": (lambda block: block.pop("k_range"), "k_range: is missing; give it as in the file that the project ships."),
    "a_range_upside_down": (
        lambda block: block["features"][0].update(range=[120, 0]),
        "range of age: [120, 0] is not a lowest and a highest value, such as [0, 120] or [0, null].",
    ),
    "more_segments_than_tried": (
        lambda block: block.update(n_clusters=12),
        "n_clusters: 12 is neither a whole number within k_range [1, 10] nor a rule (auto, elbow, silhouette, gap, "
        "prediction_strength); change one of the two.",
    ),
    "a_range_of_k_upside_down": (
        lambda block: block.update(k_range=[10, 1]),
        "k_range: [10, 1] is not a first and a last number of clusters, such as [1, 10].",
    ),
    "one_name_twice": (
        lambda block: block["features"][0].update(name="gender"),
        "the name gender is given to more than one column; rename all but one.",
    ),
    "no_features": (
        lambda block: block.update(features=[]),
        "features: is empty; name at least one column to form segments from",
    ),
    "an_unknown_severity": (
        lambda block: block["gates"]["drift"].update(severity="fatal"),
        "severity of the gate drift: fatal is unknown; use error or warn.",
    ),
    "an_unknown_bound": (
        lambda block: block["gates"]["customers"].update(bound=0.5),
        "gate customers: the setting bound is unknown; the settings here are min_kept_share, growth, severity.",
    ),
    "a_bound_that_is_no_number": (
        lambda block: block["gates"]["silhouette"].update(bound="high"),
        "bound of the gate silhouette: high is not a number, such as 0.25.",
    ),
    "growth_upside_down": (
        lambda block: block["gates"]["customers"].update(growth=[2, 0.7]),
        "growth of the gate customers: [2, 0.7] is not a lowest and a highest number of times, such as [0.7, 2].",
    ),
    "a_name_with_a_space": (
        lambda block: block["features"][0].update(name="Age in years"),
        "the column name Age in years is not made of small letters, digits and underscores, such as income_k.",
    ),
    "a_name_that_is_a_keyword": (
        lambda block: block["features"][0].update(name="order"),
        "the name order is a keyword of SQL; choose another one, such as order_value.",
    ),
    "a_name_that_is_another_keyword": (
        lambda block: block["features"][0].update(name="left"),
        "the name left is a keyword of SQL; choose another one, such as left_value.",
    ),
    "a_name_that_is_taken": (
        lambda block: block["features"][0].update(name="segment_id"),
        "the name segment_id is taken by a column of the tables; choose another one.",
    ),
    "a_name_that_duckdb_has_for_the_place_of_a_row": (
        lambda block: block["attributes"][0].update(name="rowid"),
        "the name rowid is taken by a column of the tables; choose another one.",
    ),
    "a_name_that_is_a_number": (
        lambda block: block["features"][0].update(name=5),
        "the column name 5 is not made of small letters, digits and underscores, such as income_k.",
    ),
    "a_name_that_a_terminal_would_obey": (
        lambda block: block["features"][0].update(name="\x1b[31mage"),
        "the column name \\x1b[31mage is not made of small letters",
    ),
    "a_label_that_is_a_number": (
        lambda block: block["features"][0].update(label=5),
        "label of age: 5 is not a text; put it in quotes, or leave the setting out.",
    ),
    "a_label_without_a_value": (
        lambda block: block["features"][0].update(label=None),
        "label of age: null is not a text; put it in quotes, or leave the setting out.",
    ),
    "a_unit_that_is_yes": (lambda block: block["features"][0].update(unit=True), "unit of age: true is not a text; put it in"),
    "a_header_without_a_value": (
        lambda block: block["key"].update(headers=[None]),
        "headers of customer_id: null is not a text; put it in quotes.",
    ),
    "headers_that_are_settings": (
        lambda block: block["key"].update(headers={}),
        "headers of customer_id: {} is not a list, such",
    ),
    "features_that_are_a_number": (
        lambda block: block.update(features=5),
        "features: 5 is not a list, such as [{name: visits}].",
    ),
    "a_range_with_nan": (
        lambda block: block["features"][0].update(range=[float("nan"), 120]),
        "range of age: [nan, 120] is not a lowest and a highest value, such as [0, 120] or [0, null].",
    ),
    "a_range_without_an_end": (
        lambda block: block["features"][0].update(range=[0, float("inf")]),
        "range of age: [0, inf] is not a lowest and a highest value, such as [0, 120] or [0, null].",
    ),
    "a_range_of_yes_and_no": (
        lambda block: block["features"][0].update(range=[False, True]),
        "range of age: [False, True] is not a lowest and a highest value, such as [0, 120] or [0, null].",
    ),
    "a_category_with_a_range": (
        lambda block: block["features"].append({"name": "region", "data_type": "category", "range": [0, 1]}),
        "feature region of data_type category: the setting range is unknown; the settings here are name, headers, data_type, "
        "description, label, weight, missing.",
    ),
    "a_category_with_words_for_high": (
        lambda block: block["features"].append({"name": "region", "data_type": "category", "high": "north"}),
        "feature region of data_type category: the setting high is unknown; the settings here are",
    ),
    "a_yes_or_no_with_a_transform": (
        lambda block: block["features"].append({"name": "has_app", "data_type": "boolean", "transform": "log1p"}),
        "feature has_app of data_type boolean: the setting transform is unknown; the settings here are name, headers, data_type, "
        "description, label, weight, missing, low, high.",
    ),
    "a_median_of_levels": (
        lambda block: block["features"].append({"name": "region", "data_type": "category", "missing": "median"}),
        "missing of region: median is unknown; use reject or level.",
    ),
    "a_level_of_a_number": (
        lambda block: block["features"][0].update(missing="level"),
        "missing of age: level is unknown; use reject or median.",
    ),
    "a_feature_that_counts_nothing": (
        lambda block: block["features"][0].update(weight=0),
        "weight of age: 0 is not a number above 0 and up to 100, such as 2.",
    ),
    "a_weight_in_words": (
        lambda block: block["features"].append({"name": "region", "data_type": "category", "weight": "high"}),
        "weight of region: high is not a number above 0 and up to 100, such as 2.",
    ),
    "a_share_that_is_yes": (
        lambda block: block["source"].update(max_rejected_share=True),
        "source: max_rejected_share: True is not a share from 0 to 1, such as 0.05.",
    ),
    "a_gate_without_a_bound": (
        lambda block: block["gates"]["drift"].update(bound=None),
        "bound of the gate drift: null is not a number, such as 0.25.",
    ),
    "a_file_that_is_a_number": (
        lambda block: block["source"].update(file=5),
        "source: file: 5 is not a path; give that of a CSV or Parquet file, in quotes.",
    ),
    "an_unknown_separator": (
        lambda block: block["source"].update(thousands_separator="_"),
        'source: thousands_separator: _ is unknown; use "." or "," or " " (a space of any kind) or "\'" (an apostrophe).',
    ),
    "one_separator_for_both": (
        lambda block: block["features"][0].update(decimal_separator=",", thousands_separator=","),
        "decimal_separator of age: , is the thousands_separator, too; a number cannot be read so.",
    ),
    "an_unknown_decimal_separator": (
        lambda block: block["source"].update(decimal_separator="'"),
        "source: decimal_separator: ' is unknown; use . or ,.",
    ),
    "missing_words_that_are_no_list": (
        lambda block: block["source"].update(missing_words="NA"),
        "source: missing_words: NA is not a list, such as [NA].",
    ),
    "a_currency_that_is_a_number": (
        lambda block: block["features"][0].update(currency=5),
        'currency of age: 5 is not the sign or code of a currency, such as "$" or EUR.',
    ),
    "an_unknown_format": (
        lambda block: block["features"][0].update(format="percentage"),
        "format of age: percentage is unknown; use number or percent or accounting or yes_no.",
    ),
    "a_date_that_is_no_number": (
        lambda block: block["features"][0].update(format="day-first"),
        "feature age: format: day-first is that of a date; say what number it gives, as: days_since or as: age_years.",
    ),
    "an_age_of_a_number": (
        lambda block: block["features"][0].update({"as": "age_years", "format": "percent"}),
        "feature age: as: age_years counts from a date, and format: percent is none; use iso or day-first or month-first",
    ),
    "an_unknown_way_to_count": (
        lambda block: block["features"][0].update({"as": "months"}),
        "as of age: months is unknown; use days_since or age_years.",
    ),
    "an_age_without_a_day_to_count_to": (
        lambda block: block["features"][0].update({"as": "age_years"}),
        "feature age: as: age_years counts to a day, so that the same data give the same numbers on any day; give it as "
        "reference_date: 2025-12-31 under vars:, or for one run with --vars '{reference_date: 2025-12-31}'.",
    ),
    "no_file": (
        lambda block: block["source"].pop("file"),
        "source: file: is missing; give the path of a CSV or Parquet file, a table as relation, or customers: null for segments "
        "from orders alone.",
    ),
    "a_file_and_a_relation": (
        lambda block: block["source"].update(relation="ref('crm')"),
        "source: file: and relation: are both given; take one of the two out.",
    ),
    "a_relation_of_one_word": (
        lambda block: block.update(source={"relation": "crm"}),
        "source: relation: crm is neither a model, ref('crm_customers'), nor a source, source('crm', 'customers'), nor a table, "
        "crm.main.customers, with the names of its database and schema.",
    ),
    "a_relation_that_is_a_query": (
        lambda block: block.update(source={"relation": "select * from crm.main.customers"}),
        "source: relation: select * from crm.main.customers is neither a model, ref('crm_customers'), nor a source,",
    ),
    "a_key_of_one_column": (
        lambda block: block.update(key={"name": "customer", "columns": ["shop"]}),
        "columns of customer: ['shop'] is not a list of several columns, such as [shop, customer_no].",
    ),
    "headers_of_a_key_of_several_columns": (
        lambda block: block.update(key={"name": "customer", "headers": ["Shop"], "columns": ["shop", "no"]}),
        "headers of customer: the key is made of several columns; give each its own, as columns: "
        "[{name: shop, headers: [Shop No]}].",
    ),
    "a_number_as_a_key_of_several_columns": (
        lambda block: block.update(key={"name": "customer", "data_type": "bigint", "columns": ["shop", "no"]}),
        "data_type of customer: bigint is unknown; use varchar.",
    ),
    "another_case": (
        lambda block: block.update(key={"name": "email", "case": "lower"}),
        "case of email: lower is unknown; use fold.",
    ),
    "a_key_that_is_a_word": (
        lambda block: block.update(key="email"),
        "key: email is neither a column, such as {name: customer_id}, nor row_number, for customers without a key.",
    ),
    "customers_that_are_not_left_out": (
        lambda block: block.update(customers="shop.csv"),
        "customers: shop.csv is unknown; the file of the customers is given by source: file, and customers: null is for segments "
        "from orders alone.",
    ),
    "no_key_without_customers": (
        lambda block: (block.clear(), block.update(customers=None)),
        "key: is missing; give it as in the file that the project ships.",
    ),
}


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_a_mistake_in_the_block_of_the_customers_is_one_sentence(said, case):
    change, sentence = CONFIGURATIONS[case]
    question = "require_names_without_keywords(segmentation().columns)"
    answer = said("base_customer_lines", lambda blocks: change(blocks["segmentation"]), question)
    assert "dbt_project.yml, vars, segmentation: " + sentence in answer


MISTAKES_IN_ORDERS = {
    "unknown_setting": ({"currencies": "EUR"}, "orders: the setting currencies is unknown; the settings here are"),
    "unknown_setting_of_the_source": ({"source": {"header": None}}, "orders: source: the setting header is unknown; the"),
    "unknown_format": ({"date": {"format": "dmy"}}, "format of date: dmy is unknown; use iso or day-first or month-first or"),
    "headers_that_are_no_list": ({"amount": {"headers": "Betrag"}}, "headers of amount: Betrag is not a list, such as ["),
    "a_column_that_is_no_block": ({"amount": "Betrag"}, "amount: Betrag is not a list of settings; the settings here"),
    "unknown_encoding": ({"source": {"encoding": None}}, "source: encoding: null is not the name of an encoding, such as utf-8"),
    "percent_of_an_amount": ({"amount": {"format": "percent"}}, "format of amount: percent is unknown; use number or"),
    "a_currency_of_a_product": ({"product": {"currency": "$"}}, "product: the setting currency is unknown; the settings here"),
    "fields_that_are_no_list": ({"source": {"fields": "amount"}}, "source: fields: amount is not a list, such as [amount]"),
    "a_currency_that_is_no_block": ({"currency": "EUR"}, "currency: EUR is not a list of settings; the settings here are"),
    "several_currencies": ({"currency": {"keep": ["EUR", "USD"]}}, "keep of currency: ['EUR', 'USD'] is not one currency, as"),
    "a_status_that_is_no_list": ({"status": {"counts": "paid"}}, "counts of status: paid is not a list, such as [paid]."),
    "a_status_that_is_yes": ({"status": {"counts": [True]}}, "counts of status: true is not a text; put it in quotes."),
    "an_amount_of_a_customer": ({"amount": {"of": "customer"}}, "of: of amount: customer is unknown; use line or order."),
    "a_refund_of_an_item": ({"refunded": {"of": "item"}}, "of: of refunded: item is unknown; use line or order."),
    "anonymous_in_percent": ({"customer": {"anonymous_share": 30}}, "anonymous_share of customer: 30 is not a share from 0 to 1"),
    "anonymous_yes": ({"customer": {"anonymous_share": True}}, "anonymous_share of customer: true is not a share from 0 to 1"),
    "a_share_in_percent": ({"source": {"max_rejected_share": "5%"}}, "source: max_rejected_share: 5% is not a share from 0 to"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES_IN_ORDERS)
def test_a_mistake_in_the_block_of_the_orders_is_one_sentence(said, case):
    settings, sentence = MISTAKES_IN_ORDERS[case]

    def change(blocks):
        source = blocks["orders"]["source"] | settings.get("source", {})
        blocks["orders"] |= settings | {"source": source}

    assert "dbt_project.yml, vars, orders: " + sentence in said("base_order_lines", change, "orders()")


def test_neither_customers_nor_orders_is_one_sentence(said):
    def change(blocks):
        blocks["segmentation"]["customers"] = None
        blocks["orders"]["source"]["file"] = None

    assert "orders: source: file: there are no customers either (customers: null), so there is nothing to segment; give" in said(
        "base_order_lines", change, "orders()"
    )


MISTAKES_IN_RFM_SCORES = {
    "unknown_measure": ({"recency": [1, 2, 3, 4]}, "rfm_scores: the setting recency is unknown; the settings here"),
    "no_settings": ([30, 90, 180, 365], "rfm_scores: [30, 90, 180, 365] is not a list of settings; the settings"),
    "too_few_bounds": ({"frequency": [1, 2, 4]}, "frequency: [1, 2, 4] is not four numbers of 0 or more, the lowest first, such"),
    "bounds_the_other_way_round": ({"recency_days": [365, 180, 90, 30]}, "recency_days: [365, 180, 90, 30] is not four numbers"),
    "equal_bounds": ({"frequency": [1, 2, 2, 4]}, "frequency: [1, 2, 2, 4] is not four numbers of 0 or more"),
    "texts": ({"frequency": ["1", "2", "3", "4"]}, "frequency: ['1', '2', '3', '4'] is not four numbers of 0 or more"),
    "four_letters": ({"frequency": "1234"}, "frequency: 1234 is not four numbers of 0 or more"),
    "one_number": ({"monetary_value": 100}, "monetary_value: 100 is not four numbers of 0 or more"),
    "a_negative_bound": ({"monetary_value": [-1, 0, 1, 2]}, "monetary_value: [-1, 0, 1, 2] is not four numbers of 0 or more"),
    "no_number": ({"monetary_value": [1, 2, 3, float("nan")]}, "monetary_value: [1, 2, 3, nan] is not four numbers of 0 or more"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES_IN_RFM_SCORES)
def test_a_mistake_in_the_block_of_the_rfm_scores_is_one_sentence(said, case):
    settings, sentence = MISTAKES_IN_RFM_SCORES[case]
    answer = said("rfm_score_thresholds", lambda blocks: blocks.update(rfm_scores=settings))
    assert "dbt_project.yml, vars, rfm_scores: " + sentence in answer


# The mistake in the block rfm_segmentation:, and what is said of it.
MISTAKES_IN_A_FURTHER_SEGMENTATION = {
    "no_block": (lambda blocks: blocks.pop("rfm_segmentation"), "vars: rfm_segmentation: is missing, by which int_rfm_"),
    "unknown_needs": (
        lambda blocks: blocks["rfm_segmentation"].update(needs="visits"),
        "needs: visits is unknown; use customers or orders.",
    ),
    "no_customers": (lambda blocks: blocks["rfm_segmentation"].pop("customers"), "customers: is missing; name the model"),
    "unknown_customers": (
        lambda blocks: blocks["rfm_segmentation"].update(customers="int_customer_visits"),
        "vars, rfm_segmentation: customers: no model is called int_customer_visits; name the one that has the features",
    ),
    "a_key_of_its_own": (lambda blocks: blocks["rfm_segmentation"].update(key={"name": "shop"}), "the setting key is unknown;"),
    "headers": (
        lambda blocks: blocks["rfm_segmentation"]["features"][0].update(headers=["days"]),
        "headers of recency_days: the features are columns of the model customer_order_features; give their names there.",
    ),
    "a_currency": (
        lambda blocks: blocks["rfm_segmentation"]["features"][0].update(currency="$"),
        "currency of recency_days: the features are columns of the model customer_order_features; make numbers of them there.",
    ),
    "more_segments_than_tried": (
        lambda blocks: blocks["rfm_segmentation"].update(n_clusters=12),
        "vars, rfm_segmentation: n_clusters: 12 is neither a whole number within k_range [1, 10] nor a rule",
    ),
    "an_unknown_gate": (
        lambda blocks: blocks["rfm_segmentation"].update(gates={"size": {"bound": 1}}),
        "vars, rfm_segmentation: gates: the setting size is unknown; the settings here are customers, smallest_share",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES_IN_A_FURTHER_SEGMENTATION)
def test_a_mistake_in_the_block_of_a_further_segmentation_is_one_sentence(said, case):
    change, sentence = MISTAKES_IN_A_FURTHER_SEGMENTATION[case]
    assert sentence in said("int_rfm_customer_features", change)
