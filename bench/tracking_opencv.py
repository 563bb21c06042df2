"""The OpenCV side of the bench of tracking: one thread, one answer a line.

Reads JSON lines {"pixels": path of raw RGB frames, "width": w, "height": h, "start": frame, "frames": n, "box": [x, y, w, h],
"tracker": "kcf", "kcf-default" or "csrt"} from standard input and answers {"boxes": [[x, y, w, h] or null where it is lost, ...],
"seconds": s, "cpuSeconds": s, "startCpuSeconds": s}. "kcf" has its threshold off (`detect_thresh` 0.05: it never gives up), the
other two are as they come. The trackers take and give whole pixels, so that the start box is rounded. The first line it prints
names the version.
"""

import json
import sys
import time

import cv2
import numpy


def make(name):
    if name == "csrt":
        return cv2.TrackerCSRT.create()
    params = cv2.TrackerKCF.Params()
    if name == "kcf":
        params.detect_thresh = 0.05
    return cv2.TrackerKCF.create(params)


cv2.setNumThreads(1)
print(json.dumps({"version": cv2.__version__, "threads": cv2.getNumThreads()}), flush=True)
videos = {}
for line in sys.stdin:
    task = json.loads(line)
    if task["pixels"] not in videos:
        rgb = numpy.fromfile(task["pixels"], dtype=numpy.uint8).reshape(-1, task["height"], task["width"], 3)
        videos = {task["pixels"]: numpy.ascontiguousarray(rgb[:, :, :, ::-1])}
    frames = videos[task["pixels"]]
    tracker = make(task["tracker"])
    used = time.process_time()
    tracker.init(frames[task["start"]], [int(value + 0.5) for value in task["box"]])
    start_cpu_seconds = time.process_time() - used
    found = []
    began, used = time.perf_counter(), time.process_time()
    for i in range(1, task["frames"] + 1):
        found.append(tracker.update(frames[task["start"] + i]))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - used
    boxes = [[float(value) for value in box] if ok else None for ok, box in found]
    answer = {"boxes": boxes, "seconds": seconds, "cpuSeconds": cpu_seconds, "startCpuSeconds": start_cpu_seconds}
    print(json.dumps(answer), flush=True)
