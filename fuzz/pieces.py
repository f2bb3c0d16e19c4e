#!/usr/bin/env python3
"""Makes a seed of pieces (fuzz_pieces in fs_walk.h) of an image, from those that a reader of it needs.

usage: pieces.py IMAGE SEED PROGRAM...    keeps what PROGRAM... IMAGE needs to print the same
"""

import pathlib
import struct
import subprocess
import sys
import tempfile

PIECE = 512


def main():
    image, seed, program = pathlib.Path(sys.argv[1]).read_bytes(), pathlib.Path(sys.argv[2]), sys.argv[3:]
    with tempfile.NamedTemporaryFile() as file:
        def prints(pieces):
            file.seek(0)
            file.truncate(0)
            file.truncate(len(image))
            for number in pieces:
                file.seek(number * PIECE)
                file.write(image[number * PIECE:(number + 1) * PIECE])
            file.flush()
            return subprocess.run([*program, file.name], capture_output=True, check=False).stdout

        kept = [number for number in range(len(image) // PIECE) if any(image[number * PIECE:(number + 1) * PIECE])]
        wanted, run = prints(kept), len(kept)
        while run:
            for at in range(len(kept) - 1, -1, -run):
                fewer = kept[:max(0, at + 1 - run)] + kept[at + 1:]
                if prints(fewer) == wanted:
                    kept = fewer
            run //= 2
    seed.write_bytes(b"".join(struct.pack(">I", number) + image[number * PIECE:(number + 1) * PIECE] for number in kept))


main()
