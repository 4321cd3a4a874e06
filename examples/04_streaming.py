"""A chip that is on, and a frame every 10 ms: how large must it be?

Three sizes of the same array. The latency of a frame is from its x at the input until its y is stored; the interval
says how soon the next one could come; what the chip leaks until then counts as the frame's energy, too.
"""

from __future__ import annotations

from archsim import load_arch, load_workload, simulate
from archsim.config import parse_override

NETWORK = load_workload("lstm:40,64,t=10,layers=2,streaming=1", [parse_override("period_us=10000")])

print("array     latency   interval   headroom   energy a frame   area")
for size in (4, 8, 16):
    fields = (
        f"mac_array.rows={size}",
        f"mac_array.columns={size}",
        f"weight_sram.banks={size}",
        f"weight_sram.port_bits={8 * size}",
        "weight_sram.capacity_bytes=96KiB",
    )
    machine = load_arch("edge_16x16", [parse_override(field) for field in fields])
    run = simulate(machine, NETWORK, timing_only=True)
    frames, area = run.frames, run.stats.area
    assert frames is not None
    assert area is not None
    period_cycles = 10_000 * 400  # 10 ms at 400 MHz
    print(
        f"{size:>2} x {size:<2}{frames.frame_latency_cycles:>8,} cy"
        f"{frames.frame_interval_cycles:>8,.0f} cy{period_cycles / frames.frame_interval_cycles:>10,.0f} x"
        f"{frames.frame_energy_uj:>14,.1f} uJ{area.area_mm2:>8.3f} mm2"
    )
