"""Decodes 8-bit RGB PNG files without interlace to raw bytes, for the tests: FOLDER/STEM.rgb each.

    png_to_rgb.py FOLDER PNG...
"""

import os
import struct
import sys
import zlib


def decode(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, packed = 8, b""
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind = data[place + 4 : place + 8]
        body = data[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            assert (depth, colour, interlace) == (8, 2, 0)
        elif kind == b"IDAT":
            packed += body
        place += 12 + length
    raw = zlib.decompress(packed)
    stride = width * 3
    above, output = bytearray(stride), bytearray()
    for row in range(height):
        start = row * (stride + 1)
        kind, line = raw[start], bytearray(raw[start + 1 : start + 1 + stride])
        for i in range(stride):
            a = line[i - 3] if i >= 3 else 0
            b = above[i]
            c = above[i - 3] if i >= 3 else 0
            if kind == 1:
                guess = a
            elif kind == 2:
                guess = b
            elif kind == 3:
                guess = (a + b) // 2
            elif kind == 4:
                p = a + b - c
                guess = min((a, b, c), key=lambda value: abs(p - value))
            else:
                guess = 0
            line[i] = (line[i] + guess) & 255
        output += line
        above = line
    return bytes(output)


for path in sys.argv[2:]:
    with open(path, "rb") as file:
        pixels = decode(file.read())
    stem = os.path.splitext(os.path.basename(path))[0]
    with open(os.path.join(sys.argv[1], stem + ".rgb"), "wb") as file:
        file.write(pixels)
