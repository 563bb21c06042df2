# The one-vs-rest SVM protocol with scikit-learn, on the features and folds that bench/svm.ts wrote: reads a setup file, prints
# one JSON line. Costs are compared by average_precision_score on rows held out, as the released protocol does.
import json
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.metrics import average_precision_score
from sklearn.svm import LinearSVC

with open(sys.argv[1]) as file:
    setup = json.load(file)
dim, classes, costs = setup["dim"], setup["classes"], setup["costs"]


def rows(name):
    values = np.fromfile(setup[name], np.float32).reshape(-1, dim)
    return values / (np.linalg.norm(values, axis=1, keepdims=True) + 1e-5)


def fit(x, y, cost):
    svm = LinearSVC(C=cost, class_weight={1: 2, -1: 1}, tol=setup["tolerance"], max_iter=setup["iterations"], dual=True)
    return svm.fit(x, y)


train, test = rows("train"), rows("test")
train_labels = np.fromfile(setup["trainLabels"], np.int32)
folds = np.fromfile(setup["folds"], np.int8).reshape(classes, -1)

began, used = time.perf_counter(), time.process_time()
scores = np.zeros((len(test), classes))
chosen = []
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    for label in range(classes):
        y = np.where(train_labels == label, 1, -1)
        reached = []
        for cost in costs:
            held_out = []
            for fold in range(folds[label].max() + 1):
                held = folds[label] == fold
                svm = fit(train[~held], y[~held], cost)
                held_out.append(average_precision_score(y[held] > 0, svm.decision_function(train[held])))
            reached.append(np.mean(held_out))
        chosen.append(costs[int(np.argmax(reached))])
        scores[:, label] = fit(train, y, chosen[-1]).decision_function(test)
cpu = time.process_time() - used
print(json.dumps({
    "version": sklearn.__version__,
    "costs": chosen,
    "scores": scores.ravel().tolist(),
    "seconds": time.perf_counter() - began,
    "cpuSeconds": cpu,
}))
