# The other side of bench/neighbors.ts: reads one request a line, answers one JSON line with times and results. Matrices lie as raw
# float32 in the folder that the first argument names; they are read before the clock starts.
import json
import os
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import PCA

folder = sys.argv[1]
tile_values = 1 << 24


def matrix(name, dim):
    return np.fromfile(os.path.join(folder, name), np.float32).reshape(-1, dim)


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def k_means(points, start, iterations):
    model = KMeans(len(start), init=start, n_init=1, max_iter=iterations, tol=0).fit(points)
    return {"objective": float(model.inertia_), "iterations": model.n_iter_}


def mini_batch(points, start, batch, epochs):
    ending = {"tol": 0, "max_no_improvement": None}
    model = MiniBatchKMeans(len(start), init=start, n_init=1, batch_size=batch, max_iter=epochs, random_state=1, **ending)
    model.fit(points)
    return {"objective": float(model.inertia_), "steps": model.n_steps_}


def top_k(queries, bank, k):
    queries, bank = unit(queries), unit(bank)
    found = np.empty((len(queries), k), np.int32)
    values = np.empty((len(queries), k), np.float32)
    chunk = max(1, tile_values // len(bank))
    for first in range(0, len(queries), chunk):
        cosines = queries[first : first + chunk] @ bank.T
        best = np.argpartition(cosines, len(bank) - k, axis=1)[:, len(bank) - k :]
        reached = np.take_along_axis(cosines, best, 1)
        order = np.argsort(-reached, axis=1)
        found[first : first + chunk] = np.take_along_axis(best, order, 1)
        values[first : first + chunk] = np.take_along_axis(reached, order, 1)
    return {"cosines": values}


def whitening(features, dims):
    model = PCA(dims, whiten=True, svd_solver="covariance_eigh")
    model.fit_transform(features)
    return {"variances": model.explained_variance_.astype(np.float32)}


tasks = {
    "k-means": lambda r: lambda a=matrix("points", r["dim"]), b=matrix("start", r["dim"]): k_means(a, b, r["iterations"]),
    "mini-batch k-means": lambda r: lambda a=matrix("points", r["dim"]), b=matrix("start", r["dim"]): mini_batch(a, b, r["batch"], r["epochs"]),
    "top-k": lambda r: lambda a=matrix("queries", r["dim"]), b=matrix("bank", r["dim"]): top_k(a, b, r["k"]),
    "whitening": lambda r: lambda a=matrix("features", r["dim"]): whitening(a, r["dims"]),
}

warnings.simplefilter("ignore")
print(f"scikit-learn {sklearn.__version__}, numpy {np.__version__}", flush=True)
for line in sys.stdin:
    request = json.loads(line)
    task = tasks[request["task"]](request)
    began, used = time.perf_counter(), time.process_time()
    answer = task()
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    for name, value in list(answer.items()):
        if isinstance(value, np.ndarray):
            value.tofile(os.path.join(folder, name))
            del answer[name]
    print(json.dumps({**answer, "seconds": seconds, "cpuSeconds": cpu}), flush=True)
