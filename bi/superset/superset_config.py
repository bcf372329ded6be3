"""How Superset runs here: for one person, on loopback. scripts/serve_superset.py says where its own data lies."""

import os
from pathlib import Path

from superset.config import TALISMAN_CONFIG

STATE = Path(os.environ["SEGMENTS_SUPERSET_STATE"])

SECRET_KEY = (STATE / "secret_key").read_text(encoding="utf-8")
SQLALCHEMY_DATABASE_URI = f"sqlite:///{STATE / 'superset.db'}"

# Pages of Superset report their use to a company by a picture of one pixel: browsers load pictures from here only.
TALISMAN_CONFIG["content_security_policy"]["img-src"] = ["'self'", "blob:", "data:"]

# Answers are not cached (Superset's default), so that a reload shows the generation that the last build published. What
# people pick in filters is kept in memory: one process serves everything.
FILTER_STATE_CACHE_CONFIG = {"CACHE_TYPE": "SimpleCache", "CACHE_THRESHOLD": 1000}
EXPLORE_FORM_DATA_CACHE_CONFIG = FILTER_STATE_CACHE_CONFIG
RATELIMIT_STORAGE_URI = "memory://"

# The colours of scripts/render_plots.py, told apart by the colour-blind too, and two ends around a neutral middle.
COLOURS = [
    "#0173b2", "#de8f05", "#029e73", "#cc78bc", "#5a5a5a", "#880000",
    "#56b4e9", "#44dd66", "#331188", "#9977ff", "#552255", "#998844",
]  # fmt: skip
AROUND_AVERAGE = ["#2b6fb0", "#8fb8de", "#f4f4f4", "#f0b27a", "#c8641b"]
EXTRA_CATEGORICAL_COLOR_SCHEMES = [{"id": "segments", "label": "Segments", "isDefault": True, "colors": COLOURS}]
EXTRA_SEQUENTIAL_COLOR_SCHEMES = [
    {"id": "around_average", "label": "Below and above average", "isDiverging": True, "colors": AROUND_AVERAGE}
]
