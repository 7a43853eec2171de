#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets from the recorded bytes of Kitex (tests/vectors)."""

import json
import pathlib

HERE = pathlib.Path(__file__).parent
VECTORS = HERE.parent / "vectors"

# What one side says in a dialogue, as it said it.
DIALOGUES = {
    "frames": ("ttheader-streaming", ["tt-bidi", "tt-biz-error", "tt-cancel", "tt-handler-error", "tt-metainfo"]),
    "unary": (
        "unary",
        [
            "framed-two-calls",
            "framed-unknown-method",
            "ttheader-framed-metainfo",
            "buffered-two-calls",
            "buffered-declared-exception",
            "ttheader-unframed-metainfo",
        ],
    ),
}

# The longest value of each type that is not very long. The target reads them as a type of its own: numbers meet, types sometimes.
STRUCTS = ["Choice", "Lists", "Maps", "Mixed", "Nested", "Scalars", "Sets"]


def write(target, name, data):
    folder = HERE / "seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def main():
    for target, (folder, names) in DIALOGUES.items():
        for name in names:
            frames = json.loads((VECTORS / folder / f"{name}.json").read_text())["frames"]
            for side in ("client", "server"):
                said = [frame["hex"] for frame in frames if frame.get("from") == side and "hex" in frame]
                write(target, f"{name}-{side}", bytes.fromhex("".join(said)))
    for name in STRUCTS:
        cases = json.loads((VECTORS / "structs" / f"{name}.json").read_text())["cases"]
        values = (bytes.fromhex(case["hex"]) for case in cases)
        longest = max((value for value in values if len(value) <= 1024), key=len)
        write("codec", name, longest)


main()
