"""Writes src/aws/constraints/SERVICE.json: what botocore's model says of enums, lengths, ranges and patterns, which the
JavaScript SDK's schemas leave out. Keyed by structure and member; the tree of a rule follows lists and maps.

    pip install botocore==1.44.5 && python3 tools/generate-constraints.py emr
"""

import json
import pathlib
import sys

import botocore
import botocore.session

PINNED = "1.44.5"


def rule(shapes, name, inside=()):
    """What a value of this shape must satisfy, or None. A structure's members have entries of their own."""
    shape = shapes[name]
    if shape["type"] == "structure" or name in inside:
        return None
    found = {key: shape[key] for key in ("min", "max", "pattern", "enum") if key in shape}
    if found.get("min") == 0:
        del found["min"]
    children = {"list": ["member"], "map": ["key", "value"]}.get(shape["type"], [])
    for child in children:
        below = rule(shapes, shape[child]["shape"], (*inside, name))
        if below:
            found[child] = below
    return found or None


def structures_in(model):
    """Names of the structures that requests can hold: answers are Howdah's own."""
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

    for operation in model["operations"].values():
        if "input" in operation:
            walk(operation["input"]["shape"])
    return found


def main():
    if botocore.__version__ != PINNED:
        sys.exit(f"botocore {PINNED} is needed, this is {botocore.__version__}")
    loader = botocore.session.get_session().get_component("data_loader")
    for service in sys.argv[1:]:
        model = loader.load_service_model(service, "service-2")
        shapes = model["shapes"]
        structures = {}
        for name in sorted(structures_in(model)):
            shape = shapes[name]
            rules = {member: rule(shapes, ref["shape"]) for member, ref in shape["members"].items()}
            rules = {member: found for member, found in rules.items() if found}
            if rules:
                structures[name] = rules
        source = f"botocore {PINNED}, {service} {model['metadata']['apiVersion']}"
        # A line for each structure, so that a change of the model is a readable change of the file.
        lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(rules)}" for name, rules in structures.items())
        text = f'{{\n  "source": {json.dumps(source)},\n  "structures": {{\n{lines}\n  }}\n}}\n'
        target = pathlib.Path(__file__).parent.parent / "src/aws/constraints" / f"{service}.json"
        target.write_text(text)


main()
