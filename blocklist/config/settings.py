"""The settings: a TOML file and ``BLOCKLIST_SECTION__NAME`` variables, which take precedence, as one validated model.

config.example.toml shows every setting with its default and description; a test compares the two.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from blocklist.config.distribution import DistributionSettings
from blocklist.config.notifications import NotifySettings
from blocklist.domain.access import Role
from blocklist.domain.errors import ConfigurationError
from blocklist.domain.listing import CONFIRMED_KINDS, AuthorityKind
from blocklist.domain.verdict import Policy
from blocklist.guards.guard_settings import GuardSettings
from blocklist.guards.setting_types import Share
from blocklist.text.field_types import Country, MaybeSeconds, Seconds, StrictModel
from blocklist.text.validation import describe

#: Names of settings whose value is a secret.
_SECRET = re.compile(r"(?:secret|password|token|key)s?$")


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8080")
    return text


Address = Annotated[str, AfterValidator(_address)]


def _proxy(url: str) -> str:
    # The message does not repeat the address, which may contain a password.
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if url and not (fits and parts.path in ("", "/")):
        raise ValueError("not the address of a proxy, such as http://proxy.example:3128")
    return url


def _networks(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is not an address or a network such as 10.0.0.0/8: {error}") from None
    return texts


Networks = Annotated[tuple[str, ...], AfterValidator(_networks)]


def _public_url(url: str) -> str:
    if url and not re.fullmatch(r"https?://[^/?#@\s]+/?", url):
        raise ValueError(f"{url!r} is not a scheme and a host, such as https://blocklist.example")
    return url.rstrip("/")


class ServeSettings(StrictModel):
    """Where the service listens."""

    control: Address = Field(
        "127.0.0.1:8080", description="Address of the control plane; beyond loopback only with TLS or behind a proxy."
    )
    lookup: Address = Field("127.0.0.1:8081", description="Address of the lookup nodes, which ad servers ask.")
    workers: int = Field(0, ge=0, le=256, description="Processes that answer lookups; 0: one per available processor.")
    control_threads: int = Field(
        8, ge=1, le=256, description="Requests that the control plane handles at the same time."
    )
    tls_certificate: str = Field("", description="Certificate chain (PEM) for HTTPS on the control plane.")
    tls_key: str = Field("", description="Private key (PEM) of the control plane's certificate.")
    behind_proxy: bool = Field(
        False, description="A proxy in front handles HTTPS: the control plane may listen beyond loopback without TLS."
    )
    trusted_proxies: Networks = Field(
        (), description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted."
    )
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        "", description="Address that browsers use, such as https://blocklist.example; empty: taken from each request."
    )


class LookupSettings(StrictModel):
    """The lookup nodes. Without a token they answer everybody who can reach them."""

    unix_socket: str = Field("", description="Path of a Unix socket to listen on as well; empty for none.")
    token_file: str = Field("", description="File with the bearer token that callers must send; empty for none.")
    tls_certificate: str = Field("", description="Certificate chain (PEM) for HTTPS.")
    tls_key: str = Field("", description="Private key (PEM) of the certificate.")
    cors_origins: tuple[str, ...] = Field(
        (), description='Origins whose pages may send lookups from a browser; "*": any.'
    )
    access_log: Share = Field(0, description="Share of requests that are logged; lookups are business data.")
    max_connections: int = Field(16_384, ge=1, description="Most connections that one worker keeps open.")


class FetchSettings(StrictModel):
    """Limits of a fetch, and the addresses that it may use."""

    allow_private_hosts: tuple[str, ...] = Field(
        (), description="Hosts that feeds may be fetched from although their addresses are not public."
    )
    connect_timeout: Seconds = Field(10, description="Longest wait for a connection.")
    read_timeout: Seconds = Field(30, description="Longest pause while a body arrives.")
    total_timeout: Seconds = Field(300, description="Longest time of a whole fetch, redirects and retries included.")
    max_bytes: int = Field(268_435_456, ge=1, description="Largest body, in bytes, before and after decompression.")
    max_redirects: int = Field(
        5, ge=0, le=20, description="Most redirects to follow; each is checked like the first address."
    )
    attempts: int = Field(
        3, ge=1, le=10, description="Attempts before a transient failure (5xx, a broken connection) fails the fetch."
    )
    proxy: Annotated[str, AfterValidator(_proxy)] = Field(
        "",
        repr=False,
        description="Proxy that connects for fetches, such as http://proxy.example:3128; empty for none.",
    )
    ca_file: str = Field(
        "", description="PEM file of certificate authorities that are trusted besides the usual ones; empty for none."
    )


class RefreshSettings(StrictModel):
    """The schedule of refreshes."""

    concurrent: int = Field(4, ge=1, le=64, description="Feeds that are refreshed at the same time.")
    jitter: float = Field(
        0.1, ge=0, le=0.5, description="Share of a feed's interval by which its refreshes vary at random."
    )


class EvidenceSettings(StrictModel):
    """The bodies that runs read, kept as evidence."""

    keep_for: MaybeSeconds = Field(
        0, description="How long a body is kept that nothing needs any more, such as 365d; 0: forever."
    )


class AccessSettings(StrictModel):
    """Who may use the control plane."""

    session_idle: Seconds = Field(3_600, description="Time without a request after which a session ends.")
    session_lifetime: Seconds = Field(43_200, description="Longest duration of a session.")
    two_people: bool = Field(
        False, description="Overrides need a second person, and nobody may approve their own runs or held entries."
    )


def _issuer(url: str) -> str:
    host = urlsplit(url).hostname
    if url and not (url.startswith("https://") or (url.startswith("http://") and host in ("localhost", "127.0.0.1"))):
        raise ValueError(f"{url!r} is not an issuer: begin with https://")
    return url


class OidcSettings(StrictModel):
    """Sign-in with an OpenID provider."""

    issuer: Annotated[str, AfterValidator(_issuer)] = Field(
        "", description="Address of the provider, without /.well-known/openid-configuration; empty for none."
    )
    client_id: str = Field("", description="The id of this service at the provider.")
    client_secret_file: str = Field("", description="File with the client secret of this service.")
    title: str = Field("your organization", description="Name of the provider on the sign-in page.")
    scopes: tuple[str, ...] = Field(("openid", "profile", "email"), description="Scopes to request from the provider.")
    name_claim: str = Field("preferred_username", description="Claim with the person's name.")
    role_claim: str = Field("groups", description="Claim whose values give the role.")
    roles: dict[str, Role] = Field({}, description="Role for each value of that claim; of several, the highest counts.")
    default_role: Literal["", "viewer", "editor", "approver", "admin"] = Field(
        "", description="Role of people with none of these values; empty: they cannot sign in."
    )
    ca_file: str = Field(
        "", description="PEM file of certificate authorities for the provider's certificate; empty for the usual ones."
    )

    @model_validator(mode="after")
    def _whole(self) -> OidcSettings:
        if self.issuer and not (self.client_id and self.client_secret_file):
            raise ValueError("issuer needs client_id and client_secret_file")
        if "openid" not in self.scopes:
            raise ValueError("scopes must contain openid")
        return self


class SnapshotSettings(StrictModel):
    """Snapshots: the compiled list."""

    max_age: Seconds = Field(86_400, description="Age from which answers are marked as stale.")
    keep: int = Field(3, ge=1, description="Snapshot files to keep, including the current one.")


class GateSettings(StrictModel):
    """Forward authentication."""

    unknown: Literal["allow", "block"] = Field(
        "allow", description='Answer for a request without a page to judge: "allow" (204) or "block" (403).'
    )


class LogSettings(StrictModel):
    """Logs on standard error."""

    level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = Field(
        "info", description="Lowest level to log: debug, info, warning or error."
    )
    json_lines: bool = Field(False, description="Write one JSON object per line instead of text.")


class PolicySettings(StrictModel):
    """A policy: which listings count for a caller. An empty list does not restrict."""

    kinds: tuple[AuthorityKind, ...] = ()
    countries: tuple[Country, ...] = ()
    feeds: tuple[str, ...] = ()
    min_authorities: int = Field(1, ge=1)


class Settings(BaseSettings):
    """Every setting of the service."""

    model_config = SettingsConfigDict(
        env_prefix="BLOCKLIST_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    data_dir: Path = Field(Path("data"), description="Folder of the database, the snapshots and the evidence.")
    serve: ServeSettings = ServeSettings()
    fetch: FetchSettings = FetchSettings()
    refresh: RefreshSettings = RefreshSettings()
    guards: GuardSettings = GuardSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    snapshot: SnapshotSettings = SnapshotSettings()
    distribution: DistributionSettings = DistributionSettings()
    lookup: LookupSettings = LookupSettings()
    access: AccessSettings = AccessSettings()
    oidc: OidcSettings = OidcSettings()
    gate: GateSettings = GateSettings()
    notify: NotifySettings = NotifySettings()
    log: LogSettings = LogSettings()
    policies: dict[str, PolicySettings] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Give the environment precedence over the file, whose values are the arguments."""
        return env_settings, init_settings

    @property
    def control_url(self) -> str:
        """The public address of the control plane; without the setting, the one it listens on."""
        scheme = "https" if self.serve.tls_certificate else "http"
        return self.serve.public_url or f"{scheme}://{self.serve.control}"

    def link_address(self, key: str) -> str:
        """Return the address of a one-time link to set a password."""
        return f"{self.control_url}/admin/set-up?key={key}"

    def shown(self) -> dict[str, Any]:
        """Return the settings as data, by section; values that may contain a secret are ``***``."""
        return _shown(self)

    def all_policies(self) -> tuple[Policy, ...]:
        """Return every policy, ``default`` first, which counts what a government confirmed unless it is configured."""
        named = {"default": PolicySettings(kinds=CONFIRMED_KINDS), **self.policies}
        return tuple(
            Policy(name, policy.kinds, policy.countries, policy.feeds, policy.min_authorities)
            for name, policy in named.items()
        )


def may_contain_secret(name: str, field: FieldInfo) -> bool:
    """Return whether a setting's value may contain a secret; the path of a file with a secret does not."""
    return not field.repr or bool(_SECRET.search(name))


def _shown(model: BaseModel) -> dict[str, Any]:
    data = model.model_dump(mode="json")
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        tables = value if isinstance(value, dict) else {}
        if isinstance(value, BaseModel):
            data[name] = _shown(value)
        elif any(isinstance(table, BaseModel) for table in tables.values()):
            data[name] = {key: _shown(table) for key, table in tables.items()}
        elif may_contain_secret(name, field) and value:
            data[name] = "***"
    return data


def load_settings(path: Path | None = None, data_dir: Path | None = None) -> Settings:
    """Return the settings of a file (or of ``BLOCKLIST_CONFIG``, or the defaults) and the environment.

    :raises ConfigurationError: the file cannot be read, or a setting is unknown or wrong.
    """
    named = path or (Path(os.environ["BLOCKLIST_CONFIG"]) if os.environ.get("BLOCKLIST_CONFIG") else None)
    where = str(named) if named else "the environment"
    try:
        settings = Settings(**_read(named))
    except ValidationError as error:
        raise ConfigurationError(f"{where}: {describe(error, Settings)}") from None
    except SettingsError as error:
        raise ConfigurationError(f"the environment: {error}; values are JSON, such as '[\"127.0.0.1\"]'") from None
    return settings.model_copy(update={"data_dir": data_dir}) if data_dir else settings


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not TOML: {error}") from None
