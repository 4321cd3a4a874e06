"""Makes the site of what the repository holds: a hook of MkDocs, which mkdocs.yml names.

Pages link to files as the repository has them (../DEVIATIONS.md, ../arch_configs). The site holds the pages of docs/,
and those of PAGES under names of its own; links among all of these are turned into links of the site. A link to any
other file that exists (code, a configuration) becomes words, because a site has no such file. A link to nothing stays
as it is, and ends the build.
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "README.md": "project/readme.md",
    "README.zh-CN.md": "project/readme_zh.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "DEVIATIONS.md": "project/deviations.md",
    "examples/README.md": "examples/index.md",
    "workloads/README.md": "project/workloads.md",
}
"""Pages outside of docs/, by their path in the repository, and where the site has them."""

_CODE_OR_LINK = re.compile(
    r"(?P<code>^```.*?^```|`[^`\n]*`)|(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^()\s]+)\)",
    re.MULTILINE | re.DOTALL,
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages outside of docs/."""
    from mkdocs.structure.files import File

    for path, name in PAGES.items():
        files.append(File.generated(config, name, content=(ROOT / path).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the links of a page into links of the site."""
    return site_links(markdown, page.file.src_uri)


def site_links(text: str, name: str, root: Path = ROOT) -> str:
    """The text of the site's page `name` with links of the site; code is left alone."""
    source = next((path for path, found in PAGES.items() if found == name), f"docs/{name}")

    def replaced(match: re.Match[str]) -> str:
        target = match["target"]
        if target is None or "://" in target or target.startswith("#"):
            return match[0]
        path, _, anchor = target.partition("#")
        found = os.path.normpath(PurePosixPath(source).parent / path)
        if not (root / found).exists():
            return match[0]
        own = PAGES.get(found) or (found.removeprefix("docs/") if found.startswith("docs/") else None)
        if own is None or not PurePosixPath(own).suffix:
            return f"{match['text']}"
        link = os.path.relpath(own, PurePosixPath(name).parent)
        return f"{match['image']}[{match['text']}]({link}{'#' if anchor else ''}{anchor})"

    return _CODE_OR_LINK.sub(replaced, text)
