"""The reports on photons and spectra of single dots."""
