"""Asks HWComponents, Accelergy's successor, for prices: integer logic of its library, SRAM of its CACTI, DRAM's bits.

Its packages are an extra, `archsim[hwcomponents]`, for Python 3.12 and newer. The library needs a fourth package
(hwcomponents-neurosim) to be imported, which it does not declare.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from archsim.errors import ExtensionError
from archsim.technology.beside import DEVICES, Device
from archsim.technology.config import OperatorPoint, SramGrids, Technology
from archsim.technology.estimates import Estimates, five_digits

OLDEST_PYTHON = (3, 12)
"""The oldest Python that HWComponents' packages ask for."""

DRAMS = {"lpddr4": "LPDDR4", "ddr3": "DDR3", "hbm2": "HBM2"}
"""The types of DRAM that archsim and HWComponents both have: archsim's name -> HWComponents' class."""

PJ_PER_J, MW_PER_W, UM2_PER_M2, MM2_PER_M2 = 1e12, 1e3, 1e12, 1e6
"""Factors from SI's units, which HWComponents gives, to those of a technology file."""


@dataclass(frozen=True, slots=True)
class HwComponents:
    """The modules of HWComponents that have prices."""

    library: ModuleType
    cacti: ModuleType
    estimator: str


def load_hwcomponents() -> HwComponents:
    """HWComponents as it is installed; ExtensionError where this Python is too old for it, or it is not there."""
    if sys.version_info < OLDEST_PYTHON:
        raise ExtensionError(
            f"HWComponents needs Python {'.'.join(map(str, OLDEST_PYTHON))} or newer, this is Python "
            f"{sys.version_info.major}.{sys.version_info.minor}; a technology file that was made elsewhere can be used "
            "with any"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its packages' own text
            import hwcomponents_cacti
            import hwcomponents_library
    except ModuleNotFoundError as missing:
        raise ExtensionError(
            f'HWComponents needs the package {missing.name}: pip install "archsim[hwcomponents]"'
        ) from None
    parts = [f"{name} {version(f'hwcomponents-{name}')}" for name in ("library", "cacti")]
    return HwComponents(
        hwcomponents_library, hwcomponents_cacti, f"HWComponents {version('hwcomponents')} ({', '.join(parts)})"
    )


def estimates(base: Technology, found: HwComponents) -> Estimates:
    """What HWComponents says at the node of a technology, at the points of its tables; ExtensionError if it fails."""
    node_m = base.node_nm * 1e-9
    library, node = found.library, f"at {base.node_nm:g} nm"
    scaled = f"{found.estimator} {node}: Shao et al., Aladdin, ISCA 2014, 40 nm, scaled by Stillmaker and Baas (2017)"
    register = library.AladdinRegister(tech_node=node_m, width=1)
    multiplier = library.AladdinMultiplier(tech_node=node_m, width=32)
    drams = {name: getattr(found.cacti, its)() for name, its in DRAMS.items()}
    device, temperature_k = leakage_conditions(_configuration(found))
    return Estimates(
        estimator=found.estimator,
        logic_source=scaled,
        sram_source=f"{found.estimator} {node}: CACTI 7, two ports: both read and write; leakage brought from "
        f"{device} transistors at {temperature_k:g} K to those of the base by its section leakage (inferred)",
        dram_source=found.estimator,
        multiply=_points(
            base.integer_multiply.points, lambda bits: library.AladdinMultiplier(node_m, width=bits), "multiply"
        ),
        add=_points(base.integer_add.points, lambda bits: library.AladdinAdder(node_m, width=bits), "add"),
        register_bit=_point(1, register.write().energy, register.area),
        logic_leakage_mw_per_mm2=five_digits(multiplier.leak_power * MW_PER_W / (multiplier.area * MM2_PER_M2)),
        single_port=_grids(base, found, ports=1),
        dual_port=_grids(base, found, ports=2),
        leakage_at=(device, temperature_k),
        dram_pj_per_bit={name: _bit_pj(dram.read().energy, dram.width) for name, dram in drams.items()},
    )


def _configuration(found: HwComponents) -> str:
    """The text with which its CACTI is configured."""
    return (_folder(found) / "default_cfg.cfg").read_text(encoding="utf-8")


def _folder(found: HwComponents) -> Path:
    assert found.cacti.__file__ is not None
    return Path(found.cacti.__file__).parent


def leakage_conditions(configuration: str) -> tuple[Device, float]:
    """Transistors around the cells, and the temperature in K, of a configuration of CACTI; ExtensionError without."""
    kelvin = re.search(r"^-operating temperature \(K\) (\d+)", configuration, re.MULTILINE)
    kind = re.search(r'^-Data array peripheral type - "itrs-(\w+)"', configuration, re.MULTILINE)
    devices = dict(zip(("lstp", "lop", "hp"), DEVICES, strict=True))
    if kelvin is None or kind is None or kind[1] not in devices:
        raise ExtensionError(
            "HWComponents: default_cfg.cfg of hwcomponents-cacti has no known transistors and temperature"
        )
    return devices[kind[1]], float(kelvin[1])


def _points(points: Sequence[OperatorPoint], of_width: Callable[[int], Any], action: str) -> tuple[OperatorPoint, ...]:
    made = [(point.bits, of_width(point.bits)) for point in points]
    return tuple(_point(bits, getattr(model, action)().energy, model.area) for bits, model in made)


def _point(bits: int, energy_j: float, area_m2: float) -> OperatorPoint:
    return OperatorPoint(
        bits=bits, energy_pj=five_digits(energy_j * PJ_PER_J), area_um2=five_digits(area_m2 * UM2_PER_M2)
    )


def _bit_pj(energy_j: float, bits: int) -> float:
    return five_digits(energy_j * PJ_PER_J / bits)


def _grids(base: Technology, found: HwComponents, ports: int) -> SramGrids:
    """CACTI's SRAMs at all points of the base's table."""
    table = base.sram
    rows = [[_sram(found, base.node_nm, words, width, ports) for width in table.width_bits] for words in table.words]

    def grid(place: int) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(cell[place] for cell in row) for row in rows)

    return SramGrids(read_pj=grid(0), write_pj=grid(1), leakage_mw=grid(2), area_mm2=grid(3))


def _sram(found: HwComponents, node_nm: float, words: int, width_bits: int, ports: int) -> tuple[float, ...]:
    """An SRAM of CACTI: pJ of reading and of writing a word, leakage in mW, area in mm2."""
    try:
        sram = found.cacti.SRAM(tech_node=node_nm * 1e-9, width=width_bits, size=words * width_bits, n_rw_ports=ports)
    except Exception as error:  # it raises no class of its own
        raise ExtensionError(_why_not(found, error)) from error
    read_pj, write_pj = (action().energy * PJ_PER_J for action in (sram.read, sram.write))
    numbers = (read_pj, write_pj, sram.leak_power * MW_PER_W, sram.area * MM2_PER_M2)
    return tuple(map(five_digits, numbers))


def _why_not(found: HwComponents, error: Exception) -> str:
    """Why CACTI did not run, by the first line of its log, and what to do: the package has its source beside it."""
    log = re.search(r"check (\S+cacti\.log) for CACTI output", str(error))
    lines = Path(log[1]).read_text(encoding="utf-8", errors="replace").splitlines() if log else []
    reason = next((line for line in lines if line.strip()), str(error))
    build = f"make -C {_folder(found) / 'cacti'} opt"
    return f"CACTI of hwcomponents-cacti does not run here: {reason.strip()}; to build it from its source: {build}"
