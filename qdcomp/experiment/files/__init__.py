"""Files of photons and spectra: what instruments and their programs write."""
