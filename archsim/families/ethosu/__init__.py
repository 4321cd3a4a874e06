"""Arm Ethos-U55 as its compiler, Vela, estimates it: operators in turn, each as long as its slowest part."""
