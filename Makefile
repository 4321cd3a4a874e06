# The tasks of a working day; plain `make` lists them. All take the Python of the active environment.
.DEFAULT_GOAL := help
.PHONY: help check fast full docs site bench ci

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

check: ## lint, formatting, types and layers: no test is run
	ruff check .
	ruff format --check .
	mypy
	lint-imports

fast: ## the fast ring of tests, which covers every feature
	pytest

full: ## all there is: both rings of tests, every combination and long laws (an hour)
	pytest
	ARCHSIM_LONG=1 pytest -m exhaustive

docs: ## write the pages that are made from the code, then test all pages
	python -m tools.docs.generate
	pytest tests/docs

site: ## the documentation as a site in site/, where a link to nothing is an error
	mkdocs build --strict

bench: ## how fast archsim is on this machine, briefly
	python benchmarks/speed.py --quick
	python benchmarks/executors.py --quick

ci: ## all that CI runs, in fresh environments (downloads packages)
	bash .ci/run
