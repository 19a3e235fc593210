"""The configuration: file, environment, and what is said when either is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklist.config.settings import Settings, load_settings
from blocklist.domain.errors import ConfigurationError
from blocklist.domain.listing import AuthorityKind


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path | None = None) -> str:
    with pytest.raises(ConfigurationError) as found:
        load_settings(path)
    assert "\n" not in str(found.value)
    return str(found.value)


def test_without_a_word_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings == Settings()
    assert (settings.serve.control, settings.serve.lookup) == ("127.0.0.1:8080", "127.0.0.1:8081")
    assert settings.fetch.allow_private_hosts == ()
    guards = settings.guards.model_dump()
    assert (guards["max_rejected"], guards["max_removed"]) == (0.5, 0.2)


def test_the_default_policy_counts_what_governments_confirmed() -> None:
    (policy,) = Settings().all_policies()
    assert policy.name == "default"
    assert set(policy.kinds) == set(AuthorityKind) - {AuthorityKind.INDUSTRY, AuthorityKind.INTERNAL}
    assert (policy.countries, policy.feeds, policy.min_authorities) == ((), (), 1)


def test_policies_are_named_in_the_file_and_default_may_be_replaced(tmp_path: Path) -> None:
    text = '[policies.strict]\nkinds = ["court"]\ncountries = ["IT"]\nmin_authorities = 2\n[policies.default]\n'
    default, strict = load_settings(written(tmp_path, text)).all_policies()
    assert (default.name, default.kinds) == ("default", ())
    assert (strict.name, strict.kinds, strict.countries, strict.min_authorities) == (
        *("strict", (AuthorityKind.COURT,), ("IT",), 2),
    )


def test_the_environment_wins_over_the_file_setting_by_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, '[fetch]\nread_timeout = "7s"\nattempts = 2\n')
    monkeypatch.setenv("BLOCKLIST_FETCH__ATTEMPTS", "5")
    monkeypatch.setenv("BLOCKLIST_FETCH__ALLOW_PRIVATE_HOSTS", '["127.0.0.1"]')
    fetch = load_settings(path).fetch
    assert (fetch.read_timeout, fetch.attempts, fetch.allow_private_hosts) == (7, 5, ("127.0.0.1",))


def test_the_file_may_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKLIST_CONFIG", str(written(tmp_path, "[snapshot]\nkeep = 9\n")))
    assert load_settings().snapshot.keep == 9
    assert load_settings(data_dir=tmp_path).data_dir == tmp_path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[fetch]\nspeed = 1\n", "fetch.speed: is unknown"),
        ("speed = 1\n", "speed: is unknown"),
        ("[fetch]\nattempts = 0\n", "fetch.attempts: "),
        ('[serve]\ncontrol = "8080"\n', "serve.control: '8080' is not HOST:PORT"),
        ('[serve]\ncontrol = "x:99999"\n', "serve.control: 'x:99999' is not HOST:PORT"),
        ('[fetch]\nread_timeout = "soon"\n', "fetch.read_timeout: 'soon' is not a duration"),
        ('[log]\nlevel = "loud"\n', "log.level: "),
        ("[guards]\nmax_removed = 2\n", "guards.max_removed: "),
        ('[policies.x]\nkinds = ["pirate"]\n', "policies.x.kinds.0: "),
        ('[policies.x]\ncountries = ["Italy"]\n', "policies.x.countries.0: 'Italy' is not a country"),
        ("[policies.x]\nmin_authorities = 0\n", "policies.x.min_authorities: "),
        ("fetch = \n", "not TOML: "),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_the_setting(tmp_path: Path, text: str, said: str) -> None:
    message = refused(written(tmp_path, text))
    assert message.startswith(f"{tmp_path / 'config.toml'}: ")
    assert said in message


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    assert "none.toml: cannot be read: No such file" in refused(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    assert "not UTF-8 text" in refused(tmp_path / "latin.toml")


def test_a_value_of_the_environment_that_is_not_json_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKLIST_FETCH__ALLOW_PRIVATE_HOSTS", "127.0.0.1")
    assert "the environment: " in refused()


def test_an_unknown_setting_of_the_environment_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKLIST_FETCH__SPEED", "1")
    assert "fetch.speed: is unknown" in refused()
