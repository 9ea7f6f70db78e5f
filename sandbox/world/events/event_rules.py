"""The operations of EventBridge on the default bus; a target is a queue."""

import json

from sandbox.world.events.bus import Bus, Rule
from sandbox.world.events.patterns import Pattern
from sandbox.world.kernel.errors import AwsRefusal, Json, not_here
from sandbox.world.kernel.kernel import Kernel
from sandbox.world.kernel.operation import Operation, only, operation, page

_TARGETS_MAX = 5  # "Amazon EventBridge quotas": targets per rule


class EventRules:
    """Rules and their targets."""

    def __init__(self, kernel: Kernel, bus: Bus) -> None:
        self._kernel = kernel
        self._bus = bus

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        bus = "EventBusName"
        return {
            "PutRule": operation(self.put, "Name", "EventPattern", "State", "Description", "Tags", bus),
            "DescribeRule": operation(self.describe, "Name", bus),
            "ListRules": operation(self.list_rules, "NamePrefix", "NextToken", "Limit", bus),
            "EnableRule": operation(lambda params: self._switch(params, "ENABLED"), "Name", bus),
            "DisableRule": operation(lambda params: self._switch(params, "DISABLED"), "Name", bus),
            "DeleteRule": operation(self.delete, "Name", "Force", bus),
            "PutTargets": operation(self.put_targets, "Rule", "Targets", bus),
            "RemoveTargets": operation(self.remove_targets, "Rule", "Ids", "Force", bus),
            "ListTargetsByRule": operation(self.list_targets, "Rule", "NextToken", "Limit", bus),
            "PutEvents": operation(self.put_events, "Entries"),
        }

    def put(self, params: Json) -> Json:
        """PutRule: makes the rule or overwrites it, keeping its targets."""
        _default_bus(params)
        if "EventPattern" not in params:
            wanted = "Parameter(s) EventPattern or ScheduleExpression must be specified."
            raise AwsRefusal("ValidationException", wanted)
        name = params["Name"]
        pattern = Pattern.of(params["EventPattern"])
        settings: Json = {
            "Name": name,
            "Arn": self._kernel.arn("events", f"rule/{name}"),
            "EventPattern": params["EventPattern"],
            "State": params.get("State", "ENABLED"),
            "EventBusName": "default",
        }
        if "Description" in params:
            settings["Description"] = params["Description"]
        former = self._bus.rules.get(name)
        targets = former.targets if former else {}
        self._bus.rules[name] = Rule(arn=settings["Arn"], settings=settings, pattern=pattern, targets=targets)
        return {"RuleArn": settings["Arn"]}

    def describe(self, params: Json) -> Json:
        """DescribeRule."""
        _default_bus(params)
        return dict(self._rule(params["Name"]).settings)

    def list_rules(self, params: Json) -> Json:
        """ListRules."""
        _default_bus(params)
        prefix = params.get("NamePrefix", "")
        found = [rule.settings for name, rule in sorted(self._bus.rules.items()) if name.startswith(prefix)]
        shown, token = page(
            found, params.get("NextToken"), params.get("Limit", 100), code="ValidationException"
        )
        return {"Rules": list(shown)} | ({"NextToken": token} if token else {})

    def delete(self, params: Json) -> Json:
        """DeleteRule: one without targets; one that is not there is no error."""
        _default_bus(params)
        rule = self._bus.rules.get(params["Name"])
        if rule and rule.targets:
            raise AwsRefusal("ValidationException", "Rule can't be deleted since it has targets.")
        self._bus.rules.pop(params["Name"], None)
        return {}

    def put_targets(self, params: Json) -> Json:
        """PutTargets: queues, each by its ARN."""
        _default_bus(params)
        rule = self._rule(params["Rule"])
        for target in params["Targets"]:
            only(target, ("Id", "Arn", "Input", "DeadLetterConfig", "RetryPolicy"), "Target")
            if ":sqs:" not in target["Arn"]:
                raise not_here(f"a target other than a queue ({target['Arn']})")
        targets = rule.targets | {target["Id"]: target for target in params["Targets"]}
        if len(targets) > _TARGETS_MAX:
            raise AwsRefusal(
                "LimitExceededException", "The requested resource exceeds the maximum number allowed."
            )
        rule.targets = targets
        return {"FailedEntryCount": 0, "FailedEntries": []}

    def remove_targets(self, params: Json) -> Json:
        """RemoveTargets: an id that is not there is a failed entry."""
        _default_bus(params)
        rule = self._rule(params["Rule"])
        unknown = [name for name in params["Ids"] if rule.targets.pop(name, None) is None]
        failed = [
            {"TargetId": name, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": f"No target {name}"}
            for name in unknown
        ]
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    def list_targets(self, params: Json) -> Json:
        """ListTargetsByRule."""
        _default_bus(params)
        targets = [*self._rule(params["Rule"]).targets.values()]
        shown, token = page(
            targets, params.get("NextToken"), params.get("Limit", 100), code="ValidationException"
        )
        return {"Targets": [*shown]} | ({"NextToken": token} if token else {})

    def put_events(self, params: Json) -> Json:
        """PutEvents: an application's own events."""
        answers: list[Json] = []
        for entry in params["Entries"]:
            only(entry, ("Time", "Source", "Resources", "DetailType", "Detail", "EventBusName"), "Entry")
            _default_bus(entry)
            answers.append(self._put_event(entry))
        failed = sum("ErrorCode" in answer for answer in answers)
        return {"FailedEntryCount": failed, "Entries": answers}

    def _put_event(self, entry: Json) -> Json:
        lacking = [name for name in ("Source", "DetailType", "Detail") if not entry.get(name)]
        if lacking:
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": f"Parameter {lacking[0]} is not valid."}
        if entry["Source"].startswith("aws."):
            return {
                "ErrorCode": "NotAuthorizedForSourceException",
                "ErrorMessage": "Not authorized for the source.",
            }
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        when = entry.get("Time", self._kernel.now)
        sent = self._bus.send(
            entry["Source"], entry["DetailType"], entry.get("Resources", []), detail, at=when
        )
        return {"EventId": sent}

    def _switch(self, params: Json, state: str) -> Json:
        _default_bus(params)
        self._rule(params["Name"]).settings["State"] = state
        return {}

    def _rule(self, name: str) -> Rule:
        rule = self._bus.rules.get(name)
        if rule is None:
            raise AwsRefusal("ResourceNotFoundException", f"Rule {name} does not exist on EventBus default.")
        return rule


def _default_bus(params: Json) -> None:
    bus = params.get("EventBusName", "default")
    if bus != "default" and not bus.endswith(":event-bus/default"):
        raise not_here(f"an event bus other than the default one ({bus})")
