"""Gives MkDocs what `pages` says: generated pages, the nav, and links that hold in the site.

Belongs here: MkDocs' events. Not here: what the pages hold (`pages`), the site's looks
(`mkdocs.yml`). Run with the repository's folder on the path: `python -m mkdocs build`.
"""

# pyright: reportMissingImports=false
# MkDocs has an environment of its own.

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from usage_platform_tests.tools.docs_site.pages import (
    PACKAGE,
    REPOSITORY_PAGES,
    BrokenLinkError,
    api_pages,
    nav_of,
    site_place,
    with_site_links,
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, and set the nav to all pages that are there."""
    root = _root(config)
    generated = {site_place(name): (root / name).read_text("utf-8") for name in REPOSITORY_PAGES}
    for place, text in {**generated, **api_pages(root / PACKAGE)}.items():
        files.append(File.generated(config, place, content=text))
    config.nav = nav_of([file.src_uri for file in files.documentation_pages()])
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let each link of a page lead to a page of the site, or show the path of a file.

    Raises:
        PluginError: For a link to a file that is not there.
    """
    places = {file.src_uri for file in files}
    try:
        return with_site_links(markdown, page.file.src_uri, places, _root(config))
    except BrokenLinkError as error:
        raise PluginError(str(error)) from None


def _root(config: MkDocsConfig) -> Path:
    return Path(config.docs_dir).parent
