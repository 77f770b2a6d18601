"""The Apache Kafka that tests run against is the one that compose runs."""

from __future__ import annotations

import re

import yaml

from ansinh.bootstrap import ROOT


def test_the_jars_the_container_and_compose_are_of_one_version() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["kafka"]["image"]
    common = ROOT / "libs" / "common" / "src" / "common"
    pom = (common / "apache_kafka" / "pom.xml").read_text(encoding="utf-8")
    jar = re.search(r"kafka_2\.13</artifactId>\s*<version>([\d.]+)<", pom)
    container = re.search(r'"(apache/kafka:[\d.]+)"', (common / "testing_brokers.py").read_text(encoding="utf-8"))
    assert jar is not None
    assert container is not None
    assert (f"apache/kafka:{jar[1]}", container[1]) == (compose, compose)
    assert "://" not in pom.replace("http://maven.apache.org/POM/4.0.0", ""), "the pom names no repository"
