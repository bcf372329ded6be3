"""Nights of one warehouse with a small shop, of which an oracle knows what the published file has to hold."""

import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import yaml
from oracle import Oracle
from shop import Shop


class Nights:
    """A project after its first build; `seconds` is how long the last one took."""

    def __init__(self, project, seed, *, has_orders=False):
        self.project, self.folder, self.has_orders = project, project.folder, has_orders
        self.published = self.folder / "warehouse.duckdb"
        self.shop, self.oracle = Shop(seed), Oracle()
        path = self.folder / "dbt_project.yml"
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
        for block in ("segmentation", "rfm_segmentation"):
            settings["vars"][block] |= {"n_clusters": 3, "k_range": [2, 4]}
        settings["vars"]["kept_builds"] = 3
        path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        self.build()

    def call(self, *arguments, orders=True, customers=True):
        """Arguments and files; what dbt has learnt by parsing is kept for each set of them, as it parses anew for another."""
        orders = orders and self.has_orders
        target = f"target_{'_'.join(filter(str.isalpha, ''.join(arguments)))}_{orders:d}_{customers:d}"
        files = {"file": "customers.csv" if customers else None, "orders": "orders.csv" if orders else None}
        return ["build", "--target-path", target, *arguments], files

    def build(self, *arguments, orders=True, clock=0):
        """A build that must be published, and is compared with the oracle; returns what it printed."""
        self.shop.write(self.folder)
        arguments, files = self.call(*arguments, orders=orders)
        start, before = self.now(), time.monotonic()
        code, output = self.project.dbt(*arguments, **files, clock=clock)
        self.seconds = time.monotonic() - before
        assert code == 0, output[-3000:]
        assert "Published: " in output
        offset = timedelta(seconds=clock)
        self.compare(start + offset, self.now() + offset, orders=orders)
        return output

    def compare(self, start, end, *, orders=True):
        """What is published now, by a build that began between the two times, with what the oracle knows."""
        expected = {"": self.shop.present}
        if orders and self.has_orders:
            expected["rfm_"] = dict.fromkeys(self.shop.present)
        self.oracle.published(self.published, expected, (start, end))

    def content(self):
        return self.published.stat().st_ino, self.published.read_bytes()

    @contextmanager
    def nothing_changes(self):
        before = self.content()
        yield
        assert self.content() == before

    @staticmethod
    def now():
        """In UTC, in whole seconds as in `builds`."""
        return datetime.now(timezone.utc).replace(microsecond=0, tzinfo=None)
