"""Set up Apache Superset with the published warehouse and the dashboard of bi/superset, and serve it on loopback.

Superset's own data (its database, the secret key and the administrator's password) lives in one folder. Run again, it
updates what is there. The warehouse is opened read-only, for the length of a query. Needs the environment of
requirements-superset.txt:

    .venv-superset/bin/python scripts/serve_superset.py --warehouse warehouse.duckdb --state build/superset --port 8088
"""

import argparse
import itertools
import logging
import os
import secrets
import socket
import string
import sys
import uuid
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from urllib.parse import quote

import duckdb
import yaml
from warehouse import (
    ANY_OTHER,
    basis_of,
    columns_of_features,
    quoted,
    read_only,
    segmentations,
    spread_features,
)

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "bi" / "superset"
HOST = "127.0.0.1"
ADMIN = "admin"
SECRET_LENGTH = 32  # characters of six random bits

# A further segmentation without one of these is passed over.
NEEDED = ["segment_profiles", "segment_feature_profiles", "segment_migrations", "segment_drift", "feature_drift", "k_scores"]
# The two features that part the segments most.
PAIR = f"""
    select feature, label, is_category
    from (from ({spread_features()}) order by spread desc, feature_order limit 2)
    order by feature_order
"""
SEGMENTS = "select lpad(cast(segment_id as varchar), 2, ' ') || ' ' || segment_name from segment_profiles order by segment_id"


# The picture of where customers stand: points by two numbers, or bars where a category is among the two.
POINTS = ["charts/scatter.yaml", "datasets/sampled_customers.yaml"]
BARS = ["charts/bars.yaml", "datasets/levels.yaml"]
# What a segment is worth needs orders with amounts.
WORTH = ["charts/worth.yaml", "charts/revenue.yaml", "datasets/values.yaml"]
HAS_WORTH = "select count(revenue) > 0 from segment_values where basis = 'today'"
RETENTION = ["charts/retention.yaml", "datasets/retention.yaml"]
HAS_RETENTION = "select count(*) > 0 from segment_retention where basis = 'today' and n_customers >= 5"
# Levels are many, and their labels long: below the profiles they stand aslant, which takes a higher chart.
ASLANT, HIGH = {"x_axis_label_rotation": 45, "left_margin": 75}, 66
HAS_CATEGORIES = f"select bool_or(is_level) from ({columns_of_features()})"


def level_in_words(feature):
    """The SQL of a customer's level in a category, for a query that has `levels`; what the model does not know is any other."""
    level = f"coalesce(cast({quoted(feature)} as varchar), '(missing)')"
    return f"coalesce((select level_label from levels where name = '{feature}' and levels.level = {level}), '{ANY_OTHER}')"


def read(warehouse):
    """For each segmentation ({placeholder: what stands for it in the assets}, the segments as charts call them, assets left out).

    One sentence on stderr and an end where the file cannot be used.
    """
    with read_only(warehouse) as connection:
        try:
            return [read_segmentation(tables, warehouse) for tables in segmentations(connection, NEEDED)]
        except duckdb.CatalogException:
            sys.exit(f"{warehouse} does not hold the segments: run `make build` until it passes.")


def read_segmentation(tables, warehouse):
    def value(query):
        return tables.connection.execute(query).fetchone()[0]

    pair = tables.connection.execute(PAIR).fetchall()
    segments = [label for (label,) in tables.connection.execute(SEGMENTS).fetchall()]
    (x, x_label, _), (y, y_label, _) = pair[0], pair[-1]
    categories = {feature: label for feature, label, is_category in pair if is_category}
    key = tables.connection.execute("select * from customer_segments limit 0").description[0][0]
    basis, prefix = basis_of(tables), tables.prefix
    names = {"key": key, "x": x, "y": y, "x_label": x_label, "y_label": y_label}
    names["level"] = " || ', ' || ".join(map(level_in_words, categories))
    names["level_label"] = " and ".join(categories.values())
    names["has_categories"] = value(HAS_CATEGORIES)
    names |= {"columns": columns_of_features(prefix), "features": spread_features(prefix), "prefix": prefix}
    names["by_basis"] = f" by {basis}" if basis else ""
    names["warehouse_uri"] = f"duckdb:///{quote(str(warehouse.resolve()))}?access_mode=read_only"
    left_out = POINTS if categories else BARS
    left_out = left_out + ([] if "segment_values" in tables.names and value(HAS_WORTH) else WORTH)
    left_out = left_out + ([] if "segment_retention" in tables.names and value(HAS_RETENTION) else RETENTION)
    return names, segments, left_out


def check_port(port):
    """One sentence on stderr and an end where somebody listens already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            sys.exit(f"Port {port} is taken: stop who listens there, or take another with `make superset PORT={port + 1}`.")


def kept_secret(path):
    """The secret in a file that only its owner reads; made up where there is none, or where a part of it is all there is."""
    secret = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
    if len(secret) < SECRET_LENGTH or not secret.isprintable():
        if path.exists():
            print(f"{path} is empty or cut, and is made anew.", flush=True)
        secret = secrets.token_urlsafe(SECRET_LENGTH)[:SECRET_LENGTH]
        part = path.with_name(f".{path.name}.new")
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        with part.open("w", encoding="utf-8") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    path.chmod(0o600)
    return secret


def filled_in(value, names):
    """An asset with its placeholders ${...} replaced, in texts of every depth."""
    if isinstance(value, dict):
        return {key: filled_in(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [filled_in(item, names) for item in value]
    return string.Template(value).substitute(names) if isinstance(value, str) else value


def own_ids(value, prefix):
    """An asset of a further segmentation under identifiers of its own, which are the same whenever it is set up."""
    if isinstance(value, list):
        return [own_ids(item, prefix) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: str(uuid.uuid5(uuid.UUID(item), prefix)) if key in ("uuid", "dataset_uuid", "datasetUuid") else own_ids(item, prefix)
        for key, item in value.items()
    }


def without_absent(position, titles):
    """The layout of a dashboard without the charts that are not in {uuid: title}, and without rows that are then empty."""
    charts = {name for name, place in position.items() if isinstance(place, dict) and place["type"] == "CHART"}
    absent = {name for name in charts if position[name]["meta"]["uuid"] not in titles}
    absent |= {name for name, place in position.items() if name.startswith("ROW-") and absent.issuperset(place["children"])}
    position = {name: place for name, place in position.items() if name not in absent}
    for name, place in position.items():
        if name in charts:
            place["meta"]["sliceName"] = titles[place["meta"]["uuid"]]
        elif isinstance(place, dict):
            place["children"] = [child for child in place.get("children", []) if child not in absent]
    return position


def assets(found, colours):
    """{file name in Superset's format: its text}, for all segmentations that `read` has found.

    A segment has one colour in every chart, the same as in reports/.
    """
    files = {path.relative_to(ASSETS).as_posix(): path.read_text(encoding="utf-8") for path in sorted(ASSETS.rglob("*.yaml"))}
    made = {}
    for names, segments, left_out in found:
        own = {name: filled_in(yaml.safe_load(text), names) for name, text in files.items() if name not in left_out}
        if names["has_categories"]:
            own["charts/profiles.yaml"]["params"] |= ASLANT
            own["dashboards/segments.yaml"]["position"]["CHART-profiles"]["meta"]["height"] = HIGH
        dashboard = own["dashboards/segments.yaml"]
        titles = {asset["uuid"]: asset["slice_name"] for asset in own.values() if "slice_name" in asset}
        dashboard["position"] = without_absent(dashboard["position"], titles)
        for segment, colour in zip(segments, itertools.cycle(colours), strict=False):
            number = segment.split()[0]
            for label in (segment, f"before: {number}", f"now: {number}"):
                dashboard["metadata"]["label_colors"][label] = colour
        for name, asset in own.items():
            folder, _, file = name.rpartition("/")
            is_shared = folder in ("", "databases") or not names["prefix"]
            made[name if is_shared else f"{folder}/{names['prefix']}{file}"] = (
                asset if is_shared else own_ids(asset, names["prefix"])
            )
    return {name: yaml.safe_dump(asset, sort_keys=False) for name, asset in made.items()}


def set_up(found, password):
    """Bring Superset's database up to date: its tables and roles, the administrator, the assets. Returns the application."""
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        import flask_migrate
        from superset import appbuilder, db, security_manager
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.connectors.sqla.models import SqlaTable
        from superset.utils.core import override_user

        flask_migrate.upgrade(directory=str(Path(sys.modules["superset"].__file__).parent / "migrations"))
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        admin = security_manager.find_user(ADMIN)
        if admin is None:
            role = security_manager.find_role("Admin")
            admin = security_manager.add_user(ADMIN, "Local", "Administrator", "admin@localhost", role, password=password)
        # The file may have been lost, and made anew, since the administrator was added.
        security_manager.reset_password(admin.id, password)
        with override_user(admin):
            ImportAssetsCommand(assets(found, app.config["COLOURS"])).run()
            # The columns of a table follow the configuration of the project: the warehouse knows them.
            for dataset in db.session.query(SqlaTable).filter(SqlaTable.sql.is_(None)):
                dataset.fetch_metadata()
            db.session.commit()
    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--warehouse", type=Path, default=ROOT / "warehouse.duckdb", help="the published file")
    parser.add_argument("--state", type=Path, default=ROOT / "build" / "superset", help="folder of Superset's own data")
    parser.add_argument("--port", type=int, default=8088, help="port on loopback")
    options = parser.parse_args()

    found = read(options.warehouse)
    check_port(options.port)
    state = options.state.resolve()
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept_secret(state / "secret_key")
    password = kept_secret(state / "admin_password")
    os.environ["SEGMENTS_SUPERSET_STATE"] = str(state)
    os.environ["SUPERSET_CONFIG_PATH"] = str(ASSETS / "superset_config.py")
    # What Superset says of its own dependencies helps nobody here; errors are still printed.
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)

    print("Setting up Superset (a minute the first time) ...", flush=True)
    # Its migrations talk a lot; what goes wrong comes as an exception.
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        app = set_up(found, password)

    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):
        def load_config(self):
            # One process, since filter states are kept in its memory.
            for name, value in {"bind": f"{HOST}:{options.port}", "workers": 1, "threads": 8, "graceful_timeout": 3}.items():
                self.cfg.set(name, value)
            self.cfg.set("loglevel", "error")

        def load(self):
            return app

    for names, _, _ in found:
        address = f"http://{HOST}:{options.port}/superset/dashboard/{names['prefix']}segments/"
        print(f"The dashboard of the customer segments{names['by_basis']} is at {address}", flush=True)
    print(f"Log in as {ADMIN} with the password in {state / 'admin_password'}; Ctrl+C stops the server.", flush=True)
    Server().run()


if __name__ == "__main__":
    main()
