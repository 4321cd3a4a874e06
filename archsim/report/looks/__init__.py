"""The colours and hatches of ops and of cycles, the same in figures and pages of every run."""
