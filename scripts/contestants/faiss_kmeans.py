"""The clustering by faiss with its defaults, which train on 256 customers for each centroid; all else as in notebook.py.

python faiss_kmeans.py customers.csv none|log1p; prints the WCSS of every k over all customers, as JSON.
"""

import json
import sys

import faiss
import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

file, transform = sys.argv[1:]
customers = pd.read_csv(file)
features = customers.select_dtypes("number").columns[1:]
values = np.log1p(customers[features]) if transform == "log1p" else customers[features]
scaled = StandardScaler().fit_transform(values).astype("float32")

wcss = {}
for k in range(1, 11):
    clusters = faiss.Kmeans(scaled.shape[1], k, seed=42)
    clusters.train(scaled)
    distances, labels = clusters.index.search(scaled, 1)
    wcss[k] = float(distances.sum(dtype="float64"))
    if k == 5:
        customers["segment"] = labels[:, 0]
print(customers.groupby("segment")[list(features)].mean(), file=sys.stderr)
print(json.dumps(wcss))
