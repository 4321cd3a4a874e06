"""Programs that designs share: with what follows from each, in this process and kept on disk for the next one."""
