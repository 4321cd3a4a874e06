"""docs/explore.md and docs/delta.md: every design in their tables evaluated again, and their named numbers."""

import pytest

from archsim.explore import Space
from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task
from archsim.explore.search.point_classifier import PointClassifier
from tools.docs import explore_tables

PAGE = explore_tables.PAGE.read_text()


@pytest.mark.exhaustive
@pytest.mark.parametrize("table", explore_tables.TABLES, ids=lambda table: table.space)
def test_the_rows_are_what_their_designs_give(table: explore_tables.Table) -> None:
    """Of `formats` and `delta`, whose points compute every number, each third row."""
    space = Space.load(table.space)
    classifier, evaluator = PointClassifier(space), DesignEvaluator(Setup.from_space(space, "auto"))
    page = table.page.read_text()
    numbers = table.numbers(page, space)
    assert numbers
    for number in numbers[:: 3 if space.with_arithmetic else 1]:
        design = space.design(number)
        point = classifier.after(design, evaluator.run(Task(design.key, design.number, design.schedule)))
        (line,) = table.rows(space, [point]).splitlines()[2:]
        assert f"{line}\n" in page, "run: python -m tools.docs.explore_figures"


def test_the_spaces_have_as_many_points_as_the_page_says() -> None:
    for table in explore_tables.TABLES:
        space = Space.load(table.space)
        assert f"| `{space.name}` | {space.size:,} |" in PAGE


@pytest.mark.parametrize("table", explore_tables.TABLES, ids=lambda table: table.space)
def test_the_size_of_a_front_is_written_by_the_generator(table: explore_tables.Table) -> None:
    page = explore_tables.counted(table.page.read_text(), table.space, 1234)
    assert f"<!-- front:{table.space} -->1,234<!-- end -->" in page
    assert explore_tables.filled(page, {table.space: ""}).count("1,234") == page.count("1,234"), "in the prose"


def test_the_table_of_formats_is_the_whole_front() -> None:
    """Its prose says how many designs that are: as many as the table has rows."""
    space = Space.load("formats")
    [table] = [table for table in explore_tables.TABLES if table.space == "formats"]
    assert f"<!-- front:formats -->{len(table.numbers(PAGE, space))}<!-- end -->" in PAGE
