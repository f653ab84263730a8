"""Photon correlations: g2 of pulsed and continuous excitation, and at long delays."""
