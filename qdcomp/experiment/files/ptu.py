"""PicoQuant's unified ``.ptu`` files: tags, then records.

ptufile reads the tags. The records are decoded here, since a chunk of them has to know the
overflows of all before it.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ptufile import PtuFile

from qdcomp.errors import ParseError
from qdcomp.experiment.files.file_source import FileDescription, FileSource
from qdcomp.experiment.files.record_file import RecordBlock, open_record_file
from qdcomp.experiment.files.stream_checks import check_sync_rate
from qdcomp.experiment.files.tttr import (
    HYDRAHARP1_T2,
    HYDRAHARP1_T3,
    HYDRAHARP2_T2,
    HYDRAHARP2_T3,
    PICOHARP_T2,
    PICOHARP_T3,
    RecordLayout,
)

LAYOUTS: dict[int, tuple[str, RecordLayout]] = {
    0x00010203: ("PicoHarp T2", PICOHARP_T2),
    0x00010303: ("PicoHarp T3", PICOHARP_T3),
    0x00010204: ("HydraHarp V1 T2", HYDRAHARP1_T2),
    0x00010304: ("HydraHarp V1 T3", HYDRAHARP1_T3),
    0x01010204: ("HydraHarp V2 T2", HYDRAHARP2_T2),
    0x01010304: ("HydraHarp V2 T3", HYDRAHARP2_T3),
    0x00010205: ("TimeHarp 260 N T2", HYDRAHARP2_T2),
    0x00010305: ("TimeHarp 260 N T3", HYDRAHARP2_T3),
    0x01010205: ("TimeHarp 260 N T2", HYDRAHARP2_T2),
    0x01010305: ("TimeHarp 260 N T3", HYDRAHARP2_T3),
    0x00010206: ("TimeHarp 260 P T2", HYDRAHARP2_T2),
    0x00010306: ("TimeHarp 260 P T3", HYDRAHARP2_T3),
    0x01010206: ("TimeHarp 260 P T2", HYDRAHARP2_T2),
    0x01010306: ("TimeHarp 260 P T3", HYDRAHARP2_T3),
    0x00010207: ("MultiHarp T2", HYDRAHARP2_T2),
    0x00010307: ("MultiHarp T3", HYDRAHARP2_T3),
}
"""Record types by the number in ``TTResultFormat_TTTRRecType`` (PTU format, record appendix)."""

HEADER_LIMIT = 4 * 2**20
"""No header is longer [bytes]; real ones have some ten thousand."""

_LAST_TAG = b"Header_End"
_TAG_BYTES = 48
_LONGEST_TEXT = 1000


@dataclass(frozen=True)
class _Tags:
    path: Path
    values: Mapping[str, Any]
    end: int

    def require_number(self, name: str) -> float:
        """Return the number of a tag that the file must have."""
        value = self.find_number(name)
        if value is None:
            raise ParseError(
                f"its header has no number {name} ({str(self.values.get(name))[:40]}); it is "
                "damaged, export it anew from the instrument's software",
                self.path,
            )
        return value

    def find_number(self, name: str) -> float | None:
        """Return the number of a tag, None where there is none."""
        value = self.values.get(name)
        return value if isinstance(value, int | float) else None

    def find_text(self, name: str) -> str:
        """Return the text of a tag, the first of several, empty where there is none."""
        value = self.values.get(name, "")
        first = value[0] if isinstance(value, list) and value else value
        return first if isinstance(first, str) else ""


def open_ptu(path: Path, chunk_photons: int) -> FileSource:
    """Open a ``.ptu`` file.

    Raises
    ------
    ParseError
        If the header is cut or damaged, the record type is unknown or the records are not what the
        header says.
    """
    tags = _read_tags(path)
    number = tags.require_number("TTResultFormat_TTTRRecType")
    if number not in LAYOUTS:
        raise ParseError(
            f"its records are of type {number:g}, which is not known; known are those of PicoHarp, "
            "HydraHarp, TimeHarp 260 and MultiHarp, T2 and T3",
            path,
        )
    name, layout = LAYOUTS[int(number)]
    bits = tags.find_number("TTResultFormat_BitsPerRecord")
    if bits not in (None, 0, 32):
        raise ParseError(f"its records have {bits:g} bits; expected 32", path)
    period_s = float(tags.require_number("MeasDesc_GlobalResolution"))
    is_t3 = layout.mode == "T3"
    stop_after_ms = tags.find_number("TTResult_StopAfter")
    description = FileDescription(
        path=path,
        mode=layout.mode,
        macrotime_resolution_s=period_s,
        microtime_resolution_ns=(
            float(tags.require_number("MeasDesc_Resolution")) * 1e9 if is_t3 else None
        ),
        stop_after_s=None if stop_after_ms is None else stop_after_ms * 1e-3,
        instrument=f"{tags.find_text('HW_Type') or 'unnamed device'}, {name} records",
        metadata=_keep_readable(tags.values),
        warnings=(
            *_check_mode(tags, layout),
            *(check_sync_rate(period_s, tags.find_number("TTResult_SyncRate")) if is_t3 else ()),
        ),
    )
    claimed = tags.find_number("TTResult_NumberOfRecords") or 0
    records = int(claimed) if isinstance(claimed, int) else 0
    return open_record_file(description, RecordBlock(tags.end, records, layout), chunk_photons)


def _read_tags(path: Path) -> _Tags:
    with path.open("rb") as file:
        start = file.read(min(HEADER_LIMIT, path.stat().st_size))
    try:
        with _silence("ptufile"), PtuFile(io.BytesIO(start)) as header:
            tags = _Tags(path, header.tags, header.record_offset)
    # ptufile's own message fails with UnboundLocalError where the very first tag is cut.
    except (ValueError, UnboundLocalError) as error:
        raise ParseError(
            "its header is cut or damaged; copy the file again or export it anew", path
        ) from error
    # ptufile stops at a tag of unknown type as if the header ended there.
    if not start[tags.end - _TAG_BYTES : tags.end].startswith(_LAST_TAG):
        raise ParseError(
            "its header has a tag of unknown type and is damaged; copy the file again", path
        )
    return tags


@contextmanager
def _silence(name: str) -> Iterator[None]:
    """Keep what the logger `name` says of odd but harmless tags from the user."""
    logger = logging.getLogger(name)

    def drop(record: logging.LogRecord) -> bool:
        return False

    logger.addFilter(drop)
    try:
        yield
    finally:
        logger.removeFilter(drop)


def _check_mode(tags: _Tags, layout: RecordLayout) -> tuple[str, ...]:
    mode = tags.find_number("Measurement_Mode")
    if mode == int(layout.mode[1]):
        return ()
    said = "does not say its mode" if mode is None else f"says mode T{mode:g}"
    return (f"the header {said}, but the records are of type {layout.name}; read as {layout.mode}",)


def _keep_readable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Tags that a reader may want to see, without blobs."""
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, str):
            kept[name] = value[:_LONGEST_TEXT]
        elif value is None or isinstance(value, bool | int | float | datetime):
            kept[name] = value
        elif isinstance(value, list) and len(value) <= _LONGEST_TEXT:
            kept[name] = tuple(v for v in value if isinstance(v, bool | int | float | str))
    return kept
