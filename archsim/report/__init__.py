"""The forms of a finished run: text, pictures, the program's listing and a line a cycle."""

from archsim.report.figures.plots import (
    plot_accuracy,
    plot_cycle_stack,
    plot_energy,
    plot_format_ranges,
    plot_roofline,
    plot_timeline,
    plot_utilization,
)
from archsim.report.text.linetrace import line_trace
from archsim.report.text.listing import program_listing
from archsim.report.text.report_text import print_report, report_text

__all__ = [
    "line_trace",
    "plot_accuracy",
    "plot_cycle_stack",
    "plot_energy",
    "plot_format_ranges",
    "plot_roofline",
    "plot_timeline",
    "plot_utilization",
    "print_report",
    "program_listing",
    "report_text",
]
