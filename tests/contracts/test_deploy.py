"""Compose file, Dockerfile, realm and gateway agree with the code: names, ports, settings, topics, commands, roles."""

from __future__ import annotations

import importlib
import json
import re
from typing import Any

import pytest
import yaml
from fastapi import FastAPI

from ansinh.bootstrap import MEMBERS, ROOT
from ansinh.stack.layout import SERVICES, Layout, Service
from ansinh.stack.production import write_compose_secrets
from ansinh.stack.secrets import PARTNERS
from common.actor import Role
from common.cli import server_config
from common.settings import MechanismSettings

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
KINDS = ("api", "worker", "migrate")


def settings_of(service: Service) -> type[MechanismSettings]:
    found: type[MechanismSettings] = importlib.import_module(f"{service.package}.settings").Settings
    return found


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_folder_package_prefix_and_database_follow_from_the_name(service: Service) -> None:
    assert (ROOT / "services" / service.name / "src" / service.package / "main.py").exists()
    assert settings_of(service).model_config["env_prefix"] == service.prefix


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_process_of_a_service_is_in_compose_with_a_command_that_exists(service: Service) -> None:
    for kind in KINDS:
        assert COMPOSE["services"][f"{service.name}-{kind}"]["command"] == ["python", "-m", f"{service.package}.main", kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_setting_in_compose_exists_and_no_required_one_is_missing(service: Service, kind: str) -> None:
    fields = settings_of(service).model_fields
    given = COMPOSE["services"][f"{service.name}-{kind}"]["environment"]
    names = {name.removeprefix(service.prefix).lower() for name in given}
    assert all(name.startswith(service.prefix) for name in given)
    assert names <= set(fields), "settings that the code does not know"
    assert {name for name, field in fields.items() if field.is_required()} <= names
    assert given[f"{service.prefix}ENVIRONMENT"] == "production"
    assert given[f"{service.prefix}KAFKA_IDEMPOTENCE"] == "true"
    assert ("owner_database_url" in names) == (kind == "migrate"), "only the migration holds the owner's password"
    assert f"//{service.package}_app:" in given[f"{service.prefix}DATABASE_URL"]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_the_embedded_default_uses_the_same_settings(service: Service, tmp_path: Any) -> None:
    from ansinh.stack.postgres import Postgres
    from ansinh.stack.secrets import Secrets
    from ansinh.stack.services import service_environment

    layout = Layout(tmp_path, 18000)
    layout.prepare()
    secrets = Secrets(layout)
    env = service_environment(layout, Postgres(layout, secrets.passwords()), secrets, service)
    names = {name.removeprefix(service.prefix).lower() for name in env if name.startswith(service.prefix)}
    assert names <= set(settings_of(service).model_fields)
    assert layout.api_port(service) == 18000 + service.number


def test_secrets_networks_and_order() -> None:
    services = COMPOSE["services"]
    declared = set(COMPOSE["secrets"])
    for name, service in services.items():
        assert set(service.get("secrets", [])) <= declared, name
        for network in service.get("networks", []):
            assert network in COMPOSE["networks"], name
        for other in service.get("depends_on", {}):
            assert other in services, name
    for service in SERVICES:
        assert services[f"{service.name}-worker"]["depends_on"]["topics"]["condition"] == "service_completed_successfully"
        assert f"{service.name}-migrate" in services[f"{service.name}-api"]["depends_on"]
        keys = f"/run/secrets/keys-{service.name}"
        assert services[f"{service.name}-api"]["environment"][f"{service.prefix}KEYS_FILE"] == keys
        assert f"keys-{service.name}" in services[f"{service.name}-api"]["secrets"]


def test_topics_are_created_by_the_code_s_own_list_and_never_by_use() -> None:
    from common import topic_admin

    module = COMPOSE["services"]["topics"]["command"][2]
    assert module == topic_admin.__name__
    assert COMPOSE["services"]["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_gateway_has_one_port_per_service_as_the_embedded_default() -> None:
    layout = Layout(ROOT, 18000)
    conf = (ROOT / "deploy" / "gateway" / "nginx.conf").read_text(encoding="utf-8")
    found = dict(re.findall(r"listen (\d+);.*?set \$to ([a-z-]+);", conf))
    assert found == {str(layout.api_port(service)): f"{service.name}-api" for service in SERVICES} | {"18080": "keycloak"}
    first, last = layout.api_port(SERVICES[0]), layout.api_port(SERVICES[-1])
    assert COMPOSE["services"]["gateway"]["ports"] == [f"127.0.0.1:{first}-{last}:{first}-{last}", "127.0.0.1:18080:18080"]
    for service in SERVICES:
        assert COMPOSE["services"][f"{service.name}-api"]["environment"][f"{service.prefix}HTTP_PORT"] == "8000"


def test_dockerfile_ships_each_member_the_services_need_and_runs_as_nobody_special() -> None:
    for member in MEMBERS:
        shipped = f"COPY {member} {member}" in DOCKERFILE
        assert shipped == (member != "libs/ansinh"), member
    stages = DOCKERFILE.split("FROM ")
    assert stages[-1].startswith("base AS services"), "the last stage is the default one"
    assert "USER 10001" in next(stage for stage in stages if " AS base" in stage.splitlines()[0])
    assert "--require-hashes" in DOCKERFILE
    assert "embedded" not in (ROOT / "deploy" / "requirements-services.lock").read_text(encoding="utf-8")
    targets = set(re.findall(r"^FROM .* AS ([a-z-]+)$", DOCKERFILE, flags=re.MULTILINE))
    for service in COMPOSE["services"].values():
        assert service.get("build", {"target": "services"})["target"] in targets


def test_postgres_makes_the_databases_the_addresses_name() -> None:
    script = (ROOT / "deploy" / "postgres" / "10-databases.sh").read_text(encoding="utf-8")
    listed = re.search(r"for name in ([a-z_ ]+); do", script)
    assert listed
    assert listed.group(1).split() == [service.package for service in SERVICES]
    environment = COMPOSE["services"]["postgres"]["environment"]
    for service in SERVICES:
        assert {f"{service.prefix}OWNER_PASSWORD", f"{service.prefix}APP_PASSWORD"} <= set(environment)


def test_keycloak_runs_as_in_production_behind_the_gateway_on_a_database_of_its_own() -> None:
    keycloak = COMPOSE["services"]["keycloak"]
    assert keycloak["command"] == ["start", "--import-realm"]
    assert "ports" not in keycloak, "the gateway is its door: it believes what stands in the headers"
    assert keycloak["networks"] == ["inside"]
    given = keycloak["environment"]
    assert (given["KC_DB"], given["KC_DB_URL"], given["KC_PROXY_HEADERS"]) == (
        "postgres",
        "jdbc:postgresql://postgres:5432/keycloak",
        "xforwarded",
    )
    assert "KEYCLOAK_DATABASE_PASSWORD" in COMPOSE["services"]["postgres"]["environment"]
    assert given["KC_DB_PASSWORD"].startswith("${KEYCLOAK_DATABASE_PASSWORD:?")
    script = (ROOT / "deploy" / "postgres" / "10-databases.sh").read_text(encoding="utf-8")
    assert f"CREATE DATABASE keycloak OWNER {given['KC_DB_USERNAME']};" in script
    browsers = given["KC_HOSTNAME"].partition(":-")[2].rstrip("}")
    for service in SERVICES:
        issuer = COMPOSE["services"][f"{service.name}-api"]["environment"][f"{service.prefix}OIDC_ISSUER"]
        assert issuer.partition(":-")[2].rstrip("}") == f"{browsers}/realms/ansinh"


def test_the_gateway_says_itself_who_calls_and_how() -> None:
    """Whatever stands in these headers of a request is the gateway's word, at every port; a block of its own must say all of them again."""
    conf = re.sub(r"#.*", "", (ROOT / "deploy" / "gateway" / "nginx.conf").read_text(encoding="utf-8"))
    said = {
        "Forwarded": '""', "X-Forwarded-For": "$remote_addr", "X-Forwarded-Host": "$http_host", "X-Forwarded-Port": "$server_port",
        "X-Forwarded-Proto": "$scheme", "X-Real-IP": "$remote_addr", "Connection": '""', "Host": "$http_host",
    }  # fmt: skip
    assert "$proxy_add_x_forwarded_for" not in conf
    assert "$http_x_" not in conf
    assert "$http_forwarded" not in conf
    general, *servers = re.split(r"\bserver\s*\{", conf)
    assert len(servers) == len(SERVICES) + 1
    for part in (general, *(server for server in servers if "proxy_set_header" in server)):  # one of its own unsets all the general ones
        assert dict(re.findall(r"proxy_set_header\s+(\S+)\s+([^;]+);", part)) == said


def test_a_service_believes_no_header_about_who_calls() -> None:
    """It reads the caller from the token alone; behind the gateway every caller has the gateway's address, as it should."""
    config = server_config(FastAPI(), settings_of(SERVICES[0]).model_construct())
    assert config.proxy_headers is False


def test_realm_has_the_code_s_roles_claims_and_partners() -> None:
    realm = json.loads((ROOT / "deploy" / "keycloak" / "ansinh-realm.json").read_text(encoding="utf-8"))
    assert {role["name"] for role in realm["roles"]["realm"]} == {role.value for role in Role} - {"SYSTEM"}
    mappers = {mapper["config"].get("claim.name") for mapper in realm["clientScopes"][0]["protocolMappers"]}
    assert {"roles", "units", "partner"} <= mappers
    audience = settings_of(SERVICES[0]).model_fields["oidc_audience"].default
    assert audience in {mapper["config"].get("included.custom.audience") for mapper in realm["clientScopes"][0]["protocolMappers"]}
    clients = {client["clientId"] for client in realm["clients"]}
    assert {"console", "integrator", *(f"partner-{name}" for name in PARTNERS)} == clients
    assert not any("secret" in client or "credentials" in client for client in realm["clients"]), "no secret is committed"
    assert not any("credentials" in user for user in realm["users"])


def test_the_console_signs_in_with_pkce_and_returns_to_one_address() -> None:
    from reporting.settings import Settings

    realm = json.loads((ROOT / "deploy" / "keycloak" / "ansinh-realm.json").read_text(encoding="utf-8"))
    console = next(client for client in realm["clients"] if client["clientId"] == "console")
    assert console["publicClient"]
    assert console["attributes"]["pkce.code.challenge.method"] == "S256"
    assert not console["directAccessGrantsEnabled"]
    address = json.loads(COMPOSE["services"]["reporting-api"]["environment"]["REPORTING_CONSOLE_SERVICES"])["reporting"]
    assert console["redirectUris"] == [f"{address}/console/signed-in"], "one address, no wildcard"
    assert console["webOrigins"] == [address]
    for service in SERVICES:
        given = COMPOSE["services"][f"{service.name}-api"]["environment"]
        assert json.loads(given[f"{service.prefix}CORS_ORIGINS"]) == [address], "other origins may not call from a browser"
    known: dict[str, Any] = {"database_url": "postgresql+psycopg://x", "keys_file": "x", "environment": "production"}
    with pytest.raises(ValueError, match="sample data"):
        Settings(**known, console_training=True)


def test_made_secrets_are_all_that_compose_asks_for(tmp_path: Any) -> None:
    folder = tmp_path / "secrets"
    assert write_compose_secrets(folder, lambda _: None) == 0
    assert {path.name for path in folder.iterdir()} == {
        ".env",
        *(entry["file"].rpartition("/")[2] for entry in COMPOSE["secrets"].values()),
    }
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    made = {line.partition("=")[0] for line in (folder / ".env").read_text(encoding="utf-8").splitlines()}
    example = re.findall(r"^([A-Z_]+)=", (ROOT / "deploy" / "env.example").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert asked == made == set(example)
    assert write_compose_secrets(folder, lambda _: None) == 1, "secrets are never overwritten"
