"""What all machines share: units, operators, number handling, memories."""
