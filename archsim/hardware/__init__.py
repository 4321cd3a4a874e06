"""The hardware that all machines share: units, operators, number handling, memories."""
