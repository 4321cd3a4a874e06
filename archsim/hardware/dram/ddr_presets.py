"""Lists parameters of DRAM devices, each with its source: a JEDEC standard, or what it was inferred from.

Times are in cycles of the device's clock (nCK), rounded up from ns as the standards say. Where a standard was not at
hand the number was checked against the device tables of Ramulator, Ramulator 2, DRAMsim3 and gem5. Those of HBM2 do not
agree: Ramulator 2's are half of DRAMsim3's throughout, though both say a clock of 1 ns; we follow DRAMsim3's.
"""

from __future__ import annotations

from collections.abc import Mapping

Parameters = Mapping[str, tuple[int | float, str]]
"""Field of DdrDevice -> (value, where it comes from)."""

SUMMARIES: Mapping[str, str] = {
    "lpddr4_3200": "LPDDR4-3200, 16-bit channel of an 8 Gb die (4 Gb a channel): 6.4 GB/s a channel",
    "ddr4_3200": "DDR4-3200AA, 64-bit channel of eight 8 Gb x8 chips: 25.6 GB/s a channel",
    "hbm2_2000": "HBM2 at 2 Gb/s a pin, 64-bit pseudo channel of a 4-high stack of 8 Gb dies: 16 GB/s a channel",
}
"""A line about each device, for `archsim list`."""

TYPES: Mapping[str, str] = {"lpddr4_3200": "lpddr4", "ddr4_3200": "ddr4", "hbm2_2000": "hbm2"}
"""The type of DRAM that each device is, as technologies name it."""

DEVICES: Mapping[str, Parameters] = {
    "lpddr4_3200": {
        "data_rate_mts": (3200, "JESD209-4: LPDDR4-3200, tCK 0.625 ns"),
        "channel_bits": (16, "JESD209-4: two channels of 16 bits a die"),
        "burst_length": (16, "JESD209-4: BL16, 16n prefetch"),
        "bank_groups": (1, "JESD209-4: no bank groups"),
        "banks_per_group": (8, "JESD209-4: 8 banks a channel"),
        "rows_per_bank": (32768, "JESD209-4 addressing, 8 Gb die: R0-R14"),
        "row_bytes": (2048, "JESD209-4: page of 2 KB (1,024 columns of 16 bits)"),
        "trcd_nck": (29, "JESD209-4 core timings: tRCD 18 ns"),
        "trp_nck": (29, "JESD209-4 core timings: tRPpb 18 ns"),
        "trp_all_nck": (34, "JESD209-4 core timings: tRPab 21 ns"),
        "tras_nck": (68, "JESD209-4 core timings: tRAS 42 ns"),
        "tcl_nck": (
            28,
            "JESD209-4 at 3,200 MT/s, no DBI: RL 28; tDQSCK belongs to the controller's latency",
        ),
        "tcwl_nck": (14, "JESD209-4 write latency at 3,200 MT/s, set A: WL 14"),
        "tccd_s_nck": (8, "JESD209-4: tCCD 8 at BL16"),
        "tccd_l_nck": (8, "JESD209-4: tCCD 8, no bank groups"),
        "trrd_s_nck": (16, "JESD209-4 core timings: tRRD 10 ns"),
        "trrd_l_nck": (16, "JESD209-4 core timings: tRRD 10 ns, no bank groups"),
        "tfaw_nck": (64, "JESD209-4 core timings: tFAW 40 ns"),
        "trtp_nck": (12, "JESD209-4: RD to PRE is BL/2 + max(8, tRTP) - 8 with tRTP 7.5 ns = 12 nCK"),
        "twr_nck": (30, "JESD209-4: WR to PRE is WL + 1 + BL/2 + tWR with tWR 18 ns = 29 nCK; the 1 is counted here"),
        "twtr_s_nck": (
            17,
            "JESD209-4: WR to RD is WL + 1 + BL/2 + tWTR, tWTR 10 ns = 16 nCK; the 1 is counted here",
        ),
        "twtr_l_nck": (17, "JESD209-4: as tWTR_S, no bank groups"),
        "trtw_nck": (30, "JESD209-4: RL + tDQSCK,max (3.5 ns = 6) + BL/2 - WL + tWPRE (2) = 28 + 6 + 8 - 14 + 2"),
        "trefi_nck": (6246, "JESD209-4: tREFI 3.904 us, rounded down"),
        "trfc_nck": (
            288,
            "JESD209-4: tRFCab 180 ns at 3 and 4 Gb a channel, here half of an 8 Gb die; 130 ns at 2 Gb "
            "a channel, 280 ns at 6 and 8 Gb (a 16 Gb die of two channels), 380 ns at 12 and 16 Gb",
        ),
    },
    "ddr4_3200": {
        "data_rate_mts": (3200, "JESD79-4: DDR4-3200, tCK 0.625 ns"),
        "channel_bits": (64, "DIMM of eight x8 chips, no ECC"),
        "burst_length": (8, "JESD79-4: BL8, 8n prefetch"),
        "bank_groups": (4, "JESD79-4: x8 chips have 4 bank groups"),
        "banks_per_group": (4, "JESD79-4: 4 banks a group"),
        "rows_per_bank": (65536, "JESD79-4 addressing, 8 Gb x8: A0-A15"),
        "row_bytes": (8192, "JESD79-4: page of 1 KB a x8 chip, eight chips"),
        "trcd_nck": (22, "JESD79-4 speed bin 3200AA (22-22-22): 13.75 ns"),
        "trp_nck": (22, "JESD79-4 speed bin 3200AA: 13.75 ns"),
        "trp_all_nck": (22, "JESD79-4: PREA takes tRP too"),
        "tras_nck": (52, "JESD79-4 speed bin 3200AA: 32 ns"),
        "tcl_nck": (22, "JESD79-4 speed bin 3200AA: CL 22"),
        "tcwl_nck": (16, "JESD79-4: CWL 16 at 3,200 MT/s, 1 tCK preamble"),
        "tccd_s_nck": (4, "JESD79-4: tCCD_S 4 nCK"),
        "tccd_l_nck": (8, "JESD79-4: tCCD_L max(5 nCK, 5 ns)"),
        "trrd_s_nck": (4, "JESD79-4: tRRD_S max(4 nCK, 2.5 ns), page of 1 KB"),
        "trrd_l_nck": (8, "JESD79-4: tRRD_L max(4 nCK, 4.9 ns), page of 1 KB"),
        "tfaw_nck": (34, "JESD79-4: tFAW max(20 nCK, 21 ns), page of 1 KB"),
        "trtp_nck": (12, "JESD79-4: tRTP max(4 nCK, 7.5 ns)"),
        "twr_nck": (24, "JESD79-4: tWR 15 ns"),
        "twtr_s_nck": (4, "JESD79-4: tWTR_S max(2 nCK, 2.5 ns)"),
        "twtr_l_nck": (12, "JESD79-4: tWTR_L max(4 nCK, 7.5 ns)"),
        "trtw_nck": (
            12,
            "JESD79-4: RL + BL/2 - WL + 1 + preamble of 1 tCK = 22 + 4 - 16 + 2, as in Ramulator 2; DRAMsim3 has "
            "11 (tRTRS 1 for the 2)",
        ),
        "trefi_nck": (12480, "JESD79-4: tREFI 7.8 us up to 85 C"),
        "trfc_nck": (560, "JESD79-4: tRFC1 350 ns at 8 Gb"),
    },
    "hbm2_2000": {
        "data_rate_mts": (2000, "JESD235B: 2 Gb/s a pin, tCK 1 ns"),
        "channel_bits": (64, "JESD235B: pseudo channel mode, 16 pseudo channels of 64 bits a stack"),
        "burst_length": (4, "JESD235B: BL4 in pseudo channel mode, 32 bytes"),
        "bank_groups": (4, "JESD235B: 16 banks in 4 groups"),
        "banks_per_group": (4, "JESD235B: 16 banks in 4 groups"),
        "rows_per_bank": (16384, "JESD235B addressing, 4 Gb a channel: RA0-RA13"),
        "row_bytes": (1024, "JESD235B: page of 1 KB a pseudo channel"),
        "trcd_nck": (14, "vendor specific in JESD235B; 14 ns in DRAMsim3's HBM2 tables"),
        "trp_nck": (14, "vendor specific in JESD235B; 14 ns in DRAMsim3's HBM2 tables"),
        "trp_all_nck": (14, "inferred: as tRP"),
        "tras_nck": (34, "vendor specific in JESD235B; 34 ns in DRAMsim3's HBM2 tables; 17 in Ramulator 2's"),
        "tcl_nck": (14, "vendor specific in JESD235B; RL 14 in DRAMsim3's HBM2 tables"),
        "tcwl_nck": (4, "vendor specific in JESD235B; WL 4 in DRAMsim3's HBM2 tables"),
        "tccd_s_nck": (2, "JESD235B: BL/2 at BL4"),
        "tccd_l_nck": (
            4,
            "inferred: twice tCCD_S. Sources disagree: 2 clocks, a burst, in DRAMsim3's tables of 1 ns; 3 ns in gem5's "
            "HBM_2000_4H_1x64; 2 in Ramulator 2, whose other times are half of DRAMsim3's",
        ),
        "trrd_s_nck": (4, "vendor specific in JESD235B; 4 ns in DRAMsim3's HBM2 tables"),
        "trrd_l_nck": (6, "vendor specific in JESD235B; 6 ns in DRAMsim3's HBM2 tables"),
        "tfaw_nck": (30, "vendor specific in JESD235B; 30 ns in DRAMsim3's HBM2 tables; 15 in Ramulator 2's"),
        "trtp_nck": (6, "vendor specific in JESD235B; tRTP_L 6 ns in DRAMsim3's HBM2 tables"),
        "twr_nck": (16, "vendor specific in JESD235B; 16 ns in DRAMsim3's HBM2 tables; 8 in Ramulator 2's"),
        "twtr_s_nck": (6, "vendor specific in JESD235B; 6 ns in DRAMsim3's HBM2 tables"),
        "twtr_l_nck": (8, "vendor specific in JESD235B; 8 ns in DRAMsim3's HBM2 tables"),
        "trtw_nck": (14, "RL + BL/2 - WL + 2 = 14 + 2 - 4 + 2, the form in Ramulator 2 (1 tCK preamble)"),
        "trefi_nck": (3900, "JESD235B: tREFI 3.9 us"),
        "trfc_nck": (260, "JESD235B: tRFC 260 ns at 4 Gb a channel"),
    },
}
"""The devices by name."""
