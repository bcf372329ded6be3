"""K-means segmentation as pure functions: arrays in, plain values and arrays out; no dbt, no files, no globals.

`versions.fit_version` fits a model and ties it to those before; `scoring.label_query` labels customers under a stored
model in the database, and `versions.assign_version` arrays in memory. Modules are imported one by one: scoring does without
scikit-learn.
"""
