"""The native side of the bench of mining: the steps of the paper in Python and OpenCV, one thread, one answer a line.

Reads JSON lines {"file": path, "stepFrames": n, "maxWindows": n} from standard input and answers {"frames": n, "size": [w, h],
"outcomes": {"step: ...": n, "track: ...": n}, "pairs": [{"travelPx", "sidePx", "scaleChange", "appearanceChange"}, ...], "cpuSeconds": s,
"profile": {part: s}}, or {"rejected": reason}. The first line that it prints names the versions.

A clip is decoded to frames of 240 pixels on the shorter side. At every time-step 500 corners are followed one frame on and back, a
homography takes out the camera, and where 25 to 75 % of the points still move, the windows that hold most of them are tracked on
half-size frames for 30 frames by TrackerKCF as it comes. A track that holds, and ends inside the frame, gives its first and last
patch, and what the first box shows in the last frame. Wang & Gupta 2015, section 3; lengths in the paper's pixels are those of a frame of
448 on the shorter side. A time-step is decided once its last frame is there, so that the end of the clip and cuts cost nothing.
"""

import json
import os
import platform
import sys
import time
from collections import Counter, deque
from contextlib import contextmanager

os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "threads;1"

import cv2  # noqa: E402 (the line above is read when it is loaded)
import numpy  # noqa: E402

SHORTER_SIDE = 240
PAPER_SHORTER_SIDE = 448
TRACK_FRAMES = 30

MAX_POINTS = 500
CORNER_QUALITY = 0.01
MIN_DISTANCE_PX = 8  # the paper's pixels, as the three below
MIN_MOTION_PX = 0.5
WINDOW_PX = 227
PATCH_PX = 227
FLOW = {"winSize": (15, 15), "maxLevel": 3, "criteria": (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 20, 0.01)}
MAX_RETURN_PX = 1
HOMOGRAPHY_PX = 1

MIN_POINTS = 20
MIN_MOVING_SHARE, MAX_MOVING_SHARE = 0.25, 0.75
MIN_MOVING_POINTS = 10
MIN_SHARE_INSIDE = 0.8

CUT_CELLS = 24
CUT_LEVEL = 8
CUT_RATIO = 2.5
CUT_NEIGHBOURS = 6

LOOK_CELLS = 16


class Frame:
    """A frame at the working size; what is made of it is kept, since several time-steps and tracks ask for it."""

    def __init__(self, colour):
        self.colour = colour
        self.made = {}

    @property
    def grey(self):
        if "grey" not in self.made:
            self.made["grey"] = cv2.cvtColor(self.colour, cv2.COLOR_BGR2GRAY)
        return self.made["grey"]

    @property
    def half(self):
        if "half" not in self.made:
            height, width = self.colour.shape[:2]
            self.made["half"] = cv2.resize(self.colour, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        return self.made["half"]


class Profile:
    """Processor seconds by part."""

    def __init__(self):
        self.seconds = Counter()

    @contextmanager
    def part(self, name):
        began = time.process_time()
        try:
            yield
        finally:
            self.seconds[name] += time.process_time() - began


def read_frames(file, profile):
    """Frames of a file at the working size, never enlarged. Nothing for a file that cannot be opened."""
    with profile.part("decoding"):
        capture = cv2.VideoCapture(file, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    size = None
    while True:
        with profile.part("decoding"):
            there, picture = capture.read()
            if there:
                height, width = picture.shape[:2]
                if size is None:
                    shrink = min(1, SHORTER_SIDE / min(width, height))
                    size = (round(width * shrink), round(height * shrink))
                if (width, height) != size:
                    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        if not there:
            break
        yield Frame(picture)
    capture.release()


class Cuts:
    """Cuts are outliers among the differences of successive frames; `level[i]` is that of frames `i - 1` and `i`."""

    def __init__(self):
        self.level = []
        self.last = None

    def push(self, frame):
        cells = cv2.cvtColor(cv2.resize(frame.colour, (CUT_CELLS, CUT_CELLS), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        self.level.append(0.0 if self.last is None else cv2.norm(cells, self.last, cv2.NORM_L1) / CUT_CELLS**2)
        self.last = cells

    def between(self, first, last):
        return any(self.is_cut(i) for i in range(first + 1, last + 1))

    def is_cut(self, i):
        level = self.level[i]
        if level < CUT_LEVEL:
            return False
        around = self.level[max(1, i - CUT_NEIGHBOURS) : i] + self.level[i + 1 : i + 1 + CUT_NEIGHBOURS]
        third = sorted(around, reverse=True)[2] if len(around) > 2 else 0
        return level >= CUT_RATIO * third


def moving_points(first, second, scale):
    """Points that leave the camera's motion, `[n, 2]`, and why there are none."""
    corners = cv2.goodFeaturesToTrack(first, MAX_POINTS, CORNER_QUALITY, max(2, MIN_DISTANCE_PX * scale))
    if corners is None:
        return None, "too-few-points"
    there, found, _ = cv2.calcOpticalFlowPyrLK(first, second, corners, None, **FLOW)
    back, returned, _ = cv2.calcOpticalFlowPyrLK(second, first, there, None, **FLOW)
    start, end, back = corners[:, 0], there[:, 0], back[:, 0]
    inside = ((end >= 0) & (end < first.shape[::-1])).all(axis=1)
    near = numpy.linalg.norm(back - start, axis=1) <= MAX_RETURN_PX
    kept = (found[:, 0] == 1) & (returned[:, 0] == 1) & inside & near
    start, end = start[kept], end[kept]
    if len(start) < MIN_POINTS:
        return None, "too-few-points"
    homography, _ = cv2.findHomography(start, end, cv2.RANSAC, HOMOGRAPHY_PX)
    if homography is None:
        return None, "no-camera"
    expected = cv2.perspectiveTransform(start[:, None], homography)[:, 0]
    moving = numpy.linalg.norm(end - expected, axis=1) > MIN_MOTION_PX * scale
    share = moving.mean()
    if share < MIN_MOVING_SHARE:
        return None, "too-little-motion"
    if share > MAX_MOVING_SHARE:
        return None, "too-much-motion"
    return start[moving], None


def tracked_side(side):
    """The side nearest to a wanted one, and even, that TrackerKCF is fast at: its search window is twice the box of half the size, and its Fourier
    transform takes several times as long where that has a large prime factor (122 = 2 x 61)."""
    fast = [2 * half for half in range(1, side) if cv2.getOptimalDFTSize(2 * half) == 2 * half]
    return min(fast, key=lambda other: abs(other - side))


def choose_windows(points, width, height, side, most):
    """Corners `(x, y)` of the windows that hold most points and do not overlap. Of positions that hold the same points, the middle one."""
    image = numpy.zeros((height, width), numpy.uint8)
    columns, rows = points.astype(int).T
    numpy.add.at(image, (rows, columns), 1)
    table = cv2.integral(image)
    counts = table[side:, side:] - table[:-side, side:] - table[side:, :-side] + table[:-side, :-side]
    windows = []
    while len(windows) < most:
        best = counts.max()
        if best < MIN_MOVING_POINTS:
            break
        ties = numpy.argwhere(counts == best)
        y, x = ties[numpy.square(ties - ties.mean(axis=0)).sum(axis=1).argmin()].tolist()
        windows.append((x, y))
        counts[max(0, y - side + 1) : y + side, max(0, x - side + 1) : x + side] = -1
    return windows


def track(frames, box):
    """Where a box is after the last of the frames, or None where it was lost on the way; pixels of the frame."""
    tracker = cv2.TrackerKCF.create()
    tracker.init(frames[0].half, [value // 2 for value in box])
    for frame in frames[1:]:
        there, found = tracker.update(frame.half)
        if not there:
            return None
    return [2 * value for value in found]


def share_inside(box, width, height):
    x, y, w, h = box
    return max(0, min(width, x + w) - max(0, x)) * max(0, min(height, y + h) - max(0, y)) / (w * h)


def cut_out(picture, box):
    """The patch of a box, moved inside the frame."""
    height, width = picture.shape[:2]
    w, h = min(width, box[2]), min(height, box[3])
    x, y = min(max(0, box[0]), width - w), min(max(0, box[1]), height - h)
    return cv2.resize(picture[y : y + h, x : x + w], (PATCH_PX, PATCH_PX), interpolation=cv2.INTER_LINEAR)


def look(patch):
    """Means of luma, standardised."""
    grey = cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY).astype(numpy.float32)
    cells = cv2.resize(grey, (LOOK_CELLS, LOOK_CELLS), interpolation=cv2.INTER_AREA)
    cells -= cells.mean()
    return cells / max(1e-6, numpy.linalg.norm(cells))


def change(box, end, patches):
    """How much a pair changes, as this project's log has it."""
    travel = numpy.hypot(end[0] - box[0], end[1] - box[1])
    alike = float((look(patches[0]) * look(patches[1])).sum())
    return {"travelPx": float(travel), "sidePx": box[2], "scaleChange": end[2] / box[2], "appearanceChange": 1 - alike}


class Miner:
    """Mines one clip, frame by frame, and holds no more frames than a track and the look-ahead of cuts need."""

    def __init__(self, step_frames, max_windows, profile):
        self.step_frames = step_frames
        self.max_windows = max_windows
        self.profile = profile
        self.frames = deque()
        self.cuts = Cuts()
        self.count = 0
        self.outcomes = Counter()
        self.pairs = []

    def push(self, frame):
        with self.profile.part("cuts"):
            self.cuts.push(frame)
        self.frames.append(frame)
        self.count += 1
        if len(self.frames) > TRACK_FRAMES + CUT_NEIGHBOURS:
            self.take_oldest()

    def finish(self):
        while self.frames:
            self.take_oldest()

    def take_oldest(self):
        first = self.count - len(self.frames)
        if first % self.step_frames == 0:
            outcome = "clip-ends" if len(self.frames) <= TRACK_FRAMES else self.decide(first)
            self.outcomes["step: " + outcome] += 1
        self.frames.popleft()

    def decide(self, first):
        with self.profile.part("cuts"):
            if self.cuts.between(first, first + TRACK_FRAMES):
                return "shot-cut"
        height, width = self.frames[0].colour.shape[:2]
        scale = min(width, height) / PAPER_SHORTER_SIDE
        side = tracked_side(round(WINDOW_PX * scale))
        with self.profile.part("motion"):
            points, why = moving_points(self.frames[0].grey, self.frames[1].grey, scale)
            if points is None:
                return why
            windows = choose_windows(points, width, height, side, self.max_windows)
        if not windows:
            return "no-window"
        held = [self.frames[i] for i in range(TRACK_FRAMES + 1)]
        for x, y in windows:
            self.outcomes["track: " + self.follow(held, [x, y, side, side])] += 1
        return "tracked"

    def follow(self, frames, box):
        with self.profile.part("tracking"):
            end = track(frames, box)
        if end is None:
            return "lost"
        height, width = frames[0].colour.shape[:2]
        if share_inside(end, width, height) < MIN_SHARE_INSIDE:
            return "end-outside"
        with self.profile.part("patches"):
            first, last = frames[0].colour, frames[-1].colour
            self.pairs.append((box, end, [cut_out(first, box), cut_out(last, end), cut_out(last, box)]))
        return "pair"


def mine(task):
    profile = Profile()
    began = time.process_time()
    miner = Miner(task["stepFrames"], task["maxWindows"], profile)
    frame = None
    for frame in read_frames(task["file"], profile):
        miner.push(frame)
    miner.finish()
    cpu_seconds = time.process_time() - began
    if frame is None:
        return {"rejected": "no frame could be decoded"}
    return {
        "frames": miner.count,
        "size": frame.colour.shape[1::-1],
        "outcomes": miner.outcomes,
        "pairs": [change(box, end, patches) for box, end, patches in miner.pairs],
        "cpuSeconds": cpu_seconds,
        "profile": profile.seconds,
    }


cv2.setNumThreads(1)
versions = f"OpenCV {cv2.__version__}, numpy {numpy.__version__}, Python {platform.python_version()}"
print(json.dumps({"versions": versions, "startCpuSeconds": time.process_time()}), flush=True)
for line in sys.stdin:
    print(json.dumps(mine(json.loads(line))), flush=True)
