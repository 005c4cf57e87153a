"""`make powerbi` writes what it makes where the project has it."""

from usage_platform.console import powerbi
from usage_platform.services.powerbi_model import model_files


def test_the_files_are_written_with_the_clock_changes_of_the_building(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USAGE_TIMEZONE", "Europe/Rome")
    (tmp_path / powerbi.DEFINITION / "tables").mkdir(parents=True)
    powerbi.main()
    made = model_files("Europe/Rome")
    written = {name: (tmp_path / powerbi.DEFINITION / name).read_text("utf-8") for name in made}
    assert written == made
    # In 2024 the clock went forward on the last Sunday of March, at one o'clock UTC.
    assert "{#datetime(2024, 3, 31, 1, 0, 0), 120}" in written["expressions.tmdl"]
    assert capsys.readouterr().out.count("written") == len(made)
