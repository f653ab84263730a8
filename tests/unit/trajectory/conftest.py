from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from qdcomp.trajectory import Frame

SYMBOLS = ("Cs", "Pb", "Br", "Br", "Br")
MASSES = np.array([132.905, 207.2, 79.904, 79.904, 79.904])


@pytest.fixture
def symbols() -> tuple[str, ...]:
    return SYMBOLS


@pytest.fixture
def masses() -> NDArray[np.float64]:
    return MASSES


@pytest.fixture
def make_frame() -> Callable[..., Frame]:
    """A frame with everything, different at every step, its numbers using all their bits."""

    def make(step: int, n_atoms: int = len(SYMBOLS), **changes: object) -> Frame:
        rng = np.random.default_rng(step)
        values: dict[str, object] = {
            "positions": rng.normal(scale=9.0, size=(n_atoms, 3)),
            "velocities": rng.normal(scale=1e-3, size=(n_atoms, 3)),
            "forces": rng.normal(scale=0.1, size=(n_atoms, 3)),
            "potential_energy_ev": -26000.0 - step / 3,
            "kinetic_energy_ev": 1.0 + step / 7,
            "conserved_energy_ev": -25999.1,
            "temperature_k": 10.0 + step,
            "homo_ev": -5.1,
            "lumo_ev": -3.0 + step / 9,
            "homo_population": rng.dirichlet(np.ones(n_atoms)),
            "lumo_population": rng.dirichlet(np.ones(n_atoms)),
        }
        return Frame(step=step, time_fs=10.0 * step, **(values | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def cp2k_text() -> Callable[..., str]:
    """Frames as CP2K writes them: ``(I8)``, its comment, ``(A3,3F20.10)``."""

    def write(
        positions: NDArray[np.float64],
        steps: Sequence[int],
        symbols: Sequence[str] = SYMBOLS,
        timestep_fs: float = 10.0,
    ) -> str:
        lines = []
        for step, frame in zip(steps, positions, strict=True):
            lines.append(f"{len(symbols):8d}")
            energy = -26352.2157479265 - step / 1000
            lines.append(f" i = {step:8d}, time = {timestep_fs * step:12.3f}, E = {energy:20.10f}")
            lines += [
                f"{symbol:>3s}" + "".join(f"{value:20.10f}" for value in row)
                for symbol, row in zip(symbols, frame, strict=True)
            ]
        return "\n".join(lines) + "\n"

    return write


@pytest.fixture
def text_file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "dot-pos-1.xyz"
        path.write_bytes(text.encode())
        return path

    return write
