"""Load balancers and listeners."""

from sandbox.world.elb import actions as action_lists
from sandbox.world.elb import authentication
from sandbox.world.elb.listener_rules import Rules, default_rule, listener_view
from sandbox.world.elb.state import Balancing, Listener, LoadBalancer
from sandbox.world.elb.tags import given_tags
from sandbox.world.kernel.errors import AwsRefusal, Json, not_here
from sandbox.world.kernel.operation import Operation, operation, page

EXTRAS = ("Certificates", "SslPolicy", "AlpnPolicy", "MutualAuthentication")


class Balancers:
    """Describe and make load balancers and listeners."""

    def __init__(self, balancing: Balancing, rules: Rules) -> None:
        self._all = balancing
        self._rules = rules

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        return {
            "DescribeLoadBalancers": operation(
                self.describe, "LoadBalancerArns", "Names", "Marker", "PageSize"
            ),
            "CreateLoadBalancer": operation(
                self.create, "Name", "Subnets", "SecurityGroups", "Scheme", "Tags", "Type", "IpAddressType"
            ),
            "DeleteLoadBalancer": operation(self.delete, "LoadBalancerArn"),
            "DescribeListeners": operation(
                self.describe_listeners, "LoadBalancerArn", "ListenerArns", "Marker", "PageSize"
            ),
            "CreateListener": operation(
                self.create_listener, "LoadBalancerArn", "Protocol", "Port", "DefaultActions", "Tags", *EXTRAS
            ),
            "ModifyListener": operation(
                self.modify_listener, "ListenerArn", "Port", "Protocol", "DefaultActions", *EXTRAS
            ),
            "DeleteListener": operation(self.delete_listener, "ListenerArn"),
        }

    def describe(self, params: Json) -> Json:
        """DescribeLoadBalancers, all or by ARN or name; what is asked for must exist."""
        found = list(self._all.load_balancers.values())
        if params.get("LoadBalancerArns"):
            found = [self._all.load_balancer(arn) for arn in params["LoadBalancerArns"]]
        elif params.get("Names"):
            by_name = {balancer.name: balancer for balancer in found}
            missing = [name for name in params["Names"] if name not in by_name]
            if missing:
                raise AwsRefusal("LoadBalancerNotFound", f"Load balancers '{missing}' not found")
            found = [by_name[name] for name in params["Names"]]
        shown, marker = page(found, params.get("Marker"), params.get("PageSize", 400), code="ValidationError")
        answer: Json = {"LoadBalancers": [self._view(balancer) for balancer in shown]}
        return answer | ({"NextMarker": marker} if marker else {})

    def create(self, params: Json) -> Json:
        """CreateLoadBalancer, of type application; the same name again answers the one there is."""
        if params.get("Type", "application") != "application":
            raise not_here(f"load balancer type {params['Type']}")
        name, subnets = params["Name"], params.get("Subnets", ())
        for balancer in self._all.load_balancers.values():
            if balancer.name == name:
                return {"LoadBalancers": [self._view(balancer)]}
        if len(subnets) < 2:
            raise AwsRefusal(
                "ValidationError", "At least two subnets in two different zones must be specified"
            )
        kernel = self._all.kernel
        arn = kernel.arn("elasticloadbalancing", f"loadbalancer/app/{name}/{kernel.hex_id(16)}")
        balancer = LoadBalancer(
            arn=arn,
            name=name,
            created=kernel.now,
            scheme=params.get("Scheme", "internet-facing"),
            vpc="vpc-0a1b2c3d",
            zones=tuple((f"{kernel.region}{'abcdef'[n % 6]}", subnet) for n, subnet in enumerate(subnets)),
            security_groups=list(params.get("SecurityGroups", ())),
            tags={tag["Key"]: tag.get("Value", "") for tag in given_tags(params)},
        )
        self._all.load_balancers[arn] = balancer
        self._all.subnets |= {subnet: zone for zone, subnet in balancer.zones}
        return {"LoadBalancers": [self._view(balancer)]}

    def delete(self, params: Json) -> Json:
        """DeleteLoadBalancer, with its listeners; one that is gone is deleted."""
        arn = params["LoadBalancerArn"]
        for listener in [each for each in self._all.listeners.values() if each.load_balancer == arn]:
            self.delete_listener({"ListenerArn": listener.arn})
        self._all.load_balancers.pop(arn, None)
        return {}

    def describe_listeners(self, params: Json) -> Json:
        """DescribeListeners of one load balancer, or by ARN."""
        if params.get("ListenerArns"):
            found = [self._all.listener(arn) for arn in params["ListenerArns"]]
        elif "LoadBalancerArn" in params:
            arn = self._all.load_balancer(params["LoadBalancerArn"]).arn
            found = [listener for listener in self._all.listeners.values() if listener.load_balancer == arn]
        else:
            raise AwsRefusal(
                "ValidationError", "You must specify either a load balancer ARN or listener ARNs"
            )
        shown, marker = page(found, params.get("Marker"), params.get("PageSize", 400), code="ValidationError")
        answer: Json = {"Listeners": [listener_view(listener) for listener in shown]}
        return answer | ({"NextMarker": marker} if marker else {})

    def create_listener(self, params: Json) -> Json:
        """CreateListener; the port must be free."""
        balancer = self._all.load_balancer(params["LoadBalancerArn"])
        kernel = self._all.kernel
        self._port_free(balancer.arn, params["Port"])
        protocol = params.get("Protocol", "HTTP")
        actions = action_lists.normalised(self._all, balancer, params["DefaultActions"], protocol=protocol)
        secret = authentication.secret_after(params["DefaultActions"], former=None)
        arn = f"{balancer.arn.replace(':loadbalancer/', ':listener/')}/{kernel.hex_id(16)}"
        listener = Listener(
            arn=arn,
            load_balancer=balancer.arn,
            port=params["Port"],
            protocol=protocol,
            extras={name: params[name] for name in EXTRAS if name in params},
            default=default_rule(arn, kernel.hex_id(16), actions),
            tags={tag["Key"]: tag.get("Value", "") for tag in given_tags(params)},
        )
        listener.default.secret = secret
        self._all.listeners[arn] = listener
        self._all.rules[listener.default.arn] = listener.default
        self._rules.write(listener.default, actions=actions)
        self._all.routes_changed()
        return {"Listeners": [listener_view(listener)]}

    def modify_listener(self, params: Json) -> Json:
        """ModifyListener: what is given replaces what was; the default actions propagate as a rule's do."""
        listener = self._all.listener(params["ListenerArn"])
        port, actions = params.get("Port", listener.port), listener.default.actions
        protocol, secret = params.get("Protocol", listener.protocol), listener.default.secret
        if port != listener.port:
            self._port_free(listener.load_balancer, port)
        if "DefaultActions" in params:
            balancer = self._all.load_balancers[listener.load_balancer]
            actions = action_lists.normalised(
                self._all, balancer, params["DefaultActions"], protocol=protocol
            )
            secret = authentication.secret_after(params["DefaultActions"], former=secret)
        listener.default.secret = secret
        listener.port = port  # nothing is refused any more: all of it takes effect, or none
        listener.protocol = protocol
        listener.extras |= {name: params[name] for name in EXTRAS if name in params}
        self._rules.write(listener.default, actions=actions)
        self._all.routes_changed()
        return {"Listeners": [listener_view(listener)]}

    def delete_listener(self, params: Json) -> Json:
        """DeleteListener: its rules go with it, and nobody is answered on its port any more."""
        listener = self._all.listener(params["ListenerArn"])
        for rule in listener.in_order():
            self._rules.write(rule, actions=[])
        for rule in listener.in_order():
            del self._all.rules[rule.arn]
        del self._all.listeners[listener.arn]
        self._all.routes_changed()
        return {}

    def _port_free(self, balancer: str, port: int) -> None:
        if any(x.load_balancer == balancer and x.port == port for x in self._all.listeners.values()):
            raise AwsRefusal("DuplicateListener", f"A listener already exists on port {port}")

    def _view(self, balancer: LoadBalancer) -> Json:
        return {
            "LoadBalancerArn": balancer.arn,
            "DNSName": f"{balancer.name}-{balancer.arn[-10:]}.{self._all.kernel.region}.elb.amazonaws.com",
            "CanonicalHostedZoneId": "Z32O12XQLNTSW2",
            "CreatedTime": balancer.created,
            "LoadBalancerName": balancer.name,
            "Scheme": balancer.scheme,
            "VpcId": balancer.vpc,
            "State": {"Code": "active"},
            "Type": "application",
            "AvailabilityZones": [{"ZoneName": zone, "SubnetId": subnet} for zone, subnet in balancer.zones],
            "SecurityGroups": balancer.security_groups,
            "IpAddressType": "ipv4",
        }
