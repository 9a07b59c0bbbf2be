"""Writes ../data/breastcancer.csv and breastcancer.json, with scikit-learn 1.9.1:

    python breastcancer.py

The table is the one that scikit-learn carries, with its numbers as they are written
there. The optima are those of LogisticRegression on features of mean 0 and variance 1,
with a free intercept and C = 1/(N lambda), by the solver newton-cholesky: lbfgs stops
1e-8 to 2e-6 short of it, whatever tol is.
"""

import csv
import json
import os

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

table = load_breast_cancer()
source = os.path.join(os.path.dirname(sklearn.__file__), "datasets", "data", "breast_cancer.csv")
with open(source) as f:
    rows = list(csv.reader(f))[1:]
with open("../data/breastcancer.csv", "w") as f:
    f.write(",".join(list(table.feature_names) + ["benign"]) + "\n")
    f.writelines(",".join(r) + "\n" for r in rows)

x, y = StandardScaler().fit_transform(table.data), table.target
n = len(y)
optima = []
for ridge in (1e-1, 1e-2, 1e-3):
    m = LogisticRegression(C=1 / (n * ridge), solver="newton-cholesky", tol=1e-14, max_iter=1000).fit(x, y)
    theta = np.append(m.coef_[0], m.intercept_)
    t = x @ theta[:-1] + theta[-1]
    p = 1 / (1 + np.exp(-t))
    gradient = np.append(x.T @ (p - y) / n + ridge * theta[:-1], np.mean(p - y))
    assert np.abs(gradient).max() < 1e-14, gradient
    loss = np.mean(np.logaddexp(0, -(2 * y - 1) * t)) + ridge / 2 * np.sum(theta[:-1] ** 2)
    optima.append({"ridge": ridge, "theta": list(theta), "loss": loss, "right": int(np.sum((t > 0) == y))})
with open("breastcancer.json", "w") as f:
    json.dump({"sklearn": sklearn.__version__, "optima": optima}, f, indent=1)
