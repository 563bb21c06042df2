"""Which of some ops of a TensorFlow library have a kernel for GPUs in float32: reads the library's own registry, needs no GPU.

python3 gpu_kernels.py LIBRARY OP... prints {op: [devices]} as JSON; DEFAULT stands for a kernel that serves every device.
"""

import ctypes
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


class Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("free", ctypes.c_void_p)]


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 2:
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
        else:
            width = 4 if tag & 7 == 5 else 8
            value, at = data[at : at + width], at + width
        yield tag >> 3, value


def types(allowed):
    """The data types of an AttrValue's list."""
    for number, listed in fields(allowed):
        if number == 1:
            for inner, packed in fields(listed):
                at = 0
                while inner == 6 and at < len(packed):
                    value, at = varint(packed, at)
                    yield value


def serves_float(kernel):
    """Whether the constraints on T, U and dtype, where there are some, allow float32 (1)."""
    for number, constraint in fields(kernel):
        if number == 3:
            parts = dict(fields(constraint))
            if parts[1] in (b"T", b"U", b"dtype") and 1 not in types(parts[2]):
                return False
    return True


library = ctypes.CDLL(sys.argv[1])
library.TF_NewStatus.restype = ctypes.c_void_p
library.TF_GetRegisteredKernelsForOp.restype = ctypes.POINTER(Buffer)
library.TF_GetRegisteredKernelsForOp.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
status = library.TF_NewStatus()
answer = {}
for op in sys.argv[2:]:
    found = library.TF_GetRegisteredKernelsForOp(op.encode(), status).contents
    kernels = [kernel for _, kernel in fields(ctypes.string_at(found.data, found.length))]
    answer[op] = sorted({dict(fields(kernel))[2].decode() for kernel in kernels if serves_float(kernel)})
print(json.dumps(answer))
