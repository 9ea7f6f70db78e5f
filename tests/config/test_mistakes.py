"""Wrong rollout files: each mistake at its line, with what is wrong and what to write instead."""

from pathlib import Path

import pytest

from orchestrator.config import from_json, load_file, load_text, minimal
from orchestrator.core.domain.errors import Invalid

HEAD = "service: prod/checkout\nrevision: {task_definition: checkout:43}\n"
LISTENER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/public/50dc6c495c0c9188/f2f7dc8efc522ab2"


def mistakes_in(text: str) -> list[str]:
    """The mistakes of a text, without the file's name."""
    with pytest.raises(Invalid) as caught:
        load_text(text, "f.yaml")
    return [mistake.at("f.yaml").removeprefix("f.yaml:") for mistake in caught.value.mistakes]


# Each row is appended to a file that is right; line 3 is its first line.
ROWS = [
    ("servce: x", '3: "servce" is not a known key: did you mean service?'),
    ("xyz: 1", '3: "xyz" is not a known key: write one of service, revision, account, region, traffic, plan, gates, '
     "metrics, approval, capacity, background, discovery, first_deployment, sticky, ending, drain, limits, on_failure, "
     "one_way, on_drift, notify, force, override, labels, version"),
    ("alarms: [x]", '3: "alarms" is not a known key: write it under gates'),
    ("task_definition: x", '3: "task_definition" is not a known key: write revision: {task_definition: …}'),
    ("service: a/b", '3: "service" is written twice (first in line 1): keep one'),
    ("region: Ireland", '3: region: "Ireland" is no AWS region: write one such as eu-west-1'),
    ("on_drift: hald", '3: on_drift: "hald" is not known here: did you mean hold?'),
    ("on_drift: xyz", '3: on_drift: "xyz" is not known here: write hold, accept or rollback'),
    ("on_failure: yes", '3: on_failure: "yes" is not known here: write rollback or hold'),
    ("plan: canry", '3: plan: "canry" is no plan: did you mean canary?'),
    ("plan: blitz", '3: plan: "blitz" is no plan: write auto, fast, careful, canary, linear, instant or a '
     "list of steps"),
    ("plan: {name: canary}", '3: plan.name: "canary" has no parameters: write auto, fast or careful'),
    ("plan: {factor: 0}", '3: plan.factor: "0" is out of range: write a whole number from 1 to 1000'),
    ("plan: {budget: 0.3}", '3: plan.budget: "0.3" has no percent sign: write 0.3%, a share of all requests'),
    ("plan: {fctor: 3}", '3: "plan.fctor" is not a known key: did you mean factor?'),
    ("plan: auto\napproval: {when: [every_step]}", "4: auto plans its steps as it goes, and cannot wait for people "
     "before each: write before_full, or spell the steps out"),
    ("plan: {weight: 3}", "3: plan is a mapping, not a list: write a list: [ … ]"),
    ("plan: []", "3: a plan of 0 steps: write 1 to 100 steps, or auto"),
    ("plan: [{weight: 50, bake: 1m}]",
     "3: the plan ends at 50 %: end it with a step of 100 %, whose bake is the watch"),
    ("plan:\n- {weight: 10, bake: 1m}\n- {weight: 10%, bake: 1m}\n- {weight: 100, bake: 1m}",
     "5: a weight of 10 % after 10 %: write weights that rise from step to step"),
    ("plan: [{weight: 0, bake: 1m}, {weight: 100, bake: 1m}]",
     "3: plan[1].weight: a step of 0 % gives green no traffic: write a weight of at least 0.1"),
    ("plan: [{weight: 0.55, bake: 1m}, {weight: 100, bake: 1m}]",
     '3: plan[1].weight: "0.55" is finer than a tenth of a percent: write 0.6'),
    ("plan: [{weight: 0.01, bake: 1m}, {weight: 100, bake: 1m}]",
     '3: plan[1].weight: "0.01" is finer than a tenth of a percent: write 0.1'),
    ("plan: [{weight: 101%, bake: 1m}]", '3: plan[1].weight: "101%" is more than 100 %: write at most 100'),
    ("plan: [{weight: -1, bake: 1m}]", '3: plan[1].weight: "-1" is not a percentage: write one such as 10 or 0.5%'),
    ("plan: [{weight: true, bake: 1m}]", '3: plan[1].weight: true is not a percentage: write one such as 10 or 0.5%'),
    ("plan: [{weight: 100}]", "3: plan[1].bake is missing: write bake: …"),
    ("plan: [{weight: 100, bake: 5}]", '3: plan[1].bake: "5" is a duration without a unit: write 5s, 5m or 5h'),
    ("plan: [{weight: 100, bake: -5m}]",
     '3: plan[1].bake: "-5m" is not a duration: write one such as 90s, 5m or 1h30m'),
    ("plan: [{weight: 100, bake: 31d}]", '3: plan[1].bake: "31d" is too long: write at most 30d'),
    ("plan: [{weight: 100, bake: 999999999d}]", '3: plan[1].bake: "999999999d" is too long: write at most 30d'),
    ("plan: [{weight: 100, bake: 1m, approval: yes}]",
     '3: plan[1].approval: "yes" is neither true nor false: write true or false'),
    ("plan: [7]", '3: plan[1] is the value "7", not a mapping: write keys such as weight, bake, approval'),
    ("gates: {alarms: x}", '3: gates.alarms is the value "x", not a list: write a list: [ … ]'),
    ("gates: {alarms: [43]}",
     '3: gates.alarms[1]: "43" is not a name: write a text, in quotes if it looks like a number: "43"'),
    ("gates: {alarms: [{name: a, no_data: ok}]}",
     '3: gates.alarms[1].no_data: "ok" is not known here: write hold, pass or fail'),
    ("gates: {alarms: [{nam: a}]}", ["3: gates.alarms[1].name is missing: write name: …",
     '3: "gates.alarms[1].nam" is not a known key: did you mean name?']),
    ("gates: {guard: maybe}", '3: gates.guard: "maybe" is neither on nor off: write on or off'),
    ("gates: {guard: {errors: 0.05}}",
     '3: gates.guard.errors: "0.05" has no percent sign: write 0.05%, a share of all requests'),
    ("gates: {guard: {errors: 0%}}",
     '3: gates.guard.errors: "0%" can never be judged: write more than 0% and less than 100%'),
    ("gates:", "3: gates is nothing, not a mapping: write keys such as health, guard, compare"),
    ("gates: {compare: maybe}", '3: gates.compare: "maybe" is neither on nor off: write on or off'),
    ("gates: {compare: {errors: {margin: 0.9}}}", '3: gates.compare.errors.margin: "0.9" is no margin: green may be '
     "so many times as bad as blue: write a number from 1 to 10"),
    ("gates: {compare: {client_errors: }}", "3: gates.compare.client_errors: nothing is neither on nor off: write on, "
     "off, or {margin: …}"),
    ("gates: {compare: {slow: {}}}", "3: gates.compare.slow.over is missing: write over: …"),
    ("gates: {compare: {slow: {over: 800}}}",
     '3: gates.compare.slow.over: "800" is a duration without a unit: write 800s, 800m or 800h'),
    ("gates: {compare: {not_worse_than: 1}}",
     "3: gates.compare.not_worse_than: not worse than once as bad can never be shown: write more than 1, such as 2"),
    ("gates: {compare: {alpha: 0.01}}",
     '3: gates.compare.alpha: "0.01" has no percent sign: write 0.01%, a share of all requests'),
    ("gates: {compare: {inconclusive: maybe}}",
     '3: gates.compare.inconclusive: "maybe" is not known here: write pass or hold'),
    ("metrics: {period: 45s}",
     '3: metrics.period: "45s" is no period of CloudWatch: write 1s, 5s, 10s, 20s, 30s, or whole minutes up to 60m'),
    ("metrics: {lag: 2 perods}", '3: metrics.lag: "2 perods" is not a duration: write one such as 90s, 5m or 1h30m, '
     "or a number of periods: 2 periods"),
    ("metrics: {lag: 0 periods}", '3: metrics.lag: "0 periods" is out of range: write 1 to 60 periods'),
    ("limits: {hold: 0s}", '3: limits.hold: "0s" leaves no time at all: write more than 0s'),
    ("limits: {then: hod}", '3: limits.then: "hod" is not known here: did you mean hold?'),
    ("approval: {required: 0}",
     '3: approval.required: "0" is not a number of people: write a whole number from 1 to 100'),
    ("approval: {approvers: [approver], required: 2}",
     "3: 2 approvals are required of 1 approver: name more approvers, or require fewer"),
    ("plan: instant\napproval: {when: [before_full]}",
     "4: the plan has no step to wait before: add a step below 100 %"),
    ("approval: {when: [before_fll]}",
     '3: approval.when[1]: "before_fll" is not known here: did you mean before_full?'),
    (f"traffic: {{rules: ['{LISTENER}']}}",
     "3: traffic.rules[1]: a listener's ARN where a rule's is due: write {listener: …} around it"),
    ("traffic: {rules: [x]}", '3: traffic.rules[1]: "x" is no listener rule: write a rule\'s ARN, '
     "arn:…:listener-rule/…"),
    ("traffic: {rules: [{listener: x}]}",
     '3: traffic.rules[1].listener: "x" is no listener: write a listener\'s ARN, arn:…:listener/…'),
    ("background: busy", '3: background: "busy" is not known here: write none, safe or suspend'),
    ("background: suspend", "3: background: suspend, but nothing tells green's tasks that they are green: write "
     "revision: {colour_variable: TEAL_COLOUR} and let them heed it, or safe"),
    ("discovery: drop", '3: discovery: "drop" is not known here: write strip or keep'),
    ("first_deployment: {tasks: 0}",
     '3: first_deployment.tasks: "0" is no number of tasks: write a whole number from 1 to 5000'),
    ("sticky: ignore", '3: sticky: "ignore" is not known here: write wait or cut'),
    ("ending: swap", "3: ending: swap alone does not say what becomes of blue: "
     "write {swap: keep} or {swap: delete}"),
    ("ending: stay", '3: ending: "stay" is not known here: write settle, {swap: keep} or {swap: delete}'),
    ("ending: {swap: kep}", '3: ending.swap: "kep" is not known here: did you mean keep?'),
    ("ending: {swap: keep, after: 1h}", '3: "ending.after" is not a known key: write one of swap'),
    ("ending: {}", "3: ending.swap is missing: write swap: …"),
    ("ending: {swap: delete}\nfirst_deployment: {tasks: 2}",
     "4: a first deployment has no blue whose place green could take: write ending: settle for this one"),
    ("capacity: {green: half}", '3: capacity.green: "half" is not known here: write full or stepped'),
]  # fmt: skip

TEXTS = [
    ("", "1: the file is empty: write at least service and revision"),
    ("# nothing\n", "1: the file is empty: write at least service and revision"),
    ("- a", "1: the file is a list, not a mapping: write keys such as service, revision, account"),
    ("hello", '1: the file is the value "hello", not a mapping: write keys such as service, revision, account'),
    ("a: [1,", "1: the text is not YAML: expected the node content, but found '<stream end>': "
     "check quotes, brackets and indentation"),
    ("a:\n\tb: 1", "2: the text is not YAML: found character '\\t' that cannot start any token: indent with spaces"),
    ("a: 1\nb: \x07", "2: a character that YAML does not allow: remove it"),
    ("a: &x 1\nb: *x", ['1: an anchor ("x"): write the value out where it is used',
     '2: an alias ("x"): write the value out where it is used']),
    ("a: !!python/object x", "1: a YAML tag: remove it: a rollout file holds plain values"),
    ("a: 1\n--- \nb: 2", "2: a second document begins: write one rollout a file"),
    ("%YAML 1.1\n---\na: 1", "2: a YAML directive: remove it: the file is read as YAML 1.2"),
    ("a: " + "[" * 40 + "]" * 40, "1: the values are nested too deeply: write at most 20 levels"),
    ("a: [" + "1," * 10_001 + "]", "1: the file holds more than 10000 values: name a rollout file"),
    ("? [a]\n: 1", "1: a key that is a list or a mapping: write a word as the key"),
]  # fmt: skip


def _listed(expected: str | list[str]) -> list[str]:
    return [expected] if isinstance(expected, str) else expected


@pytest.mark.parametrize(("added", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_a_mistake_is_told_at_its_line_with_what_to_write_instead(
    added: str, expected: str | list[str]
) -> None:
    assert mistakes_in(HEAD + added) == _listed(expected)


REVISIONS = [
    ("{}", "revision.task_definition is missing: write task_definition: family:revision, such as checkout:43, or "
     "images: {container: image}"),
    ("{task_definition: checkout:43, images: {app: x}}", "revision names a task definition, and images for blue's own: "
     "write one of both"),
    ("{images: {}}", "revision.images: a mapping is no image for a container: write images: {container: image}"),
    ("{images: {app: 'a b'}}", 'revision.images.app: "a b" is no image: write repository:tag, or repository@sha256:…'),
    ("{images: {app: x}, colour_variable: 1x}",
     'revision.colour_variable: "1x" is no variable\'s name: write one such as TEAL_COLOUR'),
]  # fmt: skip


@pytest.mark.parametrize(("revision", "expected"), REVISIONS, ids=[row[0] for row in REVISIONS])
def test_a_revision_that_cannot_be_meant_is_refused(revision: str, expected: str) -> None:
    assert mistakes_in(f"service: prod/checkout\nrevision: {revision}") == [f"2: {expected}"]


@pytest.mark.parametrize(("text", "expected"), TEXTS, ids=[row[0][:20] for row in TEXTS])
def test_a_text_that_is_no_rollout_file_is_refused(text: str, expected: str | list[str]) -> None:
    assert mistakes_in(text) == _listed(expected)


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (
            "checkout",
            'service: "checkout" does not name a service: write cluster/service, such as prod/checkout',
        ),
        ("a/b/c", 'service: "a/b/c" does not name a service: write cluster/service, such as prod/checkout'),
        ("", "service: nothing does not name a service: write cluster/service, such as prod/checkout"),
    ],
)
def test_a_service_is_named_with_its_cluster(service: str, expected: str) -> None:
    assert mistakes_in(f"service: {service}\nrevision: {{task_definition: a:1}}") == [f"1: {expected}"]


def test_a_task_definition_is_named_with_its_revision() -> None:
    assert mistakes_in("service: a/b\nrevision: {task_definition: checkout}") == [
        '2: revision.task_definition: "checkout" has no revision: write family:revision, such as checkout:43'
    ]


def test_what_is_missing_is_told_with_an_example() -> None:
    assert mistakes_in("region: eu-west-1") == [
        "1: service is missing: write service: cluster/service, such as prod/checkout",
        "1: revision is missing: write revision: {task_definition: family:revision}",
    ]


def test_every_mistake_is_told_at_once_from_the_top_down() -> None:
    text = (
        "service: checkout\n"
        "revision: {task_definition: checkout}\n"
        "plan:\n"
        "  - {weight: 50, bake: 5}\n"
        "  - {weight: 20, bake: 5m}\n"
        "gates:\n"
        "  probe: {}\n"
        "  guard: {error: 5%}\n"
        "on_drfit: hold\n"
    )
    assert [line.partition(":")[0] for line in mistakes_in(text)] == ["1", "2", "4", "5", "7", "7", "8", "9"]


def test_a_file_of_nothing_but_mistakes_is_told_the_first_hundred() -> None:
    lines = mistakes_in(HEAD + "\n".join(f"key{n}: 1" for n in range(150)))
    assert len(lines) == 101
    assert lines[-1] == "103: 50 more mistakes: correct these first"


def test_an_error_prints_one_line_a_mistake() -> None:
    with pytest.raises(Invalid) as caught:
        load_text("plan: canry\nregion: 3", "teal.yaml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert all(line.startswith("teal.yaml:") for line in lines)


def test_a_json_body_is_answered_with_pointers() -> None:
    body = {
        "service": "prod/checkout",
        "revision": {"task_definition": "checkout:43"},
        "plan": [{"weight": 100, "bake": 5}],
        "gates": {"window": {"allow": []}},
        "a/b~c": 1,
    }
    with pytest.raises(Invalid) as caught:
        from_json(body)
    pointers = {mistake.pointer for mistake in caught.value.mistakes}
    assert pointers == {"/plan/0/bake", "/gates/window/allow", "/a~1b~0c"}
    assert {mistake.line for mistake in caught.value.mistakes} == {None}


@pytest.mark.parametrize("body", [None, 3, "x", [], [[[]]]])
def test_a_json_body_that_is_no_mapping_is_refused(body: object) -> None:
    with pytest.raises(Invalid, match="not a mapping"):
        from_json(body)


def test_a_json_body_nested_without_end_is_refused() -> None:
    deep: object = 1
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(Invalid, match="nested too deeply"):
        from_json({"plan": deep})


def test_options_of_a_command_line_are_checked_like_a_file() -> None:
    with pytest.raises(Invalid, match='plan: "canry" is no plan: did you mean canary'):
        minimal("prod/checkout", "checkout:43", plan="canry")


def test_a_file_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(
        Invalid, match="the file cannot be read: No such file or directory: name a readable file"
    ):
        load_file(tmp_path / "none.yaml")


def test_a_directory_is_no_rollout_file(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="the file cannot be read: Is a directory"):
        load_file(tmp_path)


def test_a_file_that_is_not_utf_8_is_told_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rollout.yaml"
    path.write_bytes(b"service: a/b\nregion: \xff")
    with pytest.raises(Invalid, match=r"rollout.yaml:2: the text is not UTF-8: save the file as UTF-8"):
        load_file(path)


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "rollout.yaml"
    path.write_bytes(b"#" * (256 * 1024 + 1))
    with pytest.raises(Invalid, match="the file is larger than 256 KiB"):
        load_file(path)
    with pytest.raises(Invalid, match="the file is larger than 256 KiB"):
        load_text("é" * (128 * 1024 + 1))
