"""qdcomp: perovskite quantum dots from structure to linewidth, beside single-dot data.

Importing this package does nothing else: no configuration is read, no handler is attached.
"""

__version__ = "0.1.0"
