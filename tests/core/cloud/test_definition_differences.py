"""Two task definitions, and what is said of them."""

from typing import Any

import pytest

from orchestrator.core.cloud.definition_differences import HIDDEN, Difference, differences, short


def of(**container: object) -> dict[str, Any]:
    return {"family": "checkout", "containerDefinitions": [{"name": "app", "image": "a:1", **container}]}


def env(name: str, value: str) -> dict[str, Any]:
    return {"environment": [{"name": name, "value": value}]}


def test_equal_definitions_have_no_difference() -> None:
    assert differences(of(), of(environment=[], command=None, links=[])) == ()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"image": "a:2"}, ("image", "", "a:1", "a:2")),
        (env("LEVEL", "info"), env("LEVEL", "debug"), ("environment", "LEVEL", "info", "debug")),
        ({}, env("LEVEL", ""), ("environment", "LEVEL", None, "")),
        (
            {"secrets": [{"name": "DB", "valueFrom": "/one"}]},
            {"secrets": [{"name": "DB", "valueFrom": "/two"}]},
            ("secret", "DB", "/one", "/two"),
        ),
        ({}, {"portMappings": [{"containerPort": 80}]}, ("port", "80/tcp", None, "open")),
        ({"cpu": 128}, {"cpu": 256}, ("CPU units", "", "128", "256")),
        ({"command": ["serve"]}, {"command": ["serve", "-v"]}, ("command", "", "serve", "serve -v")),
    ],
)
def test_each_setting_of_a_container_is_told_with_what_it_was(
    before: dict[str, Any], after: dict[str, Any], expected: tuple[str, str, str | None, str | None]
) -> None:
    (found,) = differences(of(**before), of(**after))
    assert found.container == "app"
    assert (found.field, found.name, found.before, found.after) == expected


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "apiKey", "GITHUB_TOKEN", "client_secret", "SENTRY_DSN", "DB_PASS", "PGPWD"]
)
def test_value_of_a_variable_whose_name_looks_secret_is_hidden(name: str) -> None:
    (found,) = differences(of(**env(name, "one")), of(**env(name, "two")))
    assert (found.name, found.before, found.after) == (name, HIDDEN, HIDDEN)


def test_user_in_an_address_is_hidden_and_the_rest_is_shown() -> None:
    (found,) = differences(of(), of(**env("DATABASE_URL", "postgres://me:pw@db/shop")))
    assert found.after == "postgres://(hidden)@db/shop"


def test_secrets_in_a_command_are_hidden() -> None:
    words = ["run", "--password=one", "--token", "two", "API_KEY=three", "http://me:four@host", "-v"]
    (found,) = differences(of(), of(command=words))
    shown = "run --password=(hidden) --token (hidden) API_KEY=(hidden) http://(hidden)@host -v"
    assert found.after == shown


def test_secrets_in_a_script_within_a_command_are_hidden() -> None:
    script = "export DB_PASSWORD=one; migrate --token two && serve --port 80"
    (found,) = differences(of(), of(command=["sh", "-c", script]))
    assert found.after == ("sh -c export DB_PASSWORD=(hidden); migrate --token (hidden) && serve --port 80")


def test_settings_that_may_hold_anything_are_told_by_name_alone() -> None:
    options = {"logDriver": "splunk", "options": {"splunk-token": "abc"}}
    (found,) = differences(of(), of(logConfiguration=options))
    assert (found.field, found.before, found.after) == ("logConfiguration", None, HIDDEN)


def test_containers_that_come_and_go_are_told_and_so_is_the_task() -> None:
    before = {"cpu": "256", "taskRoleArn": "one", "containerDefinitions": [{"name": "old", "image": "o:1"}]}
    after = {"cpu": "512", "taskRoleArn": "two", "containerDefinitions": [{"name": "new", "image": "n:1"}]}
    assert differences(before, after) == (
        Difference(container="", field="CPU units", before="256", after="512"),
        Difference(container="", field="task role", before="one", after="two"),
        Difference(container="old", field="container", before="o:1"),
        Difference(container="new", field="container", after="n:1"),
    )


def test_short_form_names_what_differs_without_any_value() -> None:
    before, after = of(**env("LEVEL", "info")), of(image="a:2", **env("LEVEL", "debug"))
    assert (
        short(differences(before, {**after, "memory": "512"}))
        == "task: memory; app: image, environment LEVEL"
    )


def test_short_form_of_many_differences_counts_the_rest() -> None:
    many = [{"name": f"N{number}", "value": ""} for number in range(20)]
    assert short(differences(of(), of(environment=many))).endswith("N11; and 8 more")
