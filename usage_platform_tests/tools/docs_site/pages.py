"""The pages of the documentation site: what is generated, the nav, and where links lead.

Belongs here: what can be said without MkDocs, which is not installed beside the tests. Not here:
how MkDocs is given it (`hooks`).

A page's links are written for whoever reads it in the repository. Where the target is a page of the
site, the link leads to that page, and MkDocs checks it with its anchor; where it is another file,
its path is shown in place of the link; where there is no such file, that is an error.
"""

import posixpath
import re
from collections.abc import Sequence
from pathlib import Path

DOCS = "docs"
PACKAGE = "usage_platform"
API_LAYERS = ("core", "services", "adapters")
REPOSITORY_PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "terraform/README.md",
)
"""Pages of the repository outside docs/ that are pages of the site, too."""

FIRST = ("index.md", "repository/README.md")
SECTIONS = {
    "Use": (
        "user-guide.md",
        "meter-data.md",
        "samples.md",
        "page.md",
        "alerts.md",
        "tariffs.md",
        "findings.md",
        "powerbi.md",
        "evaluation.md",
        "reference.md",
        "bad-input.md",
        "glossary.md",
    ),
    "Operate": (
        "operations.md",
        "performance.md",
        "scale.md",
        "deploy-aws.md",
        "repository/terraform/README.md",
        "terraform-checks.md",
        "faults.md",
        "security.md",
        "repository/SECURITY.md",
        "repository/CHANGELOG.md",
    ),
    "Architecture": ("architecture.md", "decisions/"),
    "Develop": ("dev/index.md", "repository/CONTRIBUTING.md", "dev/", "guards.md"),
    "API": ("api/",),
}
"""The nav: pages, or folders with all of their pages. A page that is not there is left out."""

_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s:]+)\)")


class BrokenLinkError(ValueError):
    """A link to a file that is not there; one line with the page and the file."""


def api_pages(package: Path) -> dict[str, str]:
    """A page for each folder of the documented layers, with its modules in alphabetical order.

    Args:
        package: The package's folder.

    Returns:
        Markdown by the page's place in the site.
    """
    pages: dict[str, str] = {}
    for layer in API_LAYERS:
        for folder in [package / layer, *sorted(p for p in (package / layer).rglob("*"))]:
            modules = sorted(folder.glob("*.py")) if folder.is_dir() else []
            names = [module.stem for module in modules if module.stem != "__init__"]
            if not names:
                continue
            parts = folder.relative_to(package.parent).parts
            blocks = [f"::: {'.'.join((*parts, name))}" for name in names]
            title = "/".join(parts[1:])
            pages[f"api/{title}.md"] = "\n\n".join([f"# {title}", *blocks]) + "\n"
    return pages


def nav_of(pages: Sequence[str]) -> list[str | dict[str, list[str]]]:
    """The nav as `mkdocs.yml` would spell it: first pages, sections, and what is in none."""
    left = sorted(set(pages) - set(FIRST))
    nav: list[str | dict[str, list[str]]] = [page for page in FIRST if page in pages]
    for title, wanted in SECTIONS.items():
        chosen: list[str] = []
        for name in wanted:
            chosen += [page for page in left if _is_in(page, name) and page not in chosen]
        left = [page for page in left if page not in chosen]
        if chosen:
            nav.append({title: chosen})
    if left:
        nav.append({"More": left})
    return nav


def with_site_links(markdown: str, page: str, pages: set[str], root: Path) -> str:
    """A page's text with links that hold in the site.

    Args:
        markdown: The page's text.
        page: Its place in the site.
        pages: All files of the site, by their places.
        root: The repository's folder.

    Raises:
        BrokenLinkError: For a link to a file that is not there.
    """
    if page.startswith("api/"):
        return markdown
    source = _repository_place(page)

    def site_link(match: re.Match[str]) -> str:
        name, hash_mark, anchor = match["target"].partition("#")
        if not name:
            return match[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), name))
        if site_place(target) in pages:
            place = posixpath.relpath(site_place(target), posixpath.dirname(page) or ".")
            return f"[{match['text']}]({place}{hash_mark}{anchor})"
        if not (root / target).exists():
            raise BrokenLinkError(f"{source}: link to {match['target']}: there is no {target}")
        shown = f"`{target}`"
        return shown if match["text"].strip("`") == target else f"{match['text']} ({shown})"

    # Pictures are links of the same form after a mark, with the same rule for their places.
    text = _LINK.sub(site_link, markdown)
    return re.sub(r"!(\[[^\]]*\]\([^)\s:]+\))", lambda m: "!" + _LINK.sub(site_link, m[1]), text)


def site_place(repository_place: str) -> str:
    """Where a page of the repository is in the site."""
    if repository_place.startswith(f"{DOCS}/"):
        return repository_place.removeprefix(f"{DOCS}/")
    return f"repository/{repository_place}"


def _is_in(page: str, name: str) -> bool:
    return page.startswith(name) if name.endswith("/") else page == name


def _repository_place(site_place: str) -> str:
    if site_place.startswith("repository/"):
        return site_place.removeprefix("repository/")
    return f"{DOCS}/{site_place}"
