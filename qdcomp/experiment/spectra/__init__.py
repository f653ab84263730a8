"""Emission spectra: lines, their wandering, their widths, and sizes from their peaks."""
