"""What families share of an LSTM, GRU or RNN cell: its groups of rows, buffers, and what follows the sums."""
