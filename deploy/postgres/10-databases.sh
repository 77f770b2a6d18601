#!/bin/bash
# Once, on an empty volume: per service a database, an owner (migrations) and an application role without DDL; closed to all others.
# Passwords come from the environment: <SERVICE>_OWNER_PASSWORD and <SERVICE>_APP_PASSWORD. Keycloak has one, of its own, closed to all others.
set -euo pipefail
for name in registry identity_verify accounts disbursement reporting; do
    upper=${name^^}
    owner_variable="${upper}_OWNER_PASSWORD" app_variable="${upper}_APP_PASSWORD"
    psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        -v name="$name" -v owner="${name}_owner" -v app="${name}_app" \
        -v owner_password="${!owner_variable:?}" -v app_password="${!app_variable:?}" <<'SQL'
CREATE ROLE :"owner" LOGIN PASSWORD :'owner_password';
CREATE ROLE :"app" LOGIN PASSWORD :'app_password';
CREATE DATABASE :"name" OWNER :"owner";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"name" TO :"app";
\connect :"name"
ALTER SCHEMA public OWNER TO :"owner";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"app";
SQL
done

psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres -v password="${KEYCLOAK_DATABASE_PASSWORD:?}" <<'SQL'
CREATE ROLE keycloak LOGIN PASSWORD :'password';
CREATE DATABASE keycloak OWNER keycloak;
REVOKE ALL ON DATABASE keycloak FROM PUBLIC;
SQL
