"""Simulated dots whose truth is known: photons and spectra."""
