"""Photoluminescence decays: lifetimes, FLID, type of blinking, rates."""
