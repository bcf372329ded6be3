"""What a build concludes from data whose answer is known: noise, and twelve groups with a range that is too short for them."""

import pytest

pytestmark = pytest.mark.nights


@pytest.fixture(scope="module")
def build_of(new_project, shared_data):
    """A function: the project built on one of the small inputs, whose first column is the key, and what the build says."""

    def built(name, **settings):
        path = shared_data(f"../cases/{name}")
        features = path.read_text(encoding="utf-8").split("\n", 1)[0].strip().split(",")[1:]
        project = new_project()
        project.configure(
            source={"file": str(path)},
            attributes=[],
            features=[{"name": feature} for feature in features],
            n_clusters="auto",
            **settings,
        )
        return project, project.build()

    return built


def test_noise_is_called_noise_everywhere(build_of):
    project, output = build_of("noise/noise2.csv", k_range=[1, 10])
    assert "The customers are no more separated than a crowd without groups" in output
    assert project.value("select structure from segmentation_models") == "none"
    assert project.value("select margins_p_value from segmentation_models") is None
    assert project.value("select max(compared_silhouette - crowd_silhouette_bound) from k_scores") <= 0
    verdicts = project.query("select distinct verdict from k_scores")
    assert len(verdicts) == 1
    assert verdicts[0][0].startswith("These are cuts, not groups: customers are no more separated than a crowd without groups.")
    assert "structure warn" in project.published("select gates from builds")[0][0]


def test_the_verdict_says_where_the_range_ends_before_the_curve_does(build_of):
    project, _ = build_of("many-groups/blobs12.csv", k_range=[1, 10])
    assert project.value("select structure from segmentation_models") == "groups"
    assert "The range ends before the curve does" in project.value("select any_value(verdict) from k_scores")

    project, output = build_of("many-groups/blobs12.csv", k_range=[1, 20])
    assert project.value("select count(*) from segment_profiles") == 12
    assert "The range ends" not in project.value("select any_value(verdict) from k_scores")
    assert "__gate_structure" in output
    assert "structure ok" in project.published("select gates from builds")[0][0]
