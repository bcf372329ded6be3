"""Draw every segmentation that dbt has built, and the RFM grid, each picture as PNG and as SVG.

The warehouse is opened read-only and closed before the first picture is drawn. Joins, counts and sampling are SQL; a
function called draw_ takes frames and an Axes and returns the Axes. The same warehouse gives the same bytes.

    python scripts/render_plots.py --warehouse warehouse.duckdb --output reports
"""

import argparse
import itertools
import math
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from file_set import file_set
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter, SymmetricalLogLocator
from scipy.stats import yeojohnson
from warehouse import (
    ANY_OTHER,
    NOT_GIVEN,
    columns_of_features,
    found_tables,
    plural,
    quoted,
    read_only,
    segmentations,
    spread_features,
)

TABLES = [
    "customer_segments",
    "segment_profiles",
    "segment_feature_profiles",
    "k_scores",
    "segment_centroids",
    "segment_migrations",
    "segment_drift",
]
SAMPLE_SIZE = 10_000
SEED = 42  # of the sample that is drawn, not of the segmentation
MAX_PAIRS = 6  # of features in a picture; more would be too small to read
MAX_WIDE_PROFILES = 8  # features beside one another in the heat map; more stand below one another
# Levels of a category: on the axis of a picture, on one of the small ones in a grid, and in the table of colours.
MAX_LEVELS, MAX_GRID_LEVELS, MAX_PROFILE_LEVELS = 10, 5, 6
WIDTH = 10  # inches

# Twelve colours at least 13 apart in CIELAB, also to the colour-blind (three kinds, simulated after Machado, 2009), and
# thirteen shapes: no pair of both returns before the 157th segment.
COLOURS = (
    "#0173b2", "#de8f05", "#029e73", "#cc78bc", "#5a5a5a", "#880000",
    "#56b4e9", "#44dd66", "#331188", "#9977ff", "#552255", "#998844",
)  # fmt: skip
MARKERS = "osD^vPX*<>hdp"
STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that a picture looks alike everywhere
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.titlesize": 13,
    "figure.titleweight": "bold",
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "savefig.dpi": 150,
    "text.parse_math": False,  # the $ of k$ is text
    "svg.fonttype": "none",
    "svg.hashsalt": "segments",
}

# Where crowds without groups lie beside the curves: as far from them as the test for structure found them from the customers
# that it compares, who are not all of them.
K_SCORES = """
    select k, wcss, silhouette, is_used, verdict,
        wcss * exp(gap - first_value(gap) over (order by k)) as wcss_crowd,
        wcss_crowd * exp(-2 * gap_standard_error) as wcss_crowd_low,
        wcss_crowd * exp(2 * gap_standard_error) as wcss_crowd_high,
        silhouette + crowd_silhouette - compared_silhouette as silhouette_crowd,
        silhouette + crowd_silhouette_bound - compared_silhouette as silhouette_crowd_high,
        2 * silhouette_crowd - silhouette_crowd_high as silhouette_crowd_low,
        coalesce(list_contains(string_split(preferred_by, ', '), 'elbow'), false) as is_elbow
    from k_scores
    where model_version = (select max(model_version) from customer_segments)
    order by k
"""
SEGMENTS = "select segment_id, segment_name, n_customers, share from segment_profiles order by segment_id"
PROFILES = f"""
    select segment_id, feature, feature_order, name, feature_label as label, is_level, level, level_label, feature_mean,
        population_mean, mean_scaled, transform, transform_lambda, fill_value, mean, scale, centroid_scaled,
        centroid_in_own_unit as centroid
    from ({columns_of_features()})
    inner join segment_centroids using (segment_id, feature, feature_order)
    where model_version = (select max(model_version) from customer_segments)
"""
FEATURES = f"""
    select features.feature, any_value(features.label) as label, is_category, any_value(transform) as transform,
        row_number() over (order by spread desc, features.feature_order) <= 2 as is_default
    from ({spread_features()}) as features
    inner join ({PROFILES}) as profiles on features.feature = profiles.name
    group by features.feature, features.feature_order, is_category, spread
    order by features.feature_order
"""
# The levels that anybody has. Of yes and no one says it all.
LEVELS = f"""
    select feature, name, label, level, level_label, population_mean as share, var_pop(feature_mean) as spread,
        level_label = 'no' and count(*) over (partition by name) = 2 and bool_or(level_label = 'yes') over (partition by name)
            as is_mirrored
    from ({PROFILES})
    where is_level and population_mean > 0
    group by feature, feature_order, name, label, level, level_label, population_mean
    order by feature_order
"""
# Builds are told apart by their numbers, since a clock can be put back. A further segmentation may have missed the last one.
NEWEST_BUILD = "(select max_by(build_id, builds.build_number) from segment_migrations inner join builds using (build_id))"
# 0 stands for those who were, or are, in no segment.
MIGRATIONS = f"""
    select coalesce(from_segment_id, 0) as origin, coalesce(to_segment_id, 0) as destination, n_customers,
        n_customer_changed, n_model_changed + n_both_changed as n_model_changed,
        from_segment_id <> to_segment_id as is_move
    from segment_migrations
    where build_id = {NEWEST_BUILD}
"""
# Of several builds on a day the last one counts, or else the picture is all about trying things out.
SHARES = """
    select cast(builds.built_at as date) as day, segment_id, segment_drift.share
    from segment_drift
    inner join builds using (build_id)
    where segment_drift.n_customers > 0
    qualify builds.build_number = max(builds.build_number) over (partition by day)
    order by day, segment_id
"""
NAMES = """
    select segment_id, max_by(segment_name, builds.build_number) as segment_name
    from segment_drift
    inner join builds using (build_id)
    group by segment_id
    order by segment_id
"""
# Every cell of the grid of RFM scores, also those that nobody is in.
RFM_CELLS = """
    select recency_score, frequency_monetary_score, any_value(rfm_classes.rfm_class) as rfm_class,
        count(rfm_scores.recency_score) as n_customers, min(recency_days) as lowest_days, max(recency_days) as highest_days
    from rfm_classes
    left join rfm_scores using (recency_score, frequency_monetary_score)
    group by recency_score, frequency_monetary_score
    order by recency_score, frequency_monetary_score
"""
# Customers who were erased since the last dbt build are still in its sums.
ERASED = f"""
    select coalesce(sum(n_customers_erased), 0)
    from builds
    where build_number > (select build_number from builds where build_id = {NEWEST_BUILD})
"""
# Tables of different builds, as an interrupted one leaves them, do not fit together.
IS_FINISHED = f"""
    select count(*) > 0
        and (select sum(n_customers) from segment_profiles) between count(*) and count(*) + ({ERASED})
        and not exists (select segment_id from customer_segments except select segment_id from segment_profiles)
        and not exists (select segment_id from segment_profiles except select segment_id from ({PROFILES}))
        and (select bool_or(is_used) from ({K_SCORES}))
    from customer_segments
"""
# In the order of a hash no segment is drawn on top of the others. DuckDB's own hash, which is cheaper, chooses those who come
# into question: all, or of a large table twenty times as many as are drawn.
CUSTOMERS = """
    select segment_id, {values}
    from customer_segments
    where hash({key}) % {step} = 0
    order by md5(concat({key}, ' {seed}'))
    limit {limit}
"""


@dataclass(frozen=True)
class Segmentation:
    k_scores: pd.DataFrame
    segments: pd.DataFrame  # by number, with the colour, marker and label of each
    features: pd.DataFrame  # by name, in the order of the configuration
    levels: pd.DataFrame  # of all categories, in the order of the model
    profiles: pd.DataFrame  # by segment and column of the model: a number or a level
    centroids: pd.DataFrame  # a column per feature; of a category the commonest level of the segment
    migrations: pd.DataFrame  # of the newest build, by origin and destination
    shares: pd.DataFrame  # by day and segment
    names: dict  # of all segments that ever were, by number
    customers: pd.DataFrame  # all or a sample
    scaled: pd.DataFrame  # the same customers as the model sees them: by its columns, in its scale


def wrapped(text, width, max_lines=3):
    return textwrap.fill(text, width, max_lines=max_lines, placeholder=" …")


def check_build(warehouse, path):
    found = found_tables(warehouse)
    if missing := [table for table in [*TABLES, "builds"] if table not in found]:
        raise SystemExit(f"{path} has no table {', '.join(missing)}; run dbt build first, and to its end")
    if not warehouse.execute(IS_FINISHED).fetchone()[0]:
        raise SystemExit(f"{path} does not hold a finished build: its tables do not fit together; run dbt build")


def read_segmentation(warehouse):
    segments = warehouse.execute(SEGMENTS).df().set_index("segment_id")
    segments["colour"] = [COLOURS[position % len(COLOURS)] for position in range(len(segments))]
    segments["marker"] = [MARKERS[position % len(MARKERS)] for position in range(len(segments))]
    labels = segments["segment_name"].map(lambda name: wrapped(name, 30))
    # Long names that begin alike are told apart by their numbers.
    alike = labels.duplicated(keep=False)
    segments["label"] = labels.where(
        ~alike, [wrapped(f"{number}: {name}", 30) for number, name in segments["segment_name"].items()]
    )
    features = warehouse.execute(FEATURES).df().set_index("feature")
    profiles = warehouse.execute(PROFILES).df()
    key = warehouse.execute("select * from customer_segments limit 0").description[0][0]
    columns = [quoted(feature) for feature in features.index]
    step = max(1, int(segments["n_customers"].sum()) // (20 * SAMPLE_SIZE))
    gaps = ", ".join(f"count(*) - count({column})" for column in columns)
    features["n_missing"] = warehouse.execute(f"select {gaps} from customer_segments").fetchone()
    # Who has no value has a level of its own.
    features["n_missing"] = features["n_missing"].where(~features["is_category"], 0)
    types = features["is_category"].map({True: "varchar", False: "double"})
    values = ", ".join(f"cast({column} as {kind}) as {column}" for column, kind in zip(columns, types, strict=True))
    customers = CUSTOMERS.format(values=values, key=quoted(key), step=step, seed=SEED, limit=SAMPLE_SIZE)
    customers = warehouse.execute(customers).df()
    levels = warehouse.execute(LEVELS).df()
    centroids = profiles[~profiles["is_level"]].pivot(index="segment_id", columns="feature", values="centroid")
    for name, known in levels.groupby("name"):
        words = dict(zip(known["level"], known["level_label"], strict=True))
        customers[name] = customers[name].fillna("(missing)").map(words).fillna(ANY_OTHER)
        shares = profiles[profiles["name"] == name].pivot(index="segment_id", columns="level_label", values="feature_mean")
        centroids[name] = shares.idxmax(axis=1)
    return Segmentation(
        k_scores=warehouse.execute(K_SCORES).df(),
        segments=segments,
        features=features,
        levels=levels,
        profiles=profiles,
        centroids=centroids.reset_index(),
        migrations=warehouse.execute(MIGRATIONS).df(),
        shares=warehouse.execute(SHARES).df(),
        names=dict(warehouse.execute(NAMES).fetchall()),
        customers=customers,
        scaled=scaled_customers(customers, profiles.drop_duplicates("feature").sort_values("feature_order")),
    )


def scaled_customers(customers, columns):
    """The customers as the model sees them: by its `columns`, transformed, a level as 0 or 1, and in its scale."""
    scaled = {}
    for column in columns.itertuples():
        if column.is_level:
            values = customers[column.name].eq(column.level_label).astype(float)
        else:
            values = customers[column.feature].fillna(column.fill_value)
        if column.transform == "log1p":
            values = np.log1p(values)
        elif column.transform == "yeo-johnson":
            values = yeojohnson(values, lmbda=column.transform_lambda)
        scaled[column.feature] = (values - column.mean) / column.scale
    return pd.DataFrame(scaled).fillna(0)


def read_rfm_cells(warehouse):
    """The grid of RFM classes, None where the build has no orders."""
    tables = warehouse.execute("select table_name from information_schema.tables").fetchall()
    return warehouse.execute(RFM_CELLS).df() if ("rfm_scores",) in tables else None


def default_pair(features):
    """The two features that part the segments most, or the only one."""
    return list(features.index[features["is_default"]])


def chosen_pairs(found, wanted):
    """{prefix: the features of the picture `segments`}: those of the command line for a segmentation that has them."""
    if wanted and wanted[0] == wanted[1]:
        raise SystemExit("--features needs two different features")
    known = {prefix: data.features for prefix, data in found.items()}
    pairs = {
        prefix: wanted if wanted and set(wanted) <= set(features.index) else default_pair(features)
        for prefix, features in known.items()
    }
    if wanted and wanted not in pairs.values():
        names = list(dict.fromkeys(name for features in known.values() for name in features.index))
        absent = next((name for name in wanted if name not in names), None)
        reason = f"{absent} is not a feature" if absent else f"{' and '.join(wanted)} are of different segmentations"
        raise SystemExit(f"{reason}; the features are {', '.join(names)}")
    return pairs


def levels_on_axis(data, feature, size):
    """The levels of a category in words, the commonest first; at the end those without a value, and all others together."""
    known = data.levels[data.levels["name"] == feature].sort_values("share", ascending=False, kind="stable")["level_label"]
    named = [level for level in known if level not in (NOT_GIVEN, ANY_OTHER)]
    most = MAX_LEVELS if size == 1 else MAX_GRID_LEVELS
    return named[:most] + [end for end in (NOT_GIVEN, ANY_OTHER) if end in set(known) or (end == ANY_OTHER and len(named) > most)]


def places_on_axis(values, levels):
    """Where each of the values stands: the levels at 0, 1, 2 and so on, and what is none of them at the last one."""
    return values.map({level: place for place, level in enumerate(levels)}).fillna(len(levels) - 1)


def in_lanes(data, rows, feature, levels, width):
    """Places of customers or centroids at their levels: each segment has a lane there, and its customers are strewn over it."""
    lanes = rows["segment_id"].map({segment_id: lane for lane, segment_id in enumerate(data.segments.index)})
    strewn = width * np.random.default_rng(SEED).uniform(-0.5, 0.5, len(rows))
    return places_on_axis(rows[feature], levels) + 0.8 * ((lanes + 0.5 + strewn) / len(data.segments) - 0.5)


def draw_scores(scores, column, title, label, ax):
    if scores[f"{column}_crowd"].notna().any():
        ax.fill_between(scores["k"], scores[f"{column}_crowd_low"], scores[f"{column}_crowd_high"], color="#f0e2c8", linewidth=0)
        ax.plot(
            scores["k"], scores[f"{column}_crowd"], color="#c9a45c", linewidth=1.2, linestyle=":", label="a crowd without groups"
        )
    ax.plot(scores["k"], scores[column], color="#5a5a5a", marker="o", markersize=4, linewidth=1.5)
    is_elbow = scores["is_elbow"] & ~scores["is_used"]
    for marked, colour, words in ((is_elbow, "#b0b0b0", "elbow"), (scores["is_used"], COLOURS[0], "in use")):
        for k, score in scores.loc[marked, ["k", column]].itertuples(index=False):
            ax.axvline(k, color=colour, linestyle="--", linewidth=1.2, zorder=0)
            ax.plot(k, score, color=colour, marker="o", markersize=10, linestyle="none", label=f"k = {k}, {words}")
    ax.set(title=title, xlabel="Number of segments k", ylabel=label)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax


def scale_axis(ax, axis, feature):
    """Scale an axis as the segments were formed. Both axes are scaled before the limits of one are read, which settles both."""
    if feature["transform"] == "log1p":
        getattr(ax, f"set_{axis}scale")("function", functions=(np.log1p, np.expm1))


def name_axis(ax, axis, feature, width):
    ax.set(**{f"{axis}label": wrapped(feature["label"], width)})
    if feature["transform"] == "log1p":
        low, high = getattr(ax, f"get_{axis}lim")()
        # Ticks at 0, 10, 100 and so on; where that makes few of them, at 2 and 5 between as well.
        linthresh, subs = (10, [1]) if high > 100 * max(low, 1) else (1, [1, 2, 5])
        locator = SymmetricalLogLocator(base=10, linthresh=linthresh, subs=subs)
        locator.set_params(numticks=max(3, width // 6))
        getattr(ax, f"{axis}axis").set_major_locator(locator)
    getattr(ax, f"{axis}axis").set_major_formatter("{x:,.10g}")


def name_levels(ax, axis, feature, levels, width):
    """Label an axis of levels, with lines between them; below, long words stand upright."""
    names = [wrapped(level, 22, max_lines=2) for level in levels]
    is_upright = axis == "x" and max(map(len, levels)) * len(levels) > 1.5 * width
    getattr(ax, f"set_{axis}ticks")(range(len(levels)), names, rotation=90 if is_upright else 0)
    getattr(ax, f"set_{axis}lim")(*((-0.6, len(levels) - 0.4) if axis == "x" else (len(levels) - 0.4, -0.6)))
    ax.tick_params(axis=axis, length=0)
    draw_line = ax.axvline if axis == "x" else ax.axhline
    for border in range(1, len(levels)):
        draw_line(border - 0.5, color="#dddddd", linewidth=0.8, zorder=0)
    ax.set(**{f"{axis}label": wrapped(feature["label"], width)})


def draw_customers(data, x, y, ax, size=1.0, label_width=50):
    """Customers by two features, of which one may be a category."""
    customers, centroids = data.customers, data.centroids
    levels = {feature: levels_on_axis(data, feature, size) for feature in (x, y) if data.features["is_category"][feature]}
    for feature, of_axis in levels.items():
        customers = customers.assign(**{feature: in_lanes(data, customers, feature, of_axis, width=0.8)})
        centroids = centroids.assign(**{feature: in_lanes(data, centroids, feature, of_axis, width=0)})
    looks = {"x": x, "y": y, "hue": "segment_id", "style": "segment_id", "legend": False, "ax": ax}
    looks |= {"palette": data.segments["colour"].to_dict(), "markers": data.segments["marker"].to_dict()}
    area = size * np.interp(len(customers), [200, SAMPLE_SIZE], [45, 12])
    # Thousands of shapes make an SVG slow to open: they become an image inside it.
    rasterized = len(customers) > 2_000
    sns.scatterplot(customers, s=area, alpha=0.6, linewidth=0, rasterized=rasterized, **looks)
    sns.scatterplot(centroids, s=190 * size, edgecolor="black", linewidth=1.5, zorder=3, **looks)
    for axis, feature in (("x", x), ("y", y)):
        scale_axis(ax, axis, data.features.loc[feature])
    for axis, feature in (("x", x), ("y", y)):
        if feature in levels:
            name_levels(ax, axis, data.features.loc[feature], levels[feature], label_width)
        else:
            name_axis(ax, axis, data.features.loc[feature], label_width)
    return ax


def draw_bars(data, x, y, ax, size=1.0, label_width=50):
    """Customers by two categories: where two levels meet, a bar as long as they are many, in the colours of their segments."""
    levels = {feature: levels_on_axis(data, feature, size) for feature in (x, y)}
    places = {feature: places_on_axis(data.customers[feature], levels[feature]) for feature in (x, y)}
    counts = data.customers.groupby([places[x], places[y], "segment_id"]).size().rename("n").reset_index()
    totals = counts.groupby([x, y])["n"]
    unit = 0.72 / totals.sum().max()
    starts = counts[x] - 0.45 + unit * (totals.cumsum() - counts["n"])
    colours = counts["segment_id"].map(data.segments["colour"])
    ax.barh(counts[y], unit * counts["n"], left=starts, height=0.6, color=colours, linewidth=0)
    if size == 1:
        for (column, row), n in totals.sum().items():
            words = in_percent(n / len(data.customers))
            ax.text(column - 0.43 + unit * n, row, words, va="center", fontsize=9, color="#444444")
    name_levels(ax, "x", data.features.loc[x], levels[x], label_width)
    name_levels(ax, "y", data.features.loc[y], levels[y], label_width)
    return ax


def draw_pair(data, x, y, ax, **options):
    draw = draw_bars if data.features["is_category"][[x, y]].all() else draw_customers
    return draw(data, x, y, ax, **options)


def draw_level_sizes(data, feature, ax):
    """One category alone: a bar per level, in the colours of the segments."""
    levels = levels_on_axis(data, feature, 1)
    counts = (
        data.customers.groupby([places_on_axis(data.customers[feature], levels), "segment_id"]).size().rename("n").reset_index()
    )
    starts = counts.groupby(feature)["n"].cumsum() - counts["n"]
    ax.barh(
        counts[feature],
        counts["n"],
        left=starts,
        height=0.6,
        color=counts["segment_id"].map(data.segments["colour"]),
        linewidth=0,
    )
    name_levels(ax, "y", data.features.loc[feature], levels, 50)
    ax.set(xlabel="Customers")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    return ax


def draw_distribution(data, feature, ax):
    """One feature alone: the customers in bars, the centroids on the axis."""
    if data.features["is_category"][feature]:
        return draw_level_sizes(data, feature, ax)
    scale_axis(ax, "x", data.features.loc[feature])
    looks = {"hue": "segment_id", "palette": data.segments["colour"].to_dict(), "legend": False}
    sns.histplot(data.customers, x=feature, multiple="stack", ax=ax, **looks)
    for row, centroid in zip(data.segments.itertuples(), data.centroids[feature], strict=True):
        ax.plot(centroid, 0, row.marker, color=row.colour, markeredgecolor="black", markersize=13, clip_on=False)
    name_axis(ax, "x", data.features.loc[feature], 50)
    ax.set(ylabel="Customers")
    return ax


def in_percent(share):
    return f"{share:.0%}" if share == 0 or share >= 0.005 else "<1%"


def rounded(means):
    """The means of a feature, with as many decimals as give the largest of them three significant digits."""
    largest = means.abs().max()
    decimals = min(max(2 - math.floor(math.log10(largest)), 0), 6) if largest > 0 else 0
    return means.map(lambda mean: "" if pd.isna(mean) else f"{mean:,.{decimals}f}")


def profiled_columns(data):
    """The numbers, and of each category the levels in which the segments differ most: by column of the model, in its order."""
    columns = data.profiles.drop_duplicates("feature").set_index("feature").sort_values("feature_order")
    levels = data.levels[~data.levels["is_mirrored"]].sort_values("spread", ascending=False, kind="stable")
    chosen = levels.groupby("name").head(MAX_PROFILE_LEVELS)["feature"]
    columns = columns[~columns["is_level"] | columns.index.isin(chosen)]
    ends = columns["level_label"].where(columns["level_label"].isin([NOT_GIVEN, ANY_OTHER]))
    labels = data.features["label"].reindex(columns["name"]).to_numpy()
    return columns.assign(label=columns["label"].where(ends.isna(), labels + ": " + ends))


def is_upright(data):
    """Whether the segments are columns of the heat map: features are many, or categories, whose levels have long names."""
    return bool(len(data.levels)) or len(data.features) > MAX_WIDE_PROFILES


def draw_profiles(data, ax):
    """Rows are segments, or columns where that is upright."""
    columns = profiled_columns(data)
    table = data.profiles.pivot(index="segment_id", columns="feature")
    scaled = table["mean_scaled"][columns.index]
    is_level = columns["is_level"].astype(bool)
    # A rare level can lie so far from the average that nothing else would have a colour beside it.
    deviations = scaled.abs().max()
    limit = max(1, deviations.mask(is_level, deviations.clip(upper=2)).max())
    shares = [name for name in columns.index if is_level[name]]
    means = table["feature_mean"][columns.index]
    means = means.apply(lambda of_column: of_column.map(in_percent) if of_column.name in shares else rounded(of_column))
    words = "Standard deviations from the average\nof all customers"
    looks = {
        "cmap": "vlag",
        "vmin": -limit,
        "vmax": limit,
        "linewidths": 2,
        "cbar_kws": {"label": words, "aspect": 30, "pad": 0.02},
    }
    if not is_upright(data):
        sns.heatmap(scaled, annot=means, fmt="", yticklabels=data.segments["label"], ax=ax, **looks)
        ax.set_xticklabels([wrapped(label, 16) for label in columns["label"]])
    else:
        labels = [wrapped(label, 44, max_lines=2) for label in columns["label"]]
        sns.heatmap(scaled.T, annot=means.T, fmt="", yticklabels=labels, ax=ax, **looks)
        ax.set_xticklabels(
            [wrapped(name, 16 if len(data.segments) < 8 else 12, max_lines=7) for name in data.segments["segment_name"]]
        )
        ax.xaxis.tick_top()
        for row in np.flatnonzero(columns["name"].to_numpy()[1:] != columns["name"].to_numpy()[:-1]):
            if is_level.iloc[row] or is_level.iloc[row + 1]:
                ax.axhline(row + 1, color="#5a5a5a", linewidth=0.8)
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0, labelrotation=0)
    return ax


def draw_sizes(data, ax):
    places = range(len(data.segments))
    bars = ax.barh(places, data.segments["n_customers"], color=data.segments["colour"], height=0.7)
    ax.bar_label(bars, [f"{row.n_customers:,} ({row.share:.1%})" for row in data.segments.itertuples()], padding=5)
    ax.set_yticks(places, data.segments["label"])
    ax.invert_yaxis()
    ax.margins(x=0.18, y=0.02)
    ax.set(xlabel="Customers")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.tick_params(axis="y", length=0)
    return ax


def draw_migrations(data, ax):
    """Rows are where customers were, columns where they are now, coloured by the share of the row."""
    table = data.migrations.pivot_table(index="origin", columns="destination", values="n_customers", fill_value=0, sort=True)
    table = table[[number for number in table if number] + [number for number in table if not number]]
    shares = table.div(table.sum(axis=1), axis=0)
    texts = table.map(lambda n: f"{n:,.0f}" if n else "")
    looks = {"cmap": "Blues", "vmin": 0, "vmax": 1, "linewidths": 2, "cbar_kws": {"label": "Share of the row", "aspect": 30}}
    # Below many columns there is room for their numbers only.
    has_numbers = len(table.columns) > 8
    rows = {number: f"{number}: {name}" if has_numbers else name for number, name in data.names.items()}
    columns = dict.fromkeys(rows, "") if has_numbers else data.names
    labels = [wrapped(rows.get(number, "Joined"), 30) for number in table.index]
    sns.heatmap(shares, annot=texts, fmt="", yticklabels=labels, ax=ax, **looks)
    ax.set_xticklabels([wrapped(columns.get(number, "Left"), 14, max_lines=5) or number for number in table])
    ax.set(xlabel="Now", ylabel="In the last build")
    ax.tick_params(length=0, labelrotation=0)
    return ax


def draw_share(data, segment_id, ax):
    """The share of a segment over time, before those of all others in grey."""
    for number, line in data.shares.groupby("segment_id"):
        if number != segment_id:
            ax.plot(line["day"], line["share"], color="#d0d0d0", linewidth=0.8, zorder=1)
    line, colour = data.shares[data.shares["segment_id"] == segment_id], data.segments["colour"][segment_id]
    ax.plot(line["day"], line["share"], color=colour, linewidth=2)
    ax.plot(line["day"].iloc[-1:], line["share"].iloc[-1:], "o", color=colour)
    began, ended = line["share"].iloc[[0, -1]]
    ax.set_title(f"{data.segments['label'][segment_id]}\nfrom {began:.1%} to {ended:.1%}", loc="left", fontsize=9)
    ax.set(ylim=(0, 1.08 * data.shares["share"].max()))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    days = data.shares["day"].agg(["min", "max"])
    ax.set_xticks(days, [f"{day:%Y-%m-%d}" for day in days])
    for text, side in zip(ax.get_xticklabels(), ("left", "right"), strict=True):
        text.set_horizontalalignment(side)
    return ax


def finish(figure, title, note="", title_width=90):
    figure.suptitle(wrapped(title, title_width), x=0.01, ha="left")
    figure.supxlabel(wrapped(note, 130, max_lines=8), x=0.01, ha="left", fontsize=9, color="#444444")
    return figure


def legend_height(data):
    """In inches: every segment takes the lines of its name and one for its size."""
    return sum(0.16 * (label.count("\n") + 2) + 0.12 for label in data.segments["label"])


def explained_marks(data, shown):
    """What markers and bars stand for, and which levels have no place of their own."""
    is_category = data.features["is_category"][shown]
    words = "" if is_category.all() else "Large markers: centroids of the segments."
    if is_category.any() and not is_category.all():
        words = "Large markers: centroids of the segments, at the commonest value of each."
    if is_category.sum() > 1 or is_category.all():
        words += " Bars: customers, in the colours of their segments."
    if is_category.sum() == len(shown) == 2:
        words += " Per cent: of all customers."
    size = 1 if len(shown) < 3 else 0
    cut = [
        name
        for name in is_category.index[is_category]
        if len(levels_on_axis(data, name, size)) < (data.levels["name"] == name).sum()
    ]
    if cut:
        words += f" Of {' and '.join(data.features['label'][cut])} the commonest values; “{ANY_OTHER}” are all others."
    return words.strip()


def finish_customers(figure, data, shown, where=None, note="", empty=None):
    """Title, legend of the segments, on the right or in `empty` Axes, and a note of what the picture leaves out."""
    rows = list(data.segments.itertuples())
    (empty or figure).legend(
        [Line2D([], [], color=row.colour, marker=row.marker, markersize=9, linestyle="none") for row in rows],
        [f"{row.label}\n{row.n_customers:,} ({row.share:.1%})" for row in rows],
        loc="center left" if empty else "outside right upper",
        labelspacing=0.8,
    )
    n_customers = data.segments["n_customers"].sum()
    sample = f"A sample of {SAMPLE_SIZE:,} of" if n_customers > SAMPLE_SIZE else "All"
    note = f"{note} {explained_marks(data, shown)} {sample} {plural(n_customers, 'customer')}.".strip()
    gaps = [f"{row.n_missing:,} in {row.label}" for row in data.features.loc[shown].itertuples() if row.n_missing]
    if gaps:
        note += f" Without a value, and so left out: {', '.join(gaps)}, of {plural(n_customers, 'customer')}."
    if len(shown) < len(data.features):
        note += (
            f" The segments are formed from {len(data.features)} features: where they overlap here, another one tells them apart."
        )
    where = where or f"by {' and '.join(data.features['label'][shown])}"
    return finish(figure, f"{plural(len(rows), 'segment')} {where}", note, title_width=66)


def elbow(data, pair):
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 5))
    draw_scores(data.k_scores, "wcss", "Spread within segments: less is better", "WCSS, in scaled units", left)
    draw_scores(data.k_scores, "silhouette", "Separation of segments: more is better", "Silhouette, -1 to 1", right)
    left.yaxis.set_major_formatter("{x:,.10g}")
    left.legend(frameon=True, framealpha=1, edgecolor="white")  # lines pass behind it
    used = data.k_scores["k"][data.k_scores["is_used"]].iloc[0]
    title = f"{plural(used, 'segment')} in use"
    # A curve over fewer than three k has no elbow.
    for preferred in data.k_scores["k"][data.k_scores["is_elbow"]]:
        title += ", where the curve has its elbow" if used == preferred else f"; the elbow of the curve is at {preferred}"
    return finish(figure, title, data.k_scores["verdict"].iloc[0])


def segments(data, pair):
    n_levels = {name: len(levels_on_axis(data, name, 1)) for name in pair if data.features["is_category"][name]}
    # Names of levels are read more easily beside an axis than below it.
    pair = sorted(pair, key=lambda name: n_levels.get(name, 0)) if n_levels else pair
    height = max(6, 0.8 + legend_height(data), 1.5 + 0.5 * n_levels.get(pair[-1], 0))
    figure, ax = plt.subplots(figsize=(WIDTH, height))
    draw = draw_pair if len(pair) == 2 else draw_distribution
    draw(data, *pair, ax)
    return finish_customers(figure, data, pair)


def pairs_told_apart(data):
    """{(x, y): the share of the customers who by these two features alone are nearest to the centre of their own segment}."""
    centres = data.profiles.pivot(index="segment_id", columns="feature", values="centroid_scaled")
    names = data.profiles.drop_duplicates("feature").set_index("feature")["name"]
    # A customer's squared distance from each centre is a sum over the features.
    distances = {
        feature: sum(
            (data.scaled[column].to_numpy()[:, None] - centres[column].to_numpy()) ** 2
            for column in names.index[names == feature]
        )
        for feature in data.features.index
    }
    own = centres.index.get_indexer(data.customers["segment_id"])
    return {(x, y): ((distances[x] + distances[y]).argmin(axis=1) == own).mean() for x, y in itertools.combinations(distances, 2)}


def segment_pairs(data, pair):
    told_apart = pairs_told_apart(data)
    shown = sorted(told_apart, key=told_apart.get, reverse=True)[:MAX_PAIRS]
    # A place of the grid that is left over has room for a short legend.
    has_room = len(shown) % 2 == 1 and legend_height(data) < 3.5
    n_rows = (len(shown) + 1) // 2
    figure, axes = plt.subplots(n_rows, 2, figsize=(WIDTH, max(3.6 * n_rows, 0.8 + legend_height(data))))
    for ax, (x, y) in zip(axes.flat, shown, strict=False):
        draw_pair(data, x, y, ax, size=0.5, label_width=30)
        ax.set_title(f"{in_percent(told_apart[x, y])} told apart", fontsize=10)
    for ax in axes.flat[len(shown) :]:
        ax.set_axis_off()
    features = list(dict.fromkeys(feature for pair in shown for feature in pair))
    where = f"in every pair of {len(data.features)} features"
    if len(shown) < len(told_apart):
        where = f"in {len(shown)} pairs of {len(data.features)} features: those that tell most apart"
    note = "Told apart: so many customers would be in their own segment by these two features alone."
    return finish_customers(figure, data, features, where, note, axes.flat[-1] if has_room else None)


def principal_components(data):
    """The two directions in which customers differ most, as (their weights of the columns, the share of the differences in each).

    The largest weight of each is positive, so that a picture does not turn around.
    """
    values, vectors = np.linalg.eigh(np.cov(data.scaled.to_numpy(), rowvar=False))
    weights = pd.DataFrame(vectors[:, :-3:-1], index=data.scaled.columns)
    largest = weights.abs().idxmax()
    signs = [np.sign(weights.loc[column, place]) for place, column in largest.items()]
    return weights * signs, values[:-3:-1] / values.sum()


def name_component(weights, share, labels):
    """What a direction is made of: the columns with at least half the largest weight, at most three up and three down."""
    strong = weights[weights.abs() >= weights.abs().max() / 2].sort_values(key=abs, ascending=False, kind="stable")
    ends = {"more": strong[strong > 0], "less": strong[strong < 0]}
    words = "; ".join(f"{end} {', '.join(labels[found.index[:3]])}" for end, found in ends.items() if len(found))
    return f"{words[:1].upper()}{words[1:]} ({in_percent(share)} of the differences)"


def projection(data, pair):
    """The customers in the plane of the first two principal components."""
    weights, shares = principal_components(data)
    centres = data.profiles.pivot(index="segment_id", columns="feature", values="centroid_scaled")[data.scaled.columns]
    columns = data.profiles.drop_duplicates("feature").set_index("feature")
    labels = columns["label"] + (": " + columns["level_label"]).where(columns["is_level"].astype(bool), "")
    x, y = (name_component(weights[place], shares[place], labels) for place in (0, 1))
    plane = replace(
        data,
        customers=(data.scaled @ weights).set_axis([x, y], axis=1).assign(segment_id=data.customers["segment_id"]),
        centroids=(centres @ weights).set_axis([x, y], axis=1).reset_index(),
        features=pd.DataFrame({"label": [x, y], "is_category": False, "transform": "none", "n_missing": 0}, index=[x, y]),
    )
    figure, ax = plt.subplots(figsize=(WIDTH, max(6.5, 0.8 + legend_height(data))))
    draw_customers(plane, x, y, ax, label_width=75)
    note = (
        f"The two directions in which customers differ most (principal components) hold {in_percent(sum(shares))} of their "
        "differences; they are named by the features that count most. Segments that overlap here may lie apart in another one."
    )
    return finish_customers(figure, plane, [x, y], f"in a projection of {len(data.features)} features", note)


def profiles(data, pair):
    if is_upright(data):
        width = 1.1 if len(data.segments) < 8 else 0.8
        size = (max(WIDTH, 3.5 + width * len(data.segments)), max(4, 2.6 + 0.36 * len(profiled_columns(data))))
    else:
        size = (max(WIDTH, 4.5 + 1.1 * len(data.features)), max(4, 2 + 0.6 * len(data.segments)))
    figure, ax = plt.subplots(figsize=size)
    draw_profiles(data, ax)
    note = "Numbers: mean of the segment in the feature's own unit." if not data.features["is_category"].all() else ""
    if (data.features["transform"] == "log1p").any():
        note += " Colours: after the logarithm, for the features that are segmented by it."
    if len(data.levels):
        note += " Per cent: how many of the segment have the value."
    for name, known in data.levels.groupby("name", sort=False):
        if len(known) > MAX_PROFILE_LEVELS:
            words = f"the {MAX_PROFILE_LEVELS} of {len(known)} values in which the segments differ most"
            note += f" {data.features['label'][name]}: {words}."
    return finish(figure, "How each segment differs from the average customer", note.strip())


def sizes(data, pair):
    figure, ax = plt.subplots(figsize=(WIDTH, 1.5 + 0.55 * len(data.segments)))
    draw_sizes(data, ax)
    largest = data.segments.loc[data.segments["n_customers"].idxmax()]
    total = plural(data.segments["n_customers"].sum(), "customer")
    title = f'The largest segment, "{wrapped(largest.segment_name, 50)}", has {largest.share:.0%} of {total}'
    return finish(figure, title)


def migrations(data, pair):
    moves = data.migrations[data.migrations["is_move"].fillna(False).astype(bool)]
    figure, ax = plt.subplots(figsize=(WIDTH, max(4.5, 2.5 + 0.6 * data.migrations["origin"].nunique())))
    draw_migrations(data, ax)
    note = (
        f"Of those who moved from segment to segment, {moves['n_customer_changed'].sum():,.0f} changed themselves under the same "
        f"model, and {moves['n_model_changed'].sum():,.0f} moved because the model changed. Numbers: customers."
    )
    title = f"{plural(int(moves['n_customers'].sum()), 'customer')} moved between segments in the last build"
    return finish(figure, title, note)


def shares(data, pair):
    """A panel for each segment; lines in one would be too many to follow."""
    n_columns = min(3, len(data.segments))
    n_rows = math.ceil(len(data.segments) / n_columns)
    figure, axes = plt.subplots(n_rows, n_columns, figsize=(WIDTH, 1.2 + 2.4 * n_rows), sharey=True, squeeze=False)
    for ax, segment_id in itertools.zip_longest(axes.flat, data.segments.index):
        if segment_id is None:
            ax.set_axis_off()
        else:
            draw_share(data, segment_id, ax)
    gone = data.shares[~data.shares["segment_id"].isin(data.segments.index)].groupby("segment_id")["day"].max()
    note = "Grey: the other segments"
    if len(gone):
        note += ", also those that are no more: " + "; ".join(
            f"{data.names[number]} (until {day:%Y-%m-%d})" for number, day in gone.items()
        )
    n_days = data.shares["day"].nunique()
    figure.supylabel("Share of all customers", fontsize=10)
    return finish(
        figure,
        f"Size of the segments over {plural(n_days, 'day')} with a build",
        f"{note}. Of several builds on one day the last is shown.",
    )


def draw_rfm_grid(cells, ax):
    """Cells coloured by their share of all customers, and fenced where the class changes; the most recent customers on top."""
    cells = cells.assign(share=cells["n_customers"] / cells["n_customers"].sum())
    cells["text"] = [f"{wrapped(cell.rfm_class, 14)}\n{cell.n_customers:,}\n({cell.share:.1%})" for cell in cells.itertuples()]
    table = cells.pivot(index="recency_score", columns="frequency_monetary_score").sort_index(ascending=False)
    looks = {"cmap": "Blues", "vmin": 0, "linewidths": 1, "cbar_kws": {"label": "Share of all customers", "aspect": 30}}
    sns.heatmap(table["share"], annot=table["text"], fmt="", annot_kws={"linespacing": 1.4}, ax=ax, **looks)
    ax.collections[0].colorbar.ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    classes = table["rfm_class"].to_numpy()
    for row, column in np.argwhere(classes[:, 1:] != classes[:, :-1]):
        ax.plot([column + 1, column + 1], [row, row + 1], color="#333333", linewidth=2)
    for row, column in np.argwhere(classes[1:] != classes[:-1]):
        ax.plot([column, column + 1], [row + 1, row + 1], color="#333333", linewidth=2)
    days = zip(table["lowest_days"].min(axis=1), table["highest_days"].max(axis=1), strict=True)
    words = ["nobody" if pd.isna(lowest) else f"{lowest:,.0f} to {highest:,.0f} days" for lowest, highest in days]
    ax.set_yticklabels([f"{score}\n{bounds}" for score, bounds in zip(table.index, words, strict=True)])
    ax.set(xlabel="Score of purchases: 5 buys most", ylabel="Score of recency: 5 bought last")
    ax.tick_params(length=0, labelrotation=0)
    return ax


def rfm_grid(cells):
    figure, ax = plt.subplots(figsize=(WIDTH, 7))
    draw_rfm_grid(cells, ax)
    sizes = cells.groupby("rfm_class")["n_customers"].sum()
    share, total = sizes.max() / sizes.sum(), plural(sizes.sum(), "customer")
    title = f'The largest class, "{wrapped(sizes.idxmax(), 40)}", has {share:.0%} of {total} with orders'
    note = "Equal customers have equal scores. The table rfm_score_thresholds says which values get which score."
    return finish(figure, title, note)


def save(figure, new, output, picture):
    """Write a picture to the folder `new`, and say which place in `output` it takes."""
    figure.savefig(new / f"{picture}.png")
    figure.savefig(new / f"{picture}.svg", metadata={"Date": None})
    plt.close(figure)
    print(f"{output / picture}.png, .svg", flush=True)


PICTURES = (sizes, segments, profiles, segment_pairs, projection, migrations, shares, elbow)


def pictures_of(data):
    """The functions of PICTURES that have something to show of this segmentation."""
    has_something = {
        segment_pairs: len(data.features) > 2,
        projection: math.comb(len(data.features), 2) > MAX_PAIRS,  # where not every pair is shown
        migrations: (data.migrations["origin"] > 0).any(),  # not in the first build
        shares: data.shares["day"].nunique() > 1,
    }
    return [draw for draw in PICTURES if has_something.get(draw, True)]


def set_style(**changes):
    sns.set_theme(style="ticks", font_scale=0.82, rc=STYLE | changes)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--warehouse", type=Path, default=Path("warehouse.duckdb"), help="the file that dbt has built")
    parser.add_argument("--output", type=Path, default=Path("reports"), help="the folder for the pictures")
    words = "the two features of the picture `segments`; default: those in which the segments lie furthest apart"
    parser.add_argument("--features", nargs=2, metavar=("X", "Y"), help=words)
    arguments = parser.parse_args()

    path = arguments.warehouse
    print(f"Reading {path} ...", flush=True)
    with read_only(path) as warehouse:
        found = {}
        for tables in segmentations(warehouse, TABLES):
            check_build(tables.connection, path)
            found[tables.prefix] = read_segmentation(tables.connection)
        cells = read_rfm_cells(warehouse)
    pairs = chosen_pairs(found, arguments.features)

    set_style()
    with file_set(arguments.output, "pictures", like=path) as new:
        for prefix, data in found.items():
            for draw in pictures_of(data):
                save(draw(data, pairs[prefix]), new, arguments.output, prefix + draw.__name__)
        if cells is not None:
            save(rfm_grid(cells), new, arguments.output, "rfm_grid")


if __name__ == "__main__":
    main()
