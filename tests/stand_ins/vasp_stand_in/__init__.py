"""A stand-in for VASP, for tests: it reads VASP's inputs and writes VASP's outputs.

It is not VASP. Energies and forces come from a made-up pair potential, eigenvalues from a made-up
spectrum; only the files have VASP's form. What it is told by ``VASP_STAND_IN`` (`behaviour`) makes
it fail as real runs do.
"""
