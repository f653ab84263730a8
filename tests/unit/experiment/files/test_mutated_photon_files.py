"""Damaged files are read, with what is left of them, or refused in a sentence."""

import resource
import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from builders.photon_files import (
    draw_pulsed_photons,
    encode_hydraharp_t2,
    encode_hydraharp_t3,
    encode_picoharp_t2,
    encode_picoharp_t3,
    encode_timeharp200,
    make_ht3,
    make_pt2,
    make_pt3,
    make_ptu,
    make_t3r,
)
from numpy.random import Generator

from qdcomp.errors import InputError, ParseError
from qdcomp.experiment.files.photon_files import open_photons
from qdcomp.experiment.files.photon_hdf5_writer import write_photon_hdf5
from qdcomp.experiment.photon_stream import make_photon_stream

PHOTONS = 2000
MUTATIONS = 10_000
SLOWEST_S = 2.0
OVERHEAD_BYTES = 2**20
GROWTH_KB = 300 * 1024

ABSURD = (
    *(struct.pack("<q", n) for n in (0, -1, 1, 2**31 - 1, -(2**31), 2**40, 2**63 - 1, -(2**63))),
    *(struct.pack("<d", x) for x in (0.0, -1.0, 1e-300, 1e300, float("nan"), float("inf"))),
    b"\xff" * 8,
    b"%s%n,;#\n\0",
)


def make_photon_hdf5(path: Path) -> bytes:
    pulses, channels, delays = draw_pulsed_photons(PHOTONS, 1)
    stream = make_photon_stream(
        pulses,
        2e-7,
        channels=channels,
        microtimes=delays,
        microtime_resolution_ns=0.064,
    )
    write_photon_hdf5(stream, path)
    return path.read_bytes()


def make_npz(path: Path) -> bytes:
    pulses, channels, delays = draw_pulsed_photons(PHOTONS, 1)
    np.savez_compressed(
        path,
        macrotimes=pulses,
        channels=channels,
        microtimes=delays,
        macrotime_resolution_s=2e-7,
        microtime_resolution_ns=0.064,
    )
    return path.read_bytes()


def make_npy(path: Path) -> bytes:
    np.save(path, draw_pulsed_photons(PHOTONS, 1)[0])
    return path.read_bytes()


def make_csv(path: Path) -> bytes:
    pulses, channels, _ = draw_pulsed_photons(PHOTONS, 1)
    rows = "".join(f"{p},{c}\n" for p, c in zip(pulses, channels, strict=True))
    return f"# duration_s = 2\ntimes_us,channels\n{rows}".encode()


def make_files(folder: Path) -> dict[str, bytes]:
    """One sound file of each kind, by its suffix."""
    pulses, channels, delays = draw_pulsed_photons(PHOTONS, 1)
    hydraharp = encode_hydraharp_t3(pulses, channels, delays)
    return {
        "hydraharp_t3.ptu": make_ptu(hydraharp, 0x01010304, TTResult_StopAfter=1000),
        "hydraharp_t2.ptu": make_ptu(
            encode_hydraharp_t2(pulses * 1000, channels), 0x01010204, mode=2, period_s=1e-12
        ),
        "picoharp_t3.ptu": make_ptu(encode_picoharp_t3(pulses, channels, delays), 0x00010303),
        "picoharp_t2.ptu": make_ptu(
            encode_picoharp_t2(pulses * 1000, channels), 0x00010203, mode=2, period_s=4e-12
        ),
        "v1.ht3": make_ht3(encode_hydraharp_t3(pulses, channels, delays, version=1), version=1),
        "v2.ht3": make_ht3(hydraharp),
        "a.pt3": make_pt3(encode_picoharp_t3(pulses, channels, delays)),
        "a.pt2": make_pt2(encode_picoharp_t2(pulses * 1000, channels)),
        "v5.t3r": make_t3r(encode_timeharp200(pulses, channels, delays)),
        "v6.t3r": make_t3r(encode_timeharp200(pulses, channels, delays), version="6.0"),
        "a.hdf5": make_photon_hdf5(folder / "sound.hdf5"),
        "a.npz": make_npz(folder / "sound.npz"),
        "a.npy": make_npy(folder / "sound.npy"),
        "a.csv": make_csv(folder / "sound.csv"),
    }


def flip_bytes(data: bytearray, rng: Generator) -> None:
    for position in rng.integers(0, len(data), rng.integers(1, 20)):
        data[position] ^= int(rng.integers(1, 256))


def flip_header_bytes(data: bytearray, rng: Generator) -> None:
    for position in rng.integers(0, min(len(data), 1500), rng.integers(1, 4)):
        data[position] = int(rng.integers(0, 256))


def cut(data: bytearray, rng: Generator) -> None:
    del data[int(rng.integers(0, len(data))) :]


def put_absurd_number(data: bytearray, rng: Generator) -> None:
    """Where numbers lie: at even positions of the header."""
    value = ABSURD[rng.integers(len(ABSURD))][: int(rng.choice([4, 8]))]
    position = 2 * int(rng.integers(0, min(len(data), 1500) // 2))
    data[position : position + len(value)] = value


def spoil_tag(data: bytearray, rng: Generator) -> None:
    """Type, index or value (the length of a text) of one of the first tags of a .ptu."""
    position = 16 + 48 * int(rng.integers(0, 14))
    field = int(rng.choice([32, 36, 40]))
    size = 8 if field == 40 else 4
    kinds = (0xFFFF0008, 8, 0x10000008, 0x20000008, 0x21000008, 0x2001FFFF, 0x4001FFFF, 0x4002FFFF)
    kind = struct.pack("<I", int(rng.choice((*kinds, 0xFFFFFFFF, 0x12345678))))
    value = kind if field == 36 else ABSURD[rng.integers(len(ABSURD))][:size]
    data[position + field : position + field + size] = value


def insert_bytes(data: bytearray, rng: Generator) -> None:
    position = int(rng.integers(0, len(data)))
    data[position:position] = rng.bytes(int(rng.integers(1, 64)))


def repeat_part(data: bytearray, rng: Generator) -> None:
    start, stop = np.sort(rng.integers(0, len(data), 2))
    data[stop:stop] = data[start:stop]


MUTATORS: tuple[Callable[[bytearray, Generator], None], ...] = (
    flip_bytes,
    flip_header_bytes,
    flip_header_bytes,
    cut,
    put_absurd_number,
    put_absurd_number,
    spoil_tag,
    insert_bytes,
    repeat_part,
)


def read_all(path: Path) -> None:
    """Read what there is; whatever is yielded must keep the promises of a stream."""
    source = open_photons(path)
    header, photons, latest = source.header, 0, 0
    for chunk in source.iterate_chunks():
        photons += len(chunk)
        assert latest <= chunk.macrotimes[0] if len(chunk) else True
        assert np.all(np.diff(chunk.macrotimes) >= 0)
        latest = int(chunk.macrotimes[-1]) if len(chunk) else latest
        if chunk.microtimes is not None and len(chunk):
            assert header.microtime_bins is not None
            assert chunk.microtimes.max() < header.microtime_bins
    assert photons == header.photons > 0
    assert header.duration_s >= latest * header.macrotime_resolution_s


def test_ten_thousand_mutated_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(20)
    files = make_files(tmp_path)
    for name, data in files.items():
        path = tmp_path / name
        path.write_bytes(data)
        read_all(path)
    read, refused, most = 0, 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    names = list(files)
    for n in range(MUTATIONS):
        name = names[n % len(names)]
        data = bytearray(files[name])
        MUTATORS[rng.integers(len(MUTATORS))](data, rng)
        path = tmp_path / name
        path.write_bytes(data)
        begin = time.perf_counter()
        try:
            read_all(path)
            read += 1
        except (ParseError, InputError) as error:
            assert str(path) in str(error)
            refused += 1
        assert time.perf_counter() - begin < SLOWEST_S, f"mutation {n} of {name} hangs"
    assert read > MUTATIONS // 10
    assert refused > MUTATIONS // 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most < GROWTH_KB


@pytest.mark.parametrize("mutator", sorted(set(MUTATORS), key=lambda m: m.__name__))
def test_memory_stays_below_ten_times_the_file(
    tmp_path: Path, mutator: Callable[[bytearray, Generator], None]
) -> None:
    rng = np.random.default_rng(21)
    files = make_files(tmp_path)
    for name, sound in files.items():
        (tmp_path / name).write_bytes(sound)
        read_all(tmp_path / name)
    for name, sound in files.items():
        data = bytearray(sound)
        mutator(data, rng)
        path = tmp_path / name
        path.write_bytes(data)
        tracemalloc.start()
        try:
            read_all(path)
        except (ParseError, InputError):
            pass
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 10 * max(len(data), len(sound)) + OVERHEAD_BYTES, name
