"""Files of time-tagged photons, byte by byte as PicoQuant describes them."""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Records = NDArray[np.uint32]

TAG_INTEGER, TAG_BOOL, TAG_FLOAT, TAG_TEXT, TAG_EMPTY = (
    0x10000008,
    0x00000008,
    0x20000008,
    0x4001FFFF,
    0xFFFF0008,
)


def draw_pulsed_photons(photons: int, seed: int) -> tuple[NDArray, NDArray, NDArray]:
    """Pulse numbers, channels 0 and 1, and exponential delays below 3125 ticks."""
    rng = np.random.default_rng(seed)
    pulses = np.cumsum(rng.integers(0, 5000, photons))
    delays = np.minimum(rng.exponential(300.0, photons).astype(np.int64), 3124)
    return pulses, rng.integers(0, 2, photons), delays


def encode_hydraharp_t3(
    pulses: NDArray, channels: NDArray, delays: NDArray, *, version: int = 2
) -> Records:
    """HydraHarp records; V1 writes one record for each overflow, V2 one for several."""
    records: list[int] = []
    overflows = 0
    for pulse, channel, delay in zip(pulses, channels, delays, strict=True):
        missing = int(pulse) // 1024 - overflows
        overflows += missing
        while missing > 0:
            several = 1 if version == 1 else min(missing, 1023)
            # What V1 writes into the last field of an overflow means nothing.
            records.append(1 << 31 | 63 << 25 | (7 if version == 1 else several))
            missing -= several
        records.append(int(channel) << 25 | int(delay) << 10 | int(pulse) % 1024)
    return np.array(records, np.uint32)


def encode_hydraharp_t2(times: NDArray, channels: NDArray) -> Records:
    records: list[int] = []
    overflows = 0
    for time, channel in zip(times, channels, strict=True):
        missing = int(time) // 33554432 - overflows
        overflows += missing
        if missing:
            records.append(1 << 31 | 63 << 25 | missing)
        records.append(int(channel) << 25 | int(time) % 33554432)
    return np.array(records, np.uint32)


def encode_picoharp_t3(pulses: NDArray, channels: NDArray, delays: NDArray) -> Records:
    """PicoHarp records; its routing inputs count from one."""
    records: list[int] = []
    overflows = 0
    for pulse, channel, delay in zip(pulses, channels, delays, strict=True):
        missing = int(pulse) // 65536 - overflows
        records += [15 << 28] * missing
        overflows += missing
        records.append((int(channel) + 1) << 28 | int(delay) << 16 | int(pulse) % 65536)
    return np.array(records, np.uint32)


def encode_picoharp_t2(times: NDArray, channels: NDArray) -> Records:
    records: list[int] = []
    overflows = 0
    for time, channel in zip(times, channels, strict=True):
        missing = int(time) // 210698240 - overflows
        records += [15 << 28] * missing
        overflows += missing
        records.append(int(channel) << 28 | int(time) % 210698240)
    return np.array(records, np.uint32)


def encode_timeharp200(ticks: NDArray, channels: NDArray, delays: NDArray) -> Records:
    records: list[int] = []
    overflows = 0
    for tick, channel, delay in zip(ticks, channels, delays, strict=True):
        missing = int(tick) // 65536 - overflows
        records += [0x800 << 16 | 0xFFFF] * missing
        overflows += missing
        records.append(1 << 30 | int(channel) << 28 | int(delay) << 16 | int(tick) % 65536)
    return np.array(records, np.uint32)


def encode_tag(name: str, value: float | str | None, index: int = -1) -> bytes:
    """One tag of a .ptu."""
    head = name.encode().ljust(32, b"\0") + struct.pack("<i", index)
    if value is None:
        return head + struct.pack("<Iq", TAG_EMPTY, 0)
    if isinstance(value, bool):
        return head + struct.pack("<Iq", TAG_BOOL, value)
    if isinstance(value, int):
        return head + struct.pack("<Iq", TAG_INTEGER, value)
    if isinstance(value, float):
        return head + struct.pack("<Id", TAG_FLOAT, value)
    text = value.encode().ljust(-(-(len(value) + 1) // 8) * 8, b"\0")
    return head + struct.pack("<Iq", TAG_TEXT, len(text)) + text


def make_ptu(
    records: Records,
    record_type: int,
    *,
    mode: int = 3,
    period_s: float = 2e-7,
    tick_s: float = 64e-12,
    **changed: float | str | None,
) -> bytes:
    """A .ptu; `changed` replaces tags, or leaves them out where it is None."""
    tags: dict[str, float | str | None] = {
        "File_GUID": "{00000000-0000-0000-0000-000000000000}",
        "CreatorSW_Name": "test",
        "Measurement_Mode": mode,
        "HW_Type": "Device",
        "MeasDesc_GlobalResolution": period_s,
        "MeasDesc_Resolution": tick_s,
        "TTResult_SyncRate": round(1.0 / period_s) if mode == 3 else 0,
        "TTResult_NumberOfRecords": len(records),
        "TTResultFormat_TTTRRecType": record_type,
        "TTResultFormat_BitsPerRecord": 32,
        **changed,
    }
    header = b"".join(encode_tag(n, v) for n, v in tags.items() if v is not None)
    return b"PQTTTR\0\0" + b"1.0.00\0\0" + header + encode_tag("Header_End", None) + _pack(records)


def make_pt3(records: Records, *, sync_rate: int = 5_000_000, tick_ns: float = 0.064) -> bytes:
    """A PicoHarp file of format 2.0, mode T3."""
    return _make_picoharp(records, 3, sync_rate, tick_ns)


def make_pt2(records: Records) -> bytes:
    """A PicoHarp file of format 2.0, mode T2."""
    return _make_picoharp(records, 2, 0, 0.004)


def _make_picoharp(records: Records, mode: int, sync_rate: int, tick_ns: float) -> bytes:
    general = struct.pack("<18i", 0, 32, 4, 1, 0, mode, *[0] * 12)
    board = struct.pack("<16s8s6if26i", b"PicoHarp 300", b"2.0", *[1] * 6, tick_ns, *[0] * 26)
    tttr = struct.pack("<9i", 0, 0, 0, sync_rate, 1000, 0, 0, len(records), 0)
    return _text(b"PicoHarp 300", b"2.0") + general + _display() + board + tttr + _pack(records)


def make_ht3(
    records: Records,
    *,
    version: int = 2,
    mode: int = 3,
    inputs: int = 2,
    sync_rate: int = 5_000_000,
    tick_ps: float = 64.0,
    image_header: Sequence[int] = (),
) -> bytes:
    """A HydraHarp file of format 1.0 or 2.0."""
    general = struct.pack("<6id10i", 0, 32, 0, mode, 0, 6, tick_ps, *[0] * 10)
    board = struct.pack("<16s8s2i20i", b"HydraHarp 400", b"930021", 1, 2, *[0] * 20)
    board += struct.pack("<dQ8i", 1.0, 3, inputs, *[0] * 7) + struct.pack("<5i", *[0] * 5) * inputs
    size = len(image_header)
    tttr = struct.pack("<4iq", sync_rate, 0, 0, size, len(records))
    tttr += struct.pack(f"<{size}i", *image_header)
    start = _text(b"HydraHarp", f"{version}.0".encode())
    return start + general + _display() + board + tttr + _pack(records)


def make_t3r(
    records: Records,
    *,
    version: str = "5.0",
    sync_rate: int = 5_000_000,
    tick_ns: float = 0.0625,
    clock_ns: int = 100,
) -> bytes:
    """A TimeHarp 200 file of format 3.0, 5.0 or 6.0."""
    ident = b"TimeHarp 200".ljust(16, b"\0") + version.encode().ljust(6, b"\0")
    creator = b"TimeHarp".ljust(30, b"\0") if version == "6.0" else b"2.4".ljust(6, b"\0")
    date = b"08/09/03 12:51:43\0\r\n" + b"comment".ljust(256, b"\0")
    general = struct.pack("<19i", 4096, 0, 32, 1, 1, 0, 2, *[0] * 12)
    board = b"TimeHarp 200".ljust(24, b"\0") if version == "6.0" else b""
    board += struct.pack("<5if", *[1] * 5, tick_ns)
    tttr = struct.pack("<7i", clock_ns, *[0] * 6)
    tttr += struct.pack("<5i", sync_rate, 1000, 0, 0, len(records))
    tttr += b"" if version == "3.0" else struct.pack("<i", 0)
    return ident + creator + date + general + _display() + board + tttr + _pack(records)


def _text(ident: bytes, version: bytes) -> bytes:
    start = ident.ljust(16, b"\0") + version.ljust(6, b"\0") + b"test".ljust(30, b"\0")
    return start + b"08/09/03 12:51:43\0\r\n" + b"comment".ljust(256, b"\0")


def _display() -> bytes:
    return struct.pack("<16i9f4i20s", *[0] * 16, *[0.0] * 9, *[0] * 4, b"TTTR Mode")


def _pack(records: Records) -> bytes:
    return records.astype("<u4").tobytes()
