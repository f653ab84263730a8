"""Whether WAVECAR, VASP's wavefunction, was written to its end."""

from __future__ import annotations

import struct
from pathlib import Path

_HEAD = struct.Struct("<3d")
"""First record: length of a record [bytes], number of spins, format."""

_COUNTS = struct.Struct("<2d")
"""Second record, from its start: numbers of k-points and of bands."""

_MOST_BYTES, _MOST = 2**40, 2**24
"""More bytes of a record, and more k-points or bands, than there are: such numbers are damaged."""


def is_whole_wavefunction(path: Path) -> bool:
    """Whether WAVECAR has every record that its first two say it has.

    After these two come, for each spin and k-point, one with the energies and one for each band.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return False
        length, spins, _ = _HEAD.unpack(head)
        if not _HEAD.size <= length < _MOST_BYTES or spins not in (1, 2):
            return False
        stream.seek(int(length))
        counts = stream.read(_COUNTS.size)
        if len(counts) < _COUNTS.size:
            return False
        kpoints, bands = _COUNTS.unpack(counts)
    if not (1 <= kpoints < _MOST and 1 <= bands < _MOST):
        return False
    last = 2 + int(spins) * int(kpoints) * (1 + int(bands))
    return size > (last - 1) * int(length)  # the last record may be shorter than the others
