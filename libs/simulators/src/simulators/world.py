"""Tables of world.sqlite: the outside as the simulators know it. The sample month and the benches write it, nobody else reads it."""

from __future__ import annotations

__all__ = ["WORLD_DDL"]

WORLD_DDL = """
CREATE TABLE person(
    number TEXT PRIMARY KEY, full_name TEXT, birth_date TEXT, sex TEXT, status TEXT, death_date TEXT, multiple INTEGER);
CREATE INDEX person_deaths ON person(death_date, number) WHERE status = 'DECEASED';
CREATE TABLE account(
    partner TEXT, provider_code TEXT, account_number TEXT, holder_name TEXT, holder_number TEXT, status TEXT, pay_behaviour TEXT,
    PRIMARY KEY (provider_code, account_number));
CREATE TABLE cash(file_code TEXT PRIMARY KEY, behaviour TEXT);
"""
