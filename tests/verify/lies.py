"""What moto accepts that AWS refuses, or refuses otherwise: each check by its name, with the lie.

Such a check must come out wrong there: one that comes out right since moto was mended fails until its line is gone.
"""

_ACTIONS = "actions are not looked at"
_SOURCE = "addresses of a source-ip condition are not looked at"
_SERVICE = "a service is not compared with its task definition"

LIES = {
    "ModifyRule of the default rule": "the default rule can be modified as any other",
    "a top-level group beside two groups": _ACTIONS,
    "several actions without order": _ACTIONS,
    "a sticky group without group stickiness": _ACTIONS,
    "six groups in an action": _ACTIONS,
    "a forward to nothing": _ACTIONS,
    "weight 1000": _ACTIONS,
    "weight -1": _ACTIONS,
    "a group for two load balancers": "a target group can be in any number of load balancers",
    "a draining of more than an hour": "it is a ValidationError, which the API reference does not name for this call",
    "tags of 21 resources": "any number of resources is described",
    "21 rules by their ARNs": "any number of rules is looked for",
    "a source-ip condition of no address": _SOURCE,
    "a source-ip condition without a prefix length": _SOURCE,
    "a source-ip condition with too long a prefix": _SOURCE,
    "a source-ip condition with a netmask": _SOURCE,
    "a source-ip condition with a wildcard": _SOURCE,
    "a source-ip condition of the broadcast address": _SOURCE,
    "OIDC on a listener that is not HTTPS": _ACTIONS,
    "a client secret is never shown": "it is shown",
    "OIDC written back without its secret": "a rule can be written without its secret",
    "a group without a load balancer": "a service takes a target group without a load balancer",
    "a container that is not in the definition": _SERVICE,
    "a container port that is not in the definition": _SERVICE,
    "a service's name twice": "the second service replaces the first in silence",
    "a token with another body": "the client token is ignored",
    "awsvpc without a network": _SERVICE,
    "a launch type beside a capacity provider strategy": "both are taken, and then dropped",
    "eleven services in a call": "any number of services is described",
    "a service of a revision that is deregistered": "an inactive revision can be run",
    "a least capacity above the greatest": "bounds are not compared",
    "a scalable target that is not there": "it is a ValidationException",
    "a scheduled action in the past": "it is taken",
    "deleting an alarm that is not there": "it is deleted",
    "a composite alarm of nothing": "there are no composite alarms",
    "an expression over what is not there": "every expression is empty and complete",
    "a statistic that there is none of": "statistics are not looked at",
    "a period of 45 seconds": "periods are not looked at",
    "a role that trusts somebody else": "every role can be assumed, also one that does not exist",
}
