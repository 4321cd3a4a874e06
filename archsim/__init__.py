"""archsim: a cycle-level simulator of LSTM accelerators. Start reading at `archsim.api.simulate`."""

__version__ = "0.1.0"
