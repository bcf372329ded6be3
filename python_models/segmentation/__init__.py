"""K-means segmentation as pure functions: arrays in, plain values and arrays out; no dbt, no files, no globals.

`fit_version` fits a model and ties it to the one before; `assign_version` labels points under a stored model.
"""

from segmentation.assignment import Assignment, assign
from segmentation.fitting import ClusterCountScore, Segmentation, fit_segmentation
from segmentation.rules import Bound, segment_rules
from segmentation.versions import assign_version, fit_version

__all__ = [
    "Assignment",
    "Bound",
    "ClusterCountScore",
    "Segmentation",
    "assign",
    "assign_version",
    "fit_segmentation",
    "fit_version",
    "segment_rules",
]
