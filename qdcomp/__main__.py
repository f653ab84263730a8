"""``python -m qdcomp``: the same as the command ``qdcomp``."""

from qdcomp.cli import main

main()
