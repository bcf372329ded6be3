"""K-means segmentation as pure functions: arrays in, plain values and arrays out; no dbt, no files, no globals.

`fit_version` fits a model and ties it to the one before; `label_query` labels customers under a stored model in the database, and
`assign_version` arrays in memory.
"""

from segmentation.assignment import Assignment, assign
from segmentation.fitting import ClusterCountScore, Segmentation, fit_segmentation
from segmentation.rules import Bound, segment_rules
from segmentation.scoring import label_query
from segmentation.versions import assign_version, can_label, fit_version

__all__ = [
    "Assignment",
    "Bound",
    "ClusterCountScore",
    "Segmentation",
    "assign",
    "assign_version",
    "can_label",
    "fit_segmentation",
    "fit_version",
    "label_query",
    "segment_rules",
]
