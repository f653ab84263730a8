"""Made-up PAW data sets with the headings of real ones, for tests; nothing in them is licensed."""

from collections.abc import Mapping
from pathlib import Path

from ase.data import atomic_masses, atomic_numbers

CONTENTS: Mapping[str, tuple[float, float]] = {
    "H": (1.0, 250.0), "C": (4.0, 400.0), "N": (5.0, 400.0), "O": (6.0, 400.0), "F": (7.0, 400.0),
    "P": (5.0, 255.04), "S": (6.0, 258.689), "Cl": (7.0, 262.472), "Br": (7.0, 216.285),
    "I": (7.0, 175.647), "Cs_sv": (9.0, 220.318), "Pb_d": (14.0, 237.835), "Pb": (4.0, 97.973),
}  # fmt: skip
"""Valence electrons and cutoff [eV] of each made-up data set, by its name."""


def write_potcars(
    root: Path,
    contents: Mapping[str, tuple[float, float]] = CONTENTS,
    *,
    folder: str = "POT_GGA_PAW_PBE",
    lexch: str = "PE",
) -> Path:
    """Write a folder for PMG_VASP_PSP_DIR, laid out as `folder`/Cs_sv/POTCAR; return the root."""
    for label, (electrons, cutoff) in contents.items():
        path = root / folder / label / "POTCAR"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make_potcar(label, electrons, cutoff, lexch=lexch))
    return root


def make_potcar(label: str, electrons: float, cutoff: float, *, lexch: str = "PE") -> str:
    """Text of a made-up data set."""
    element = label.split("_")[0]
    title = f"PAW_PBE {label} 01Jan2000"
    mass = atomic_masses[atomic_numbers[element]]
    return f"""  {title}
   {electrons:.14f}
 parameters from PSCTR are:
   VRHFIN ={element}: made up for tests
   LEXCH  = {lexch}
   EATOM  =   100.0000 eV,    7.3500 Ry

   TITEL  = {title}
   LULTRA =        F    use ultrasoft PP ?
   IUNSCR =        1    unscreen: 0-lin 1-nonlin 2-no
   RPACOR =    1.000    partial core radius
   POMASS = {mass:8.3f}; ZVAL   =  {electrons:7.3f}    mass and valenz
   RCORE  =    1.100    outmost cutoff radius
   ENMAX  =  {cutoff:7.3f}; ENMIN  =  {0.75 * cutoff:7.3f} eV
   EAUG   =  400.000
  END of PSCTR-controll parameters
 local part
   100.00000000000
  0.10000000E+01  0.20000000E+01  0.30000000E+01
 End of Dataset
"""
