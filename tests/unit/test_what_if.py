"""What is tried beside the published build: which candidates a command asks for, what is refused, and what the page says."""

import copy
import importlib
import json
import re
import sys
from argparse import Namespace
from datetime import datetime
from pathlib import Path

import html5lib
import pytest
import yaml

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "scripts"))
what_if = importlib.import_module("what_if")

BLOCK = {
    "source": {"file": "customers.csv"},
    "key": {"name": "customer_id"},
    "attributes": [{"name": "region", "headers": ["Region"]}, {"name": "visits", "data_type": "integer"}],
    "features": [{"name": "age", "range": [0, 120]}, {"name": "income", "range": [0, None]}],
    "n_clusters": 5,
    "k_range": [2, 10],
    "seed": 42,
}


def asked(block=BLOCK, columns=(), n_customers=3000, **options):
    arguments = Namespace(**{"clusters": None, "features": None, "transforms": None} | options)
    return what_if.candidates(block, columns, arguments, n_customers)


def test_each_number_of_segments_is_a_candidate_of_its_own():
    before = copy.deepcopy(BLOCK)
    four, auto, twelve = asked(clusters="4, auto 12,4")
    assert four.changed == {"n_clusters": 4}
    assert four.block == BLOCK | {"n_clusters": 4}
    assert auto.changed == {"n_clusters": "auto"}
    # Every number in the range is tried, so that the range has to reach the one that is asked for.
    assert twelve.changed == {"n_clusters": 12, "k_range": [2, 12]}
    assert asked(clusters="1")[0].changed == {"n_clusters": 1, "k_range": [1, 10]}
    assert asked(clusters="5")[0].changed == {}
    assert [four.name, auto.name, twelve.name] == ["4 segments", "As many segments as auto takes", "12 segments"]
    assert before == BLOCK


def test_other_features_and_transforms_are_written_as_settings():
    (fewer,) = asked(features="income")
    assert fewer.changed == {"features": [BLOCK["features"][1]]}
    (transformed,) = asked(transforms="income=log1p")
    assert transformed.changed == {
        "features": [BLOCK["features"][0], {"name": "income", "range": [0, None], "transform": "log1p"}]
    }
    # An attribute becomes a feature, and is none any more; what is no number is a category.
    (both,) = asked(features="age,region", transforms="age=yeo-johnson")
    assert [both.name, fewer.name] == ["5 segments from age as yeo-johnson, region", "5 segments from income"]
    assert both.changed == {
        "features": [
            {"name": "age", "range": [0, 120], "transform": "yeo-johnson"},
            {"name": "region", "headers": ["Region"], "data_type": "category"},
        ],
        "attributes": [BLOCK["attributes"][1]],
    }
    (of_a_model,) = asked(BLOCK | {"attributes": None}, columns=["age", "n_returns"], features="n_returns")
    assert of_a_model.changed == {"features": [{"name": "n_returns"}]}


def test_a_build_with_the_lines_fits_a_model_of_them():
    block = BLOCK | {"refit": "never", "model_version": 2}
    (candidate,) = asked(block, clusters="4")
    assert candidate.changed == {"n_clusters": 4, "refit": "auto", "model_version": None}


def test_the_lines_are_the_settings():
    (candidate,) = asked(clusters="12", features="age,region")
    lines = what_if.lines_of("rfm_segmentation", candidate.changed)
    assert yaml.safe_load(lines) == {"vars": {"rfm_segmentation": candidate.changed}}
    assert "\n    n_clusters: 12\n    k_range: [2, 12]\n" in lines
    # One setting is a line of its own, too, and does not look like a whole block.
    assert what_if.lines_of("segmentation", {"n_clusters": 4}) == "vars:\n  segmentation:\n    n_clusters: 4\n"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"clusters": "0"}, "K=0: 0 is neither a number of segments, such as 4, nor a rule that chooses one (auto, elbow,"),
        ({"clusters": "abc"}, "K=abc: abc is neither a number"),
        ({"clusters": "4,-1"}, "K=4,-1: -1 is neither a number"),
        ({"clusters": "4.5"}, "K=4.5: 4.5 is neither a number"),
        ({"clusters": "3001"}, "K=3001: there are only 3,000 customers for 3,001 segments"),
        ({"clusters": ","}, "K= names no number of segments"),
        ({"features": "age,shoe_size"}, "FEATURES=age,shoe_size: shoe_size is not known; there are region, visits, age, income"),
        ({"features": ""}, "FEATURES= names no feature; there are region, visits, age, income"),
        ({"transforms": "visits=log1p"}, "TRANSFORMS=visits=log1p: visits is not known; there are age, income"),
        ({"transforms": "age"}, "TRANSFORMS=age is not a feature with its transform, such as age=log1p"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_one_sentence(options, sentence):
    with pytest.raises(what_if.QuestionError) as refused:
        asked(**options)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "settings", [{"features": None}, {"features": [5]}, {"features": {"age": 1}}, {"k_range": 5}, {"attributes": "a"}]
)
def test_a_block_that_no_build_could_use_is_refused(settings):
    what_if.check_block("segmentation", BLOCK)
    with pytest.raises(what_if.QuestionError, match=r"^dbt_project[.]yml, vars, segmentation: "):
        what_if.check_block("segmentation", BLOCK | settings)


def test_the_profile_builds_and_publishes_beside_and_is_the_same_otherwise(tmp_path):
    text = (ROOT / "profiles.yml").read_text(encoding="utf-8")
    shipped = yaml.safe_load(text)["customer_segmentation"]["outputs"]["duckdb"]
    beside = what_if.profile_beside(text, "customer_segmentation", tmp_path)
    output = yaml.safe_load(beside)["customer_segmentation"]["outputs"]["duckdb"]
    places = [output.pop("path"), output["attach"].pop()["path"]]
    (config,) = [plugin.pop("config") for plugin in output["plugins"] if plugin["module"] == "publishing"]
    assert {Path(place).parent for place in [*places, config["path"]]} == {tmp_path, tmp_path / "build"}
    assert [Path(place).is_relative_to(ROOT) for place in output.pop("module_paths")] == [True, True]
    assert "PROFILES_DIR" not in beside
    assert output["settings"] == shipped["settings"]
    with pytest.raises(what_if.QuestionError, match="target spark: other settings are tried on DuckDB alone"):
        what_if.profile_beside(text.replace("target: duckdb", "target: spark"), "customer_segmentation", tmp_path)


@pytest.mark.parametrize(
    "message",
    [
        "Encountered an error:\nCompilation Error in model a (b.sql)\n  The sentence.\n  \n  > in macro c (d.sql)",
        "  Runtime Error in test a (b/c.sql)\n  Invalid Input Error: The sentence.\n  compiled code at target/a.sql",
        "Runtime Error\n  The sentence.",
    ],
)
def test_of_what_dbt_says_the_sentence_is_kept(message):
    assert what_if.said_in(message) == "The sentence."


def test_the_log_of_dbt_says_what_went_wrong_and_what_is_warned_of():
    def event(name, message, **data):
        return json.dumps({"info": {"name": name, "msg": message, "level": "error"}, "data": data})

    log = [
        "no event",
        event("JinjaLogWarning", "Few.", node_info={"node_name": "a__gate_b"}),
        event("LogTestResult", "18 of 68 ERROR c"),
        event("RunResultFailure", "Failure in test c (d.sql)"),
        event("RunResultError", "  Runtime Error in test c (d.sql)\n  Invalid Input Error: Too few."),
    ]
    assert what_if.said_by_dbt("\n".join(log)) == (["Too few."], [("a__gate_b", "Few.")])


def test_the_gates_of_a_segmentation_are_told_from_those_of_others():
    first, second = "segmentation_models__gate_silhouette", "int_rfm_feature_drift__gate_drift"
    nodes = [first, second, "rejected_customers__few_enough_rows_are_refused"]
    assert [node for node in nodes if what_if.is_gate_of(node, "", ["rfm_"])] == [first]
    assert [node for node in nodes if what_if.is_gate_of(node, "rfm_", ["rfm_"])] == [second]


def model(n_clusters, **figures):
    return {
        "n_clusters": n_clusters, "n_customers": 1000, "smallest_segment_share": 0.1, "silhouette": 0.42, "wcss": 1234.5,
        "davies_bouldin": 0.9, "calinski_harabasz": 456.7, "structure": "groups", "features": "age, income", "agreement": 0.5,
        "weakest": 0.8,
    } | figures  # fmt: skip


def segment(number, name, n_customers, **figures):
    return {
        "segment_id": number, "segment_name": name, "is_name_current": True, "current_name": name, "n_customers": n_customers,
        "share": n_customers / 1000, "stability": 0.9,
    } | figures  # fmt: skip


def move(origin, destination, n_customers):
    return {"from_segment_id": origin, "to_segment_id": destination, "n_customers": n_customers}


@pytest.fixture
def tried():
    """(candidates, the published build): of two segments one goes on, one is split; ten customers joined and 90 left."""
    published = what_if.Published(
        7, datetime(2026, 3, 1, 6, 30), model(2), [segment(1, "Young & rich", 600), segment(2, "<b>Senior</b>", 400)]
    )
    three, thirty = asked(clusters="3,30")
    three.model = model(3, n_customers=920, silhouette=None)
    three.segments = [
        segment(1, "Young & rich", 560),
        segment(2, "<b>Senior</b>", 160, is_name_current=False, current_name="Old"),
        segment(3, "In between", 200, stability=0.4),
    ]
    three.moves = [move(1, 1, 550), move(2, 2, 160), move(2, 3, 200), move(1, None, 50), move(2, None, 40), move(None, 1, 10)]
    three.warnings = ["The groups touch everywhere."]
    thirty.obstacle = "Segment 9 has 0.3 % of the customers, the gate is 1 %."
    return [three, thirty], published


def test_the_cross_table_has_everybody_once(tried):
    (three, _), published = tried
    table = what_if.crossed(three, published)
    assert table["has_left"]
    assert [(row["name"], [n for n, _ in row["cells"]]) for row in table["rows"]] == [
        ("Young & rich", [550, 0, 0, 50]),
        ("<b>Senior</b>", [0, 160, 200, 40]),
        (None, [10, 0, 0, 0]),
    ]
    assert [share for _, share in table["rows"][1]["cells"]] == [0, 0.4, 0.5, 0.1]
    # Of 910 in both builds 550 and 160 are in the segment of the same number.
    assert what_if.kept_share(three) == 710 / 910


def test_the_page_says_it_all_and_is_valid(tried):
    candidates, published = tried
    text = what_if.page("segmentation", candidates, published)
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    words = " ".join("".join(page.find("body").itertext()).split())
    assert "those of build 7 of 1 March 2026, 06:30 UTC" in words
    assert "30 segments: a build with these settings would not be published. Segment 9 has 0.3 %" in words
    assert "it would be named “Old” today" in words
    assert "The groups touch everywhere." in words
    assert "last one night" in words
    (lines,) = [element.text for element in page.iter("pre")]
    assert yaml.safe_load(lines) == {"vars": {"segmentation": {"n_clusters": 3}}}
    assert page.find(".//b") is None
    assert {element.get("scope") for element in page.iter("th")} == {"col", "row"}
    assert not re.search(r"url\(|<script|<link", text)
    assert "cannot be compared" not in words
    assert "Tried: 3 segments and 30 segments. Nothing" in words
    assert "Tried, for the segmentation rfm: 3 segments and" in what_if.page("rfm_segmentation", candidates, published)
    (other,) = asked(features="age")
    other.model, other.segments, other.moves = model(5), candidates[0].segments, candidates[0].moves
    assert "these measures cannot be compared" in what_if.page("segmentation", [other], published)
