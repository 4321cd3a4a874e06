"""The weight matrices: their tiles, which of them stay on the chip, and how the others are streamed."""
