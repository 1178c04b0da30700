#!/usr/bin/env python3
"""lua_table.py FILE: an object, YAML or JSON, as Lua writes it. What YAML calls null is a field that is not there."""
import json, sys, yaml

def text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(c if c.isalnum() else "".join("\\%03d" % b for b in c.encode()) for c in value) + '"'
    if isinstance(value, list):
        return "{" + ", ".join(text(item) for item in value) + "}"
    return "{" + ", ".join("[%s] = %s" % (text(k), text(v)) for k, v in value.items() if v is not None) + "}"

class Loader(yaml.SafeLoader):  # times stay text, as in JSON
    pass

Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
print("return " + text(yaml.load(open(sys.argv[1]), Loader)))
