"""Scripts of developers: pages of docs/, golden metrics, planted faults. None is part of the package."""
