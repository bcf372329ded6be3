"""What sqlfluff puts in place of the macros that need dbt or a database, so that it sees whole SQL."""

import hashlib
import re
from pathlib import Path
from types import SimpleNamespace

import yaml
from jinja2 import pass_context

_PROJECT = Path(__file__).resolve().parents[2] / "dbt_project.yml"
dbt_version = "1"
target = {"database": "warehouse"}


@pass_context
def _duckdb_macro(context, name):
    return context.resolve(f"duckdb__{name}")


adapter = SimpleNamespace(dispatch=_duckdb_macro)
modules = SimpleNamespace(re=re)
_FEATURE = {"data_type": "double", "range": [None, None], "transform": "none", "missing": "median", "low": "low", "high": "high"}
_FEATURE |= {"lowest": "lowest", "highest": "highest", "weight": 1}
_CATEGORY = {"range": [None, None], "transform": "category", "missing": "level", "weight": 2, "low": "no", "high": "yes"}


def segmentation(prefix=""):
    """The columns of the sample, and an attribute and a feature of each kind."""
    block = yaml.safe_load(_PROJECT.read_text(encoding="utf-8"))["vars"]["segmentation"]
    key = block["key"] | {"kind": "key"}
    attributes = [attribute | {"kind": "attribute", "data_type": "varchar"} for attribute in block["attributes"]]
    attributes += [{"name": "revenue", "kind": "attribute", "data_type": "double"}]
    attributes += [{"name": "since", "kind": "attribute", "data_type": "date", "format": "iso"}]
    numbers = [_FEATURE | feature | {"axis": feature["label"], "kind": "feature"} for feature in block["features"]]
    of_categories = [("region", "category", "category"), ("has_app", "boolean", "flag")]
    categories = [
        _CATEGORY | {"name": name, "label": name, "axis": name, "data_type": data_type, "kind": kind}
        for name, data_type, kind in of_categories
    ]
    features = [*numbers, *categories]
    settings = {"customers": "stg_customers", "refit": "auto", "model_version": None, "is_dispensable": True}
    block["source"]["personal"] = []
    settings |= {"numbers": numbers, "categories": categories, "has_weights": True}
    return block | settings | {"attributes": attributes, "features": features, "columns": [key, *attributes, *features]}


def published_database():
    return "warehouse"


def builds_that_count(name):
    return "true"


def rows_that_count(name):
    return "true"


def segmentation_prefix():
    return ""


def segmentation_block():
    return "segmentation"


def sql_of(name, segmentation, reading, needs_orders=False):
    return "select 1 as one"


def sql_type(data_type):
    return "string" if data_type in ("varchar", "category") else data_type


def orders():
    """The columns of the sample, and one of each kind."""
    columns = [
        segmentation()["key"],
        {"name": "order_id", "kind": "attribute", "data_type": "varchar"},
        {"name": "ordered_at", "kind": "moment", "data_type": "timestamp", "format": "day-first"},
        {"name": "amount", "kind": "feature", "data_type": "double", "range": [None, None], "missing": "reject"},
        {"name": "refunded_amount", "kind": "feature", "data_type": "double", "range": [None, None], "missing": "null"},
        {"name": "cancelled", "kind": "flag", "data_type": "boolean"},
        {"name": "currency", "kind": "attribute", "data_type": "varchar", "words": ["EUR"]},
        {"name": "order_status", "kind": "attribute", "data_type": "varchar", "words": ["paid"]},
    ]
    block = yaml.safe_load(_PROJECT.read_text(encoding="utf-8"))["vars"]["orders"]
    what_counts = {"statuses": ["paid"], "currency": "EUR", "anonymous_share": 0.3}
    of = {"has_amounts": True, "has_margin": True, "amount_of": "order", "refunded_of": "order"}
    return (
        {"source": block["source"] | {"block": "orders", "personal": []}, "key": columns[0], "columns": columns}
        | what_counts
        | of
    )


def has_customers():
    return True


def has_orders():
    return True


def builds_gone_on_from():
    return "select build_id from builds"


def rfm_score_bounds():
    return {"recency_days": [30, 90, 180, 365], "frequency": None, "monetary_value": None}


def source_layouts(table):
    columns = table["columns"]
    fields = {column["name"]: position for position, column in enumerate(columns, start=1)}
    layout = {"format": "utf-8", "delimiter": ",", "n_fields": len(columns), "columns": columns, "fields": fields}
    layout |= {"n_needed": len(columns), "has_header": True, "repeats": False, "preambles": {}}
    return [layout | {"files": ["customers.csv"], "patterns": {"customers.csv": "customers.csv"}}]


def n_lines_of_preambles(layouts):
    return 0


def source_relation(source):
    return None


def layout_reasons():
    return {"quotes": "quotes", "too_few": "few", "too_many": "many", "no_object": "none", "twice": "twice"}


def _parts_of(layout, key):
    return {name: f"_parts[{place}]" for name, place in layout["fields"].items()}


def _columns_of(layout, key):
    return layout["columns"]


def files_of(relation):
    return ["customers.csv"]


def training_share(customers, features, counts):
    return 0.5


def feature_statistics():
    return {"mean": "Mean of {}.", "median": "Median of {}."}


def statistics_of(feature):
    return {"mode": "Mode of {}."} if feature["transform"] == "category" else feature_statistics()


def warn_of_rejected_rows(rejected, n_accepted, source, condition="true"):
    return ""


def report_lines_left_out(rejected, n_accepted):
    return ""


def require_clear_orders(records, lines):
    return ""


def values_of_orders():
    return ["monetary_value", "average_order_value", "share_returned", "bought_value", "returned_value"]


def say_that_there_are_no_amounts():
    return ""


def left_by_builds(name):
    return name


def version_to_go_on_with(builds):
    return f"max({builds}.model_version)"


def unpinned_version(builds):
    return f"max({builds}.model_version)"


def existing_table(name):
    return name


def last_table(name):
    return f"last_{name}"


def last_labels():
    return "last_customer_clusters"


def load_relation(relation):
    return relation


def made_list(expressions):
    return f"[{', '.join(map(str, expressions))}]"


def pairs_of(n):
    return [(1, n)]


def joined_texts(text, separator, order, condition="true"):
    return f"string_agg({text}, '{separator}' order by {order})"


def joined_list(items, separator):
    return f"array_to_string({items}, '{separator}')"


def sorted_parts(text, separator):
    return f"list_sort(string_split({text}, '{separator}'))"


def unnested(lists):
    return ", ".join(f"unnest({items}) as {column}" for items, column in lists.items())


def places_in(items):
    return f"generate_series(1, len({items}))"


def plain_number(value):
    return f"printf('%.15g', {value})"


def computed_once():
    return "true"


def engine_version():
    return "'DuckDB ' || version()"


def raised(sentence):
    return f"error({sentence})"


def local_md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def fingerprint(columns):
    return f"count({columns.split(', ')[0]})"


def model_configuration():
    return "{}"


def build_time():
    return "cast('2026-01-01' as timestamp)"


def build_columns():
    return f"'1' as build_id,\n        {build_time()} as built_at"


def code_version():
    return "cast(getvariable('code_version') as varchar)"


def gate(name, query):
    return query


def sentences_reported(query, severity):
    return query


def are_seen_to_differ(relation, column):
    return False


def fixed_reference_date():
    return "2025-12-31"


def is_valuable(rfm_scores):
    return f"{rfm_scores}.monetary_score = 5"


def valuable_before():
    return "(select customer_id, monetary_value, frequency from last_rfm_scores)"


def is_up_to_the_reference_date(ordered_at):
    return f"cast({ordered_at} as date) <= date '2026-01-01'"


def reference_date(ordered_at):
    return f"max({ordered_at})"


def days_between(first, last):
    return f"date_diff('day', {first}, {last})"


def day_of(n_days):
    return f"date '1970-01-01' + cast({n_days} as integer)"


def exact_amount(amount):
    return f"cast({amount} as decimal(38, 4))"


def end_of_today():
    return "timestamp '2026-01-01'"


def what_was_seen(rejected, n_accepted, table, condition):
    return ""
