"""The models of DRAM: one bandwidth and one latency, or a device with rows, banks and refresh."""
