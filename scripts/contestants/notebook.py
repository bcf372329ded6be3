"""The notebook way: pandas, StandardScaler, KMeans for k = 1..10, labels, means by segment.

python notebook.py customers.csv none|log1p [n_init]; prints the WCSS of every k, as JSON. The number of starts is scikit-learn's
default, unless it is given. Started with `-m sklearnex` it runs on oneDAL.
"""

import json
import sys

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

file, transform, *n_init = sys.argv[1:]
settings = {"init": "k-means++", "random_state": 42, "n_init": int(n_init[0]) if n_init else "auto"}
customers = pd.read_csv(file)
features = customers.select_dtypes("number").columns[1:]
values = np.log1p(customers[features]) if transform == "log1p" else customers[features]
scaled = StandardScaler().fit_transform(values)

wcss = {k: KMeans(n_clusters=k, **settings).fit(scaled).inertia_ for k in range(1, 11)}
customers["segment"] = KMeans(n_clusters=5, **settings).fit(scaled).predict(scaled)
print(customers.groupby("segment")[list(features)].mean(), file=sys.stderr)
print(json.dumps(wcss))
