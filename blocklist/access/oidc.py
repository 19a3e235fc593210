"""Sign-in with an OpenID provider: discovery, the code flow with PKCE, and the verification of the ID token.

OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9207 (issuer in the response). Authlib and joserfc check the
tokens. This module is imported only if a provider is configured.
"""

from __future__ import annotations

import hmac
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from blocklist.access.secrets import new_secret
from blocklist.config.settings import OidcSettings
from blocklist.domain.errors import BlocklistError, ConfigurationError, UnauthorizedError

#: Signatures that only the provider can make: not "none", and not HMAC, whose key is a shared secret.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
#: Seconds: the longest time of one request, and by how much the provider's clock may differ.
_TIMEOUT, _LEEWAY = 10.0, 60


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A sign-in that has begun; the browser keeps it in a cookie until it returns from the provider."""

    state: str
    nonce: str
    verifier: str
    next: str


class Provider:
    """The OpenID provider of the settings."""

    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self._metadata: dict[str, Any] | None = None

    def begin(self, redirect_uri: str, next_: str) -> tuple[str, PendingSignIn]:
        """Return the address to redirect the browser to, and the pending sign-in to keep in its cookie.

        :raises BlocklistError: the provider does not respond, or not as an OpenID provider.
        """
        pending = PendingSignIn(new_secret(), new_secret(), new_secret(), next_)
        address = prepare_grant_uri(
            self._endpoint("authorization_endpoint"),
            self._settings.client_id,
            "code",
            redirect_uri,
            " ".join(self._settings.scopes),
            pending.state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.verifier),
            code_challenge_method="S256",
        )
        return str(address), pending

    def finish(self, pending: PendingSignIn, answer: Mapping[str, str], redirect_uri: str) -> dict[str, Any]:
        """Return the provider's claims about the person who returned with ``answer``, the parameters of the callback.

        :raises UnauthorizedError: the answer does not belong to this sign-in, or the provider refused.
        :raises BlocklistError: the provider does not respond, or not as an OpenID provider.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), pending.state.encode()):
            raise UnauthorizedError("this browser did not begin this sign-in: sign in again")
        if "iss" in answer and answer["iss"] != self._issuer:
            raise UnauthorizedError("the answer comes from another provider than the configured one")
        if "code" not in answer:
            raise UnauthorizedError("the provider did not sign you in")
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": redirect_uri,
            "code_verifier": pending.verifier,
        }
        tokens = self._request("POST", self._endpoint("token_endpoint"), form)
        claims = self._verified(str(tokens.get("id_token", "")), pending.nonce, str(tokens.get("access_token", "")))
        return self._with_userinfo(claims, str(tokens.get("access_token", "")))

    def _verified(self, id_token: str, nonce: str, access_token: str) -> dict[str, Any]:
        try:
            keys = KeySet.import_key_set(self._request("GET", self._endpoint("jwks_uri")))  # type: ignore[arg-type]
            token = jwt.decode(id_token, keys, algorithms=_ALGORITHMS)
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._settings.client_id},
                    "sub": {"essential": True},
                },
                params={"nonce": nonce, "client_id": self._settings.client_id, "access_token": access_token},
            )
            claims.validate(leeway=_LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            # The type of the error says which check failed; its text may contain the value.
            raise UnauthorizedError(f"the provider's ID token cannot be verified: {type(error).__name__}") from None
        return dict(token.claims)

    def _with_userinfo(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """Return the claims, completed from the userinfo endpoint if the name or the role is missing."""
        address = self._discovered().get("userinfo_endpoint")
        wanted = {self._settings.name_claim, self._settings.role_claim} - claims.keys()
        if not wanted or not address or not access_token:
            return claims
        userinfo = self._request("GET", str(address), headers={"Authorization": f"Bearer {access_token}"})
        # OpenID Connect Core, section 5.3.2: userinfo of another subject must not be used.
        return {**userinfo, **claims} if userinfo.get("sub") == claims["sub"] else claims

    @property
    def _issuer(self) -> str:
        return str(self._discovered()["issuer"])

    def _endpoint(self, name: str) -> str:
        address = self._discovered().get(name)
        if not isinstance(address, str):
            raise BlocklistError(f"oidc.issuer {self._settings.issuer}: its metadata has no {name}")
        return address

    def _discovered(self) -> dict[str, Any]:
        """Return the provider's metadata, whose issuer must be that of the settings."""
        if self._metadata is None:
            address = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
            found = self._request("GET", address)
            if str(found.get("issuer", "")).rstrip("/") != self._settings.issuer.rstrip("/"):
                raise BlocklistError(
                    f"oidc.issuer {self._settings.issuer}: its metadata names the issuer {found.get('issuer')!r}"
                )
            self._metadata = found
        return self._metadata

    def _request(
        self, method: str, address: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        auth = (self._settings.client_id, self._secret()) if form else None
        try:
            with httpx.Client(
                timeout=_TIMEOUT, verify=self._trusted, trust_env=False, follow_redirects=False
            ) as client:
                response = client.request(method, address, data=form, headers=headers, auth=auth)
            found = response.json()
            if form and response.status_code in (400, 401):
                code = found.get("error") if isinstance(found, dict) else None
                # The error code of RFC 6749, section 5.2.
                reason = code if isinstance(code, str) and re.fullmatch("[a-z_]{1,40}", code) else "no reason given"
                raise UnauthorizedError(f"the provider did not accept the sign-in ({reason}): sign in again")
            response.raise_for_status()
        except (httpx.HTTPError, ValueError) as error:
            # Without the text of the library's error: an address may contain a code.
            raise BlocklistError(
                f"the OpenID provider {self._settings.issuer} does not respond as one: {type(error).__name__}"
            ) from None
        if not isinstance(found, dict):
            raise BlocklistError(f"the OpenID provider {self._settings.issuer} does not respond as one")
        return found

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context(trust_env=False)
        if self._settings.ca_file:
            try:
                context.load_verify_locations(self._settings.ca_file)
            except OSError as error:
                raise ConfigurationError(f"oidc.ca_file: {self._settings.ca_file}: cannot be used: {error}") from None
        return context

    def _secret(self) -> str:
        path = self._settings.client_secret_file
        try:
            return Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"oidc.client_secret_file: {path} cannot be read: {error}") from None
