"""Write the report for those who only look: one page, reports/index.html, that needs no network and no script.

The warehouse is opened read-only. Counts, joins and the choice of what is worth saying are SQL; the words are in the
template report.html.jinja, which escapes every name and value. The same warehouse gives the same bytes.

    python scripts/render_report.py --warehouse warehouse.duckdb --output reports
"""

import argparse
import io
import re
from base64 import b64encode
from pathlib import Path

import pandas as pd
from file_set import file_set
from pages import rendered
from render_plots import (
    NEWEST_BUILD,
    TABLES,
    check_build,
    default_pair,
    pictures_of,
    plt,
    read_rfm_cells,
    read_segmentation,
    rfm_grid,
    rounded,
    set_style,
)
from warehouse import basis_of, columns_of_features, found_tables, plural, read_only, segmentations, spread_features

REPORT_TABLES = [*TABLES, "segmentation_models", "feature_drift"]

# What to say to those who do not see a picture, behind its title.
ALTERNATIVES = {
    "sizes": "A bar per segment with its number of customers, as in the table of segments.",
    "segments": "Customers as points, coloured by segment, in the features in which the segments lie furthest apart.",
    "profiles": "A heat map with a row per segment and a column per feature; the means are in the cards of the segments.",
    "segment_pairs": "Customers as points, coloured by segment, in pairs of features.",
    "projection": "Customers as points, coloured by segment, in the two directions in which they differ most.",
    "migrations": "A table in colours: rows are the segments in the last build, columns the segments now.",
    "shares": "A small picture per segment with a line: its share of all customers, build by build.",
    "rfm_grid": "A table in colours: rows are scores of recency, columns scores of purchases, with the class of each cell.",
    "elbow": "Two curves over the number of segments tried: the spread within segments, and their separation.",
}
# The same where a feature is a category.
ALTERNATIVES_OF_CATEGORIES = {
    "segments": "Customers as points or bars, coloured by segment, in the features in which the segments lie furthest apart.",
    "profiles": "A heat map with a column per segment and a row per number or value of a category; the cards say it, too.",
    "segment_pairs": "Customers as points, or as bars where two categories meet, coloured by segment, in pairs of features.",
}

# What the newest build has read: each file, its rows that were used, and the table of those that were not.
BUILD = "select * from builds order by build_number desc limit 1"
FILES = {
    "customer": ("source_file", "n_accepted", "rejected_customers"),
    "order": ("orders_source_file", "n_order_lines_accepted", "rejected_orders"),
}
# The last build, and the one before it.
OVERVIEW = """
    with
    newest as (
        select build_id, built_at, lag(built_at) over (order by build_number) as last_built_at
        from builds
        where build_id in (select build_id from segment_migrations)
        qualify build_number = max(build_number) over ()
    ),
    customers as (
        select
            count(*) as n_customers, count(*) filter (where has_imputed_features) as n_imputed,
            max(model_version) as model_version
        from customer_segments
    )
    select
        n_customers, n_imputed, model_version, build_id, built_at, last_built_at,
        fitted_at, reason, chosen_by, silhouette, structure, verdict,
        (select max(unpinned_model_version) from segment_drift where build_id = newest.build_id) as unpinned_model_version,
        (select count(*) from segment_profiles) as n_segments,
        -- Half a year: seasons and assortments have changed since.
        date_diff('day', fitted_at, built_at) > 182 as is_stale
    from customers
    inner join (select * exclude (n_customers) from segmentation_models) as models using (model_version)
    cross join newest
"""
SEGMENTS = f"""
    with
    newest as (
        select * from segment_migrations where build_id = {NEWEST_BUILD}
    ),
    origins as (
        select
            from_segment_id as segment_id, sum(n_customers) as n_before,
            coalesce(sum(n_customers) filter (where to_segment_id is null), 0) as n_left,
            coalesce(sum(n_customers) filter (where to_segment_id <> from_segment_id), 0) as n_moved_out
        from newest
        group by from_segment_id
    ),
    destinations as (
        select
            to_segment_id as segment_id,
            coalesce(sum(n_customers) filter (where from_segment_id is null), 0) as n_joined,
            coalesce(sum(n_customers) filter (where to_segment_id <> from_segment_id), 0) as n_moved_in
        from newest
        group by to_segment_id
    )
    select
        profiles.segment_id, profiles.segment_name, profiles.is_name_current, profiles.current_name, profiles.n_customers,
        profiles.share, profiles.rule, profiles.rule_coverage, profiles.rule_precision, profiles.n_outliers, profiles.stability,
        profiles.stability_standard_error,
        origins.n_before, coalesce(origins.n_left, 0) as n_left, coalesce(origins.n_moved_out, 0) as n_moved_out,
        coalesce(destinations.n_joined, 0) as n_joined, coalesce(destinations.n_moved_in, 0) as n_moved_in,
        profiles.n_customers - coalesce(origins.n_before, 0) as n_change
    from segment_profiles as profiles
    left join origins using (segment_id)
    left join destinations using (segment_id)
    order by profiles.segment_id
"""
GONE = f"""
    select migrations.segment_id, names.segment_name, migrations.n_before
    from (
        select from_segment_id as segment_id, sum(n_customers) as n_before
        from segment_migrations
        where build_id = {NEWEST_BUILD} and from_segment_id is not null
        group by from_segment_id
    ) as migrations
    left join (
        select segment_id, max_by(segment_name, builds.build_number) as segment_name
        from segment_drift
        inner join builds using (build_id)
        group by segment_id
    ) as names on migrations.segment_id = names.segment_id
    where migrations.segment_id not in (select segment_id from segment_profiles)
    order by migrations.segment_id
"""
# Half a standard deviation is a medium difference (Cohen 1988), as in the names of the segments; so is half of Cohen's h, which
# measures how far two shares lie apart. Of a category a level that is rarer than elsewhere is told where none is commoner, and
# one that fewer than five customers have may tell who they are.
FEATURES = f"""
    with columns as (
        select
            *, is_level and feature_mean * n_customers >= 4.5 as has_customers,
            case
                when is_level then 2 * asin(sqrt(feature_mean)) - 2 * asin(sqrt(population_mean))
                else mean_scaled
            end as deviation
        from ({columns_of_features()})
        inner join (select segment_id, n_customers from segment_profiles) using (segment_id)
    )
    select
        segment_id, name, label, feature_label, feature_order, is_level, level_label,
        feature_mean, feature_median, feature_p10, feature_p90, population_mean, feature_index,
        deviation > 0 as is_high,
        abs(deviation) >= 0.5
        and (
            not is_level
            or (deviation > 0 and has_customers)
            or (max(deviation) over of_feature < 0.5 and row_number() over (of_feature order by deviation, feature_order) = 1)
        ) as is_salient,
        abs(deviation) >= 1.5 and not is_level as is_extreme,
        -- After a logarithm the centre can lie above the average, and the mean below it.
        coalesce(sign(feature_mean - population_mean) = sign(mean_scaled), false) as is_told_by_means,
        row_number() over (partition by segment_id order by abs(deviation) desc, feature_order) as salience,
        max(abs(deviation)) over (partition by segment_id, name) as strength,
        has_customers and feature_mean >= 0.1 as is_common,
        row_number() over (of_feature order by feature_mean desc, feature_order) as level_rank
    from columns
    window of_feature as (partition by segment_id, name)
    order by segment_id, feature_order
"""
# A value is worth a word when its share is higher by five points and by two standard errors. One that fewer than five
# customers have may tell who they are, and is no description of a segment; nor are values that are too many to be listed.
ATTRIBUTES = """
    select
        segment_id, attribute, attribute_value, share, population_share,
        attribute_value is distinct from 'more than 50 values'
        and share - population_share >= 0.05
        and share - population_share > 2 * sqrt(population_share * (1 - population_share) / segment_size) as is_salient,
        row_number() over (
            partition by segment_id order by share - population_share desc, attribute, attribute_value
        ) as salience,
        row_number() over (partition by segment_id, attribute order by share desc, attribute_value) = 1 as is_most_frequent
    from (
        select *, sum(n_customers) over (partition by segment_id, attribute) as segment_size
        from segment_attribute_profiles
    )
    where n_customers >= 5
    order by segment_id, salience
"""
# Figures of fewer than five customers may tell who they are.
STATISTICS = """
    select
        attribute, attribute_order, segment_id, segment_name, n_missing, n_customers >= 5 as is_shown, attribute_index,
        attribute_mean as mean, attribute_p25 as p25, attribute_median as median, attribute_p75 as p75, attribute_min as min,
        attribute_max as max, population_mean, population_median,
        date_mean, date_p25, date_median, date_p75, date_min, date_max, population_date_mean, population_date_median
    from segment_attribute_statistics
    order by attribute_order, segment_id
"""
LABELS = f"select feature, label from ({spread_features()}) order by feature_order"
# A rule is conditions joined by `and`, which may stand in the text of a level, too.
TEXT = "'(?:[^']|'')*'"
CONDITION = re.compile(
    rf"""
    \(? (?P<no>not\ )? (?P<feature>\w+)
    (?:\ (?:
        (?P<sign>>|<=)\ (?P<bound>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)
        | (?P<comparison>=|<>|in|not\ in)\ \(?(?P<levels>{TEXT}(?:,\ {TEXT})*)\)?
        | is\ (?P<given>null|not\ null)
    ))?
    (?P<or_missing>\ or\ \w+\ is\ null\))?
    (?:\ and\ |$)
    """,
    re.VERBOSE,
)
K_SCORES = """
    select k, wcss, silhouette, silhouette + crowd_silhouette_bound - compared_silhouette as silhouette_crowd,
        preferred_by, is_used
    from k_scores
    where model_version = (select max(model_version) from customer_segments)
    order by k
"""
DRIFT = f"""
    select feature_drift.feature, labels.label as feature_label, psi, drift_level, unseen_share, is_refitted
    from feature_drift
    left join ({LABELS}) as labels using (feature)
    where build_id = {NEWEST_BUILD}
    order by psi desc, feature_drift.feature
"""
# From half a standard deviation on, a medium change (Cohen 1988), as the gate has it unless it is configured otherwise.
JOINT_DRIFT = f"""
    select joint_drift, is_refitted
    from feature_drift
    where build_id = {NEWEST_BUILD} and joint_drift >= 0.5 and joint_drift > joint_drift_by_chance
    limit 1
"""
# What is said of two features stands once, with both their names.
ADVICE = """
    select list(feature_label order by feature_order) as feature_labels, advice
    from feature_diagnostics
    where advice is not null
    group by advice
    order by min(feature_order)
"""
# Of the last twelve months with orders. What counts for no segment comes last.
VALUES = """
    select
        basis, segment_id, segment_name, sum(n_orders) as n_orders, sum(revenue) as revenue, sum(margin) as margin,
        sum(average_order_value * n_orders) / nullif(sum(n_orders), 0) as average_order_value,
        sum(revenue) / nullif(sum(sum(revenue)) over (partition by basis), 0) as share,
        sum(n_new_customers) as n_new, sum(n_lapsed_customers) as n_lapsed,
        max(max(month)) over () as last_month
    from segment_values
    where month > (select max(month) - interval 12 month from segment_values)
    group by basis, segment_id, segment_name
    -- Before there is a history all is older than the first build.
    qualify count(segment_id) over (partition by basis) > 0
    order by basis, segment_id is null, revenue desc, n_orders desc, segment_id
"""
# Shares of fewer than five customers may tell who they are.
RETENTION = """
    select basis, segment_id, segment_name, n_months, n_customers, share_stayed, share_ordered_again
    from segment_retention
    where n_customers >= 5
    order by basis, segment_id, n_months
"""
MOVERS = """
    select count(*) as n_movers, count(*) filter (where to_segment_id is null) as n_left
    from segment_movers
    where customer_changed
"""
RFM_CLASSES = """
    select rfm_class, n_customers, share, value_share, recency_days_median, frequency_median, monetary_value_median
    from rfm_class_profiles
    where n_customers > 0
    order by value_share desc nulls last, n_customers desc, rfm_class
"""
REASONS = """
    select reason, count(*) as n_rows
    from (select unnest(string_split(reasons, '; ')) as reason from {table} where {condition})
    group by reason
    order by n_rows desc, reason
    limit {limit}
"""
HAS_LEFT_OUT = """
    select count(*) > 0
    from duckdb_columns()
    where database_name = current_database() and table_name = '{table}' and column_name = 'is_left_out'
"""


def rows(warehouse, query):
    """The answer as a list of dictionaries; what is missing is None."""
    answer = warehouse.execute(query)
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def grouped(found, column):
    """{value of the column: its rows}, in the order in which they come."""
    groups = {}
    for row in found:
        groups.setdefault(row[column], []).append(row)
    return groups


def with_texts(warehouse):
    """The rows of FEATURES with their numbers as texts, each feature with one number of decimals."""
    frame = warehouse.execute(FEATURES).df()
    numbers = ["feature_mean", "feature_median", "feature_p10", "feature_p90", "population_mean"]
    for _, of_feature in frame[~frame["is_level"]].groupby("name"):
        texts = rounded(of_feature[numbers].stack(future_stack=True)).unstack()
        frame.loc[of_feature.index, [f"{name}_text" for name in numbers]] = texts.to_numpy()
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def parsed(rule, labels):
    """The conditions of a rule, one dictionary per feature, or [] where it is none that this page has words for."""
    conditions, place = {}, 0
    while place < len(rule):
        found = CONDITION.match(rule, place)
        if found is None or found["feature"] not in labels:
            return []
        condition = conditions.setdefault(found["feature"], {"label": labels[found["feature"]], "lower": None, "upper": None})
        if found["sign"]:
            condition["lower" if found["sign"] == ">" else "upper"] = float(found["bound"])
        else:
            condition |= {
                "levels": [text[1:-1].replace("''", "'") for text in re.findall(TEXT, found["levels"] or "")],
                "is_excluded": found["comparison"] in ("<>", "not in"),
                "given": found["given"],
                "yes_or_no": "no" if found["no"] else "yes",
                "or_missing": bool(found["or_missing"]),
            }
        place = found.end()
    return list(conditions.values())


def described_attributes(found):
    """{attribute: its rows of STATISTICS, one per segment, with every figure as a text}; '' where there is none."""
    figures = ["mean", "p25", "median", "p75", "min", "max", "population_mean", "population_median"]
    attributes = grouped(found, "attribute")
    for found in attributes.values():
        texts = rounded(pd.DataFrame(found)[figures].astype(float).stack(future_stack=True)).unstack()
        for place, row in enumerate(found):
            for figure in figures:
                date = row[f"population_date_{figure[11:]}" if figure.startswith("population_") else f"date_{figure}"]
                row[f"{figure}_text"] = f"{date.day} {date:%b %Y}" if date else whole(texts.loc[place, figure])
    return attributes


def drawn(figure, name, alternative):
    """A picture as an image that stands in the page itself; its title and its note are texts of the page instead."""
    title, note = (" ".join(text.split()) for text in (figure.get_suptitle(), figure.get_supxlabel()))
    figure.suptitle("")
    figure.supxlabel("")
    # Letters as outlines look the same where the font is absent; as an image, an SVG can neither run nor fetch anything.
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    plt.close(figure)
    source = "data:image/svg+xml;base64," + b64encode(file.getvalue()).decode("ascii")
    return {"name": name, "source": source, "title": title, "note": note, "alternative": f"{title}. {alternative}"}


def read_file(warehouse, found, build, source):
    """What became of the rows of the customer or the order file, or None where the build had none."""
    name, accepted, table = FILES[source]
    if table not in found or build[accepted] is None:
        return None
    # What a shop does not count is left out as a matter of course, and is not refused; a build of before can be gone back to.
    has_left_out = warehouse.execute(HAS_LEFT_OUT.format(table=table)).fetchone()[0]
    refused = "not is_left_out" if has_left_out else "true"
    newest = "select max(ordered_at) from stg_orders" if source == "order" else "select null"
    return {
        "source": source,
        "name": build[name],
        "n_accepted": build[accepted],
        "n_rejected": warehouse.execute(f"select count(*) from {table} where {refused}").fetchone()[0],
        "newest": warehouse.execute(newest).fetchone()[0],
        "reasons": rows(warehouse, REASONS.format(table=table, condition=refused, limit=3)),
        "left_out": rows(warehouse, REASONS.format(table=table, condition="is_left_out", limit=10)) if has_left_out else [],
    }


def read_page(warehouse):
    """What the page says of the build as a whole."""
    found = found_tables(warehouse)
    build = rows(warehouse, BUILD)[0]
    # Builds of before there were these columns can be gone back to.
    build = dict.fromkeys(("orders_source_file", "restored_build_number", "not_segmented")) | build
    return {
        "build": build,
        "files": [file for source in FILES if (file := read_file(warehouse, found, build, source))],
        "obstacle": build["not_segmented"],  # why there are no segments from the orders
        "rfm_classes": rows(warehouse, RFM_CLASSES) if "rfm_class_profiles" in found else [],
        "rfm_cells": read_rfm_cells(warehouse),
    }


def read_chapter(tables, path):
    """All that the page says of one segmentation."""
    check_build(tables.connection, path)
    warehouse, prefix = tables.connection, tables.prefix

    def rows_if(table, query):
        """A segmentation may have no attributes or no orders, and a build of before there was the table can be gone back to."""
        return rows(warehouse, query) if table in tables.names else []

    segments, features = rows(warehouse, SEGMENTS), with_texts(warehouse)
    labels = {row["feature"]: row["label"] for row in rows(warehouse, LABELS)}
    return {
        "prefix": prefix,
        "basis": basis_of(tables),
        "overview": rows(warehouse, OVERVIEW)[0],
        "segments": segments,
        "gone": rows(warehouse, GONE),
        "features": grouped(features, "segment_id"),
        "attributes": grouped(rows_if("segment_attribute_profiles", ATTRIBUTES), "segment_id"),
        "statistics": described_attributes(rows_if("segment_attribute_statistics", STATISTICS)),
        "rules": {segment["segment_id"]: parsed(segment["rule"], labels) for segment in segments},
        "labels": list(labels.values()),
        "has_categories": any(row["is_level"] for row in features),
        "k_scores": rows(warehouse, K_SCORES),
        "drift": rows(warehouse, DRIFT),
        "joint_drift": rows(warehouse, JOINT_DRIFT),
        "advice": rows_if("feature_diagnostics", ADVICE),
        "values": grouped(rows_if("segment_values", VALUES), "basis"),
        "retention": grouped(rows_if("segment_retention", RETENTION), "basis"),
        "movers": rows_if("segment_movers", MOVERS),
        "data": read_segmentation(warehouse),
    }


def with_pictures(chapter):
    """The chapter with its pictures and the colours of its segments in place of the data that they are drawn from."""
    data = chapter.pop("data")
    alternatives = ALTERNATIVES | (ALTERNATIVES_OF_CATEGORIES if data.features["is_category"].any() else {})
    chapter["looks"] = data.segments["colour"].to_dict()
    chapter["pictures"] = [
        drawn(draw(data, default_pair(data.features)), draw.__name__, alternatives[draw.__name__]) for draw in pictures_of(data)
    ]
    return chapter


def number(value):
    return f"{value:,.15g}"


def whole(text):
    """The text of a number without the zeros that say nothing."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share, decimals=0):
    text = f"{share:.{decimals}%}"
    # Few are not none.
    return f"less than {10**-decimals:g}%" if share > 0 and float(text[:-1]) == 0 else text


def money(amount, decimals=0):
    return "" if amount is None else f"{amount:,.{decimals}f}"


def change(n):
    """A number with its sign; the minus is the long one."""
    return f"{n:+,}".replace("-", "\N{MINUS SIGN}") if n else "\N{PLUS-MINUS SIGN}0"


def listed(words):
    """Words in a row: north, south or east."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def label_of(name):
    """The name of a column as words."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def in_sentence(label):
    """A label within a sentence: its capital goes, unless the word is an abbreviation."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def page(about, chapters):
    filters = (number, whole, percent, money, change, label_of, in_sentence, plural, listed, grouped)
    return rendered("report.html.jinja", filters, chapters=chapters, **about)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--warehouse", type=Path, default=Path("warehouse.duckdb"), help="the file that dbt has built")
    parser.add_argument("--output", type=Path, default=Path("reports"), help="the folder for the report")
    arguments = parser.parse_args()

    path = arguments.warehouse
    print(f"Reading {path} ...", flush=True)
    with read_only(path) as warehouse:
        chapters = [read_chapter(tables, path) for tables in segmentations(warehouse, REPORT_TABLES)]
        about = read_page(warehouse)
    set_style(**{"svg.fonttype": "path"})
    with file_set(arguments.output, "report", like=path) as new:
        for chapter in chapters:
            print(f"Drawing the segments of {plural(chapter['overview']['n_customers'], 'customer')} ...", flush=True)
            with_pictures(chapter)
        cells = about.pop("rfm_cells")
        about["rfm_grid"] = drawn(rfm_grid(cells), "rfm_grid", ALTERNATIVES["rfm_grid"]) if about["rfm_classes"] else None
        (new / "index.html").write_text(page(about, chapters), encoding="utf-8")
    print(f"{arguments.output / 'index.html'}: the report, to be opened in a browser")


if __name__ == "__main__":
    main()
