"""The OpenCV side of the bench of selective search: one thread, one answer a line.

Reads JSON lines {"pixels": path of raw RGB bytes, "width": w, "height": h, "mode": "fast" or "quality"} from standard input and
answers {"boxes": [x, y, width, height, ...], "seconds": s, "cpuSeconds": s}, the boxes in OpenCV's order. Its ranks come from the C
library's rand(), which is never seeded, so that a run repeats. The first line it prints names the version.
"""

import json
import sys
import time

import cv2
import numpy

cv2.setNumThreads(1)
print(json.dumps({"version": cv2.__version__, "threads": cv2.getNumThreads()}), flush=True)
for line in sys.stdin:
    task = json.loads(line)
    rgb = numpy.fromfile(task["pixels"], dtype=numpy.uint8).reshape(task["height"], task["width"], 3)
    bgr = numpy.ascontiguousarray(rgb[:, :, ::-1])
    began, used = time.perf_counter(), time.process_time()
    search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
    search.setBaseImage(bgr)
    if task["mode"] == "fast":
        search.switchToSelectiveSearchFast()
    else:
        search.switchToSelectiveSearchQuality()
    boxes = search.process()
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - used
    answer = {"boxes": numpy.asarray(boxes).ravel().tolist(), "seconds": seconds, "cpuSeconds": cpu_seconds}
    print(json.dumps(answer), flush=True)
