# The tasks of a working day; plain `make` lists them. All take the Python of the active environment.
.DEFAULT_GOAL := help
.PHONY: help check fast full docs site versions bench targets ci

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

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

versions: ## this version's site beside those of others, on the branch gh-pages; nothing is pushed
	mike deploy --update-aliases "$$(python -c 'import archsim; print(archsim.__version__)')" latest
	mike set-default latest

bench: ## how fast archsim is on this machine, briefly
	python benchmarks/speed.py --quick
	python benchmarks/executors.py --quick

targets: ## every figure that was asked for, beside another way; added to their history (needs .[bench], some minutes)
	mkdir -p build
	pytest -c benchmarks/targets/pytest.ini benchmarks/targets --benchmark-json=build/targets.json
	python benchmarks/targets/history.py build/targets.json

ci: ## all that CI runs, in fresh environments (downloads packages)
	bash .ci/run
