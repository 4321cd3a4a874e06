"""The cells of LSTM, GRU and RNN layers, as all families share them: groups of rows, buffers, ops after the sums."""
