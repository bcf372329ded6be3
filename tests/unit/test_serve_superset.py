"""The secrets of the dashboard: whole, and readable for their owner alone. What needs Superset is tested in tests/project."""

import pytest
from serve_superset import kept_secret


def test_a_secret_is_made_once(tmp_path):
    path = tmp_path / "secret_key"
    secret = kept_secret(path)
    assert len(secret) == 32
    assert kept_secret(path) == path.read_text() == secret
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


@pytest.mark.parametrize("text", ["", "\n", "cut off", 32 * "\0"])
def test_one_that_a_crash_has_cut_is_made_anew(tmp_path, text, capsys):
    path = tmp_path / "secret_key"
    path.write_text(text)
    path.chmod(0o644)
    path.with_name(".secret_key.new").write_text("of a run that was killed")
    assert len(kept_secret(path)) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]
    assert capsys.readouterr().out == f"{path} is empty or cut, and is made anew.\n"


def test_two_secrets_differ(tmp_path):
    assert kept_secret(tmp_path / "secret_key") != kept_secret(tmp_path / "admin_password")


def test_a_secret_is_kept_with_the_line_end_of_an_editor(tmp_path):
    path = tmp_path / "admin_password"
    path.write_text("a password of somebody's own, long enough\n")
    assert kept_secret(path) == "a password of somebody's own, long enough"
