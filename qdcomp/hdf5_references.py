"""What in an HDF5 file would make HDF5 read another file.

A link, a dataset whose numbers are stored elsewhere, and a virtual dataset name other files by
their paths, which HDF5 opens without asking. A file that came from somebody else could so show the
contents of a file of the reader's own.
"""

from __future__ import annotations

import h5py

MAX_LINKS = 100_000
"""Most links that a file may have; those of qdcomp and Photon-HDF5 have some hundred."""


def find_outside_reference(file: h5py.File) -> str:
    """Say what in `file` names another file, or cannot be told; empty where nothing does.

    Looks at every link once and opens none that leads out of the file.
    """
    seen = 0

    def look(name: str, link: object) -> str | None:
        nonlocal seen
        seen += 1
        if seen > MAX_LINKS:
            return f"more than {MAX_LINKS} links"
        if isinstance(link, h5py.ExternalLink):
            return f"/{name} is a link to the file {link.filename!r}"
        if isinstance(link, h5py.HardLink):
            return _describe_storage(name, file)
        return None

    try:
        return file.visititems_links(look) or ""
    except (SystemError, UnicodeError, KeyError, OSError, RuntimeError, ValueError):
        return "a link or its name cannot be read: the file is damaged"


def _describe_storage(name: str, file: h5py.File) -> str | None:
    try:
        node = file[name]
    except (KeyError, OSError, RuntimeError, ValueError):
        return None  # damaged: nobody can read it, and who needs it says so
    if not isinstance(node, h5py.Dataset):
        return None
    if node.external:
        return f"/{name} is stored in the file {node.external[0][0]!r}"
    return f"/{name} is put together from other files" if node.is_virtual else None
