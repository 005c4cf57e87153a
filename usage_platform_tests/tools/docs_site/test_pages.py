from usage_platform_tests.repository import ROOT
from usage_platform_tests.tools.docs_site.pages import SECTIONS, api_pages, nav_of


def test_each_module_of_the_documented_layers_is_in_the_reference_once():
    pages = api_pages(ROOT / "usage_platform")
    lines = [line for text in pages.values() for line in text.splitlines()]
    listed = [line.removeprefix("::: ") for line in lines if line.startswith("::: ")]
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for layer in ("core", "services", "adapters")
        for path in (ROOT / "usage_platform" / layer).rglob("*.py")
        if path.name != "__init__.py"
    ]
    assert sorted(listed) == sorted(modules)
    assert pages["api/services.md"].startswith("# services\n\n::: usage_platform.services.")


def test_the_nav_has_every_page_once_in_the_order_of_the_sections():
    pages = ["api/core.md", "new.md", "dev/tests.md", "index.md", "dev/index.md", "alerts.md"]
    pages += ["page.md", "decisions/0002-b.md", "decisions/0001-a.md"]
    assert nav_of(pages) == [
        "index.md",
        {"Use": ["page.md", "alerts.md"]},
        {"Architecture": ["decisions/0001-a.md", "decisions/0002-b.md"]},
        {"Develop": ["dev/index.md", "dev/tests.md"]},
        {"API": ["api/core.md"]},
        {"More": ["new.md"]},
    ]


def test_no_page_of_docs_is_left_over_by_the_sections():
    pages = [p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md")]
    titles = {title for entry in nav_of(pages) if isinstance(entry, dict) for title in entry}
    assert titles <= {*SECTIONS}
