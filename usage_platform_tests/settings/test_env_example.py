import shlex

from usage_platform.settings.settings import PREFIX, Settings
from usage_platform_tests.repository import ROOT

EXAMPLE = ROOT / ".env.example"


def documented() -> dict[str, str]:
    """The variables that stand there, commented out, in their order."""
    lines = EXAMPLE.read_text("utf-8").splitlines()
    pairs = [line.removeprefix("# ") for line in lines if line.startswith(f"# {PREFIX}")]
    return dict(shlex.split(pair)[0].split("=", 1) for pair in pairs)


def test_the_example_names_every_setting_in_its_order():
    assert list(documented()) == [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]


def test_the_example_shows_every_default():
    shown = documented()
    for name, field in Settings.model_fields.items():
        expected = "" if field.default is None else str(field.default)
        assert shown[f"{PREFIX}{name.upper()}"] == expected, name


def test_the_example_with_all_its_lines_in_force_changes_nothing():
    assert Settings.from_env(documented()) == Settings()


def test_each_variable_has_a_line_of_its_own_that_says_what_it_is_for():
    lines = EXAMPLE.read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.startswith(f"# {PREFIX}"):
            above, further_above = lines[number - 1], lines[number - 2]
            assert above.startswith("# "), line
            assert not above.startswith(f"# {PREFIX}"), line
            assert further_above == "", line


def test_no_line_of_the_example_is_in_force():
    lines = EXAMPLE.read_text("utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("# ")] == []
