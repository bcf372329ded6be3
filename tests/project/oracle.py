"""What the published file has to hold after any number of nights, worked out from the labels that each night has published.

It shares no code and no query with the project: the periods, changes and migrations of every customer follow in Python from who
had which label when. Every difference is an AssertionError.
"""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta

import duckdb
import numpy as np

FITS = "model_version, build_id, features, transforms, means, scales, segment_ids, centroids_scaled"


@dataclass(frozen=True)
class Membership:
    """The segment of a customer now: its number, name and model when it began, since when, and the number before."""

    segment_id: int
    segment_name: str
    model_version: int
    since: object
    previous: int | None


@dataclass
class History:
    """What has become of the customers of one segmentation, build by build."""

    present: dict = field(default_factory=dict)  # {customer: Membership}
    periods: list = field(default_factory=list)  # those that have ended: (customer, segment, name, model, from, to)
    changes: list = field(default_factory=list)  # (build, customer, change, from, to)
    moves: Counter = field(default_factory=Counter)  # {(build, from, to): customers}, who stay included

    def night(self, build, time, labels):
        """`labels`, {customer: (segment, name, model)}, were published as number `build`."""
        last, self.present = self.present, {}
        for customer in last.keys() | labels.keys():
            was, label = last.get(customer), labels.get(customer)
            before, after = was and was.segment_id, label and label[0]
            self.moves[build, before, after] += 1
            if label:
                self.present[customer] = was if before == after else Membership(*label, time, before)
            if before != after:
                change = "left" if not label else "moved" if was else "joined"
                self.changes.append((build, customer, change, before, after))
                if was:
                    self.periods.append((customer, before, was.segment_name, was.model_version, was.since, time))

    def all_periods(self):
        """Those that go on have no end."""
        now = [(key, one.segment_id, one.segment_name, one.model_version, one.since, None) for key, one in self.present.items()]
        return Counter(self.periods + now)


class Models:
    """Versions and numbers of segments that somebody may have seen, also in builds that were gone back behind."""

    def __init__(self):
        self.fits = {}  # {version: its row}
        self.names = {}  # {segment: its name}

    def look(self, rows):
        """No version is lost, changed or given twice, and a number is only given to what is near to where it once was."""
        found = {row["model_version"]: row for row in rows}
        assert len(found) == len(rows)
        assert {version: found.get(version) for version in self.fits} == self.fits
        for version in sorted(found.keys() - self.fits.keys()):
            fit, taken = found[version], set().union(*(fit["segment_ids"] for fit in self.fits.values()))
            assert version > max(self.fits, default=0)
            assert len(set(fit["segment_ids"])) == len(fit["segment_ids"])
            for number in fit["segment_ids"]:
                assert self.is_near(number, fit) if number in taken else number > max(taken, default=0), (version, number)
            self.fits[version] = fit

    def is_near(self, number, fit):
        """Whether it is within half the gap to the next segment from where it was in some model."""
        position = positions(fit)[number]
        for before in self.fits.values():
            if number in before["segment_ids"]:
                scaled = {key: place / before["scales"] for key, place in positions(before).items()}
                here = scaled.pop(number)
                gap = min((np.linalg.norm(here - other) for other in scaled.values()), default=np.inf)
                if np.linalg.norm(position / before["scales"] - here) <= gap / 2 + 1e-9:
                    return True
        return False

    def name(self, names):
        """A number keeps its name, and no two have the same."""
        assert len(set(names.values())) == len(names)
        assert {number: self.names.get(number, name) for number, name in names.items()} == names
        self.names |= names


def positions(fit):
    """{segment: its centroid in the units of the features, after their transform}."""
    places = np.array(fit["means"]) + np.array(fit["scales"]) * np.array(fit["centroids_scaled"])
    return dict(zip(fit["segment_ids"], places, strict=True))


class Oracle:
    """Goes along with a walk; after each build and each restore everything in the published file is compared."""

    def __init__(self):
        self.builds = []  # (number, id, time, customers, model, number of the build that it restores)
        self.histories = {"": History(), "rfm_": History()}
        self.models = {"": Models(), "rfm_": Models()}
        self.after = {}  # {number of a build: what `histories` and `shown` were after it}
        self.shown = set()  # prefixes of the segmentations that readers see
        self.n_checks = 0

    def published(self, path, expected, clock):
        """A build was published on the customers `expected`, {prefix: {customer: features or None}}; see `new_build`."""
        with duckdb.connect(path, read_only=True) as file:
            number, time, restored = self.new_build(file, clock)
            assert restored is None
            self.shown = set(expected)
            for prefix, customers in expected.items():
                self.models[prefix].look(fits(file, "main", prefix))
                labels = self.labels(file, prefix, customers)
                self.histories[prefix].night(number, time, labels)
            self.check(file)
        self.after[number] = deepcopy((self.histories, self.shown))

    def restored(self, path, which, clock):
        """The build `which` was gone back to."""
        self.histories, self.shown = deepcopy(self.after[which])
        with duckdb.connect(path, read_only=True) as file:
            number, _, restored = self.new_build(file, clock)
            assert restored == which
            self.check(file)
        self.after[number] = deepcopy((self.histories, self.shown))

    def new_build(self, file, clock):
        """(number, time, restored build) of the one build that is new; `clock` is when it may have begun, (first, last)."""
        columns = "build_number, build_id, built_at, n_accepted, model_version, restored_build_number"
        *before, new = file.execute(f"select {columns} from builds order by build_number").fetchall()
        assert before == self.builds
        number, _, time, *_, restored = new
        assert number == len(before) + 1
        earliest, latest = clock
        if before:
            next_time = before[-1][2] + timedelta(microseconds=1)
            earliest, latest = max(earliest, next_time), max(latest, next_time)
        assert earliest <= time <= latest
        self.builds.append(new)
        return number, time, restored

    def labels(self, file, prefix, customers):
        """{customer: (segment, name, model)} as published: each is that of the nearest centroid, and nobody is missing."""
        (version,) = {row[0] for row in file.execute(f"select distinct model_version from {prefix}customer_segments").fetchall()}
        fit = self.models[prefix].fits[version]
        features = ", ".join(fit["features"])
        query = f"select customer_id, segment_id, segment_name, {features} from {prefix}customer_segments order by customer_id"
        rows = file.execute(query).fetchall()
        assert [row[0] for row in rows] == sorted(customers)
        assert all(row[3:] == customers[row[0]] for row in rows if customers[row[0]])
        values = np.array([row[3:] for row in rows], dtype=float)
        is_log = [transform == "log1p" for transform in fit["transforms"]]
        values[:, is_log] = np.log1p(values[:, is_log])
        places = positions(fit)
        scaled = (values[:, None] - np.array(list(places.values()))) / fit["scales"]
        distances = np.linalg.norm(scaled, axis=2)
        mine = [list(places).index(row[1]) for row in rows]
        assert (distances[range(len(rows)), mine] <= distances.min(axis=1) + 1e-9).all()
        return {row[0]: (row[1], row[2], version) for row in rows}

    def check(self, file):
        """Everything but the new build itself, of which `builds` tells."""
        numbers = {build_id: number for number, build_id, *_ in self.builds}
        for prefix, history in self.histories.items():
            if not history.moves:
                continue
            is_shown = prefix in self.shown
            schema = "main" if is_shown else "main_carried"
            self.models[prefix].look(fits(file, schema, prefix))
            rows = file.execute(
                f"select build_id, customer_id, change, from_segment_id, to_segment_id from {schema}.{prefix}segment_changes"
            ).fetchall()
            assert Counter((numbers[build_id], *row) for build_id, *row in rows) == Counter(history.changes)
            rows = file.execute(
                f"select build_id, from_segment_id, to_segment_id, n_customers from {schema}.{prefix}segment_migrations"
            ).fetchall()
            assert len(rows) == len(history.moves)
            assert {(numbers[build_id], *moved): n for build_id, *moved, n in rows} == history.moves
            labels = f"main.{prefix}customer_segments" if is_shown else f"main_carried.{prefix}customer_clusters"
            rows = file.execute(f"select customer_id, segment_id, previous_segment_id, changed_at from {labels}").fetchall()
            present = [(key, one.segment_id, one.previous, one.since) for key, one in history.present.items()]
            assert Counter(rows) == Counter(present)
            if is_shown:
                columns = "customer_id, segment_id, segment_name, model_version, dbt_valid_from, dbt_valid_to"
                rows = file.execute(f"select {columns} from {prefix}customer_segment_history").fetchall()
                assert Counter(rows) == history.all_periods()
                names = file.execute(f"select segment_id, segment_name from {prefix}segment_profiles").fetchall()
                self.models[prefix].name(dict(names))
            else:
                found = "select count(*) from information_schema.tables where table_schema = 'main' and table_name like ?"
                assert file.execute(found, [f"{prefix}%"]).fetchone() == (0,)
            self.n_checks += len(history.changes) + len(history.moves) + len(history.periods) + len(history.present)


def fits(file, schema, prefix):
    """Every fitted model as a dictionary."""
    answer = file.execute(f"select {FITS} from {schema}.{prefix}segmentation_fits order by model_version")
    names = [name for name, *_ in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
