"""Writes src/aws/constraints/SERVICE.json: what botocore's model says of enums, lengths, ranges, patterns and whole numbers, which the
JavaScript SDK's schemas leave out. Keyed by structure and member; the tree of a rule follows lists and maps.

EC2 has 800 operations, and Glue 300: only those of the resources in ONLY are in their files, and the file names them, so that a test can hold the
handlers against it.

Enums of more than MOST_NAMES values are left out. These are EC2's instance types, over a thousand, in a dozen structures: they
grow by the week, and who needs one looks it up in src/releases/instance-types.ts.

    pip install botocore==1.44.5 && python3 tools/generate-constraints.py emr
"""

import json
import pathlib
import re
import sys

import botocore
import botocore.session

PINNED = "1.44.5"
# The SDK's schemas have one type for all numbers.
WHOLE = ("integer", "long")
NUMBERS = (*WHOLE, "float", "double")
MOST_NAMES = 200
# Operations by what follows the verb.
ONLY = {
    "ec2": re.compile(
        r"^[A-Z][a-z]+(Instances|InstanceStatus|InstanceTypes|InstanceTypeOfferings|InstanceAttribute|Volumes?|NetworkInterfaces|Images|Tags"
        r"|Regions|AvailabilityZones|AccountAttributes|SpotPriceHistory|(Default)?Vpcs?|VpcAttribute|(Default)?Subnets?|SubnetAttribute|DhcpOptions"
        r"|RouteTables?|RouteTableAssociation|Routes?|InternetGateways?|NetworkAcls|SecurityGroups?|SecurityGroup(Ingress|Egress|Rules)|SecurityGroupRuleDescriptions(Ingress|Egress)"
        r"|KeyPairs?)$"
    ),
    # Of the catalog.
    "glue": re.compile(r"^[A-Z][a-z]+([A-Z][a-z]+)?(Databases?|Tables?|TableVersions?|Partitions?|PartitionIndexes|Tags|Resource)$"),
}


def rule(shapes, name, inside=()):
    """What a value of this shape must satisfy, or None. A structure's members have entries of their own."""
    shape = shapes[name]
    if shape["type"] == "structure" or name in inside:
        return None
    found = {key: shape[key] for key in ("min", "max", "pattern", "enum") if key in shape}
    # A length has no less than nothing; a number may.
    if found.get("min") == 0 and shape["type"] not in NUMBERS:
        del found["min"]
    if shape["type"] in WHOLE:
        found["type"] = shape["type"]
    if len(found.get("enum", ())) > MOST_NAMES:
        del found["enum"]
    children = {"list": ["member"], "map": ["key", "value"]}.get(shape["type"], [])
    for child in children:
        below = rule(shapes, shape[child]["shape"], (*inside, name))
        if below:
            found[child] = below
    return found or None


def structures_in(model, operations):
    """Names of the structures that requests of these operations can hold: answers are Howdah's own."""
    found = set()

    def walk(name):
        shape = model["shapes"][name]
        if shape["type"] == "structure" and name not in found:
            found.add(name)
            for ref in shape["members"].values():
                walk(ref["shape"])
        for child in ("member", "key", "value"):
            if child in shape:
                walk(shape[child]["shape"])

    for name in operations:
        if "input" in model["operations"][name]:
            walk(model["operations"][name]["input"]["shape"])
    return found


def main():
    if botocore.__version__ != PINNED:
        sys.exit(f"botocore {PINNED} is needed, this is {botocore.__version__}")
    loader = botocore.session.get_session().get_component("data_loader")
    for service in sys.argv[1:]:
        model = loader.load_service_model(service, "service-2")
        shapes = model["shapes"]
        structures = {}
        only = ONLY.get(service)
        operations = sorted(name for name in model["operations"] if not only or only.search(name))
        for name in sorted(structures_in(model, operations)):
            shape = shapes[name]
            rules = {member: rule(shapes, ref["shape"]) for member, ref in shape["members"].items()}
            rules = {member: found for member, found in rules.items() if found}
            if rules:
                structures[name] = rules
        source = f"botocore {PINNED}, {service} {model['metadata']['apiVersion']}"
        # A line for each structure, so that a change of the model is a readable change of the file.
        lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(rules)}" for name, rules in structures.items())
        names = f'\n  "operations": {json.dumps(operations)},' if only else ""
        text = f'{{\n  "source": {json.dumps(source)},{names}\n  "structures": {{\n{lines}\n  }}\n}}\n'
        target = pathlib.Path(__file__).parent.parent / "src/aws/constraints" / f"{service}.json"
        target.write_text(text)


main()
