"""K-means segmentation as pure functions: arrays in, frozen dataclasses and arrays out; no dbt, no files, no globals.

`fit_segmentation` scales, tries every number of clusters and fits; `assign` labels points under a fitted model.
"""

from segmentation.assignment import Assignment, assign
from segmentation.fitting import ClusterCountScore, Segmentation, fit_segmentation
from segmentation.rules import Bound, segment_rules

__all__ = ["Assignment", "Bound", "ClusterCountScore", "Segmentation", "assign", "fit_segmentation", "segment_rules"]
