#!/usr/bin/env python3
"""Least privilege, proved by the API server's audit log of the other end-to-end tests: no request of the controller was
refused for want of a right, and no right that manifests/rbac grants went unused.

rights.py AUDIT-LOG RAN TESTS ROLE-FILE...: RAN is a file with a line for each test that has passed, TESTS the names of those
that must have, with commas; else it is skipped (77). A verb on a kind, or on an object by its name, is one right.
"""
import json, pathlib, sys, yaml

SERVICE_ACCOUNT = "system:serviceaccount:stagingrefresh-system:stagingrefresh"


def requests(path):
    """(group, resource/subresource, verb, name) -> {code: how often}, of the controller alone."""
    seen = {}
    with open(path) as log:
        for line in log:
            if SERVICE_ACCOUNT not in line:
                continue
            try:
                event = json.loads(line)
            except ValueError:  # the server was killed while it wrote
                continue
            ref = event.get("objectRef")
            if event["user"]["username"] != SERVICE_ACCOUNT or "impersonatedUser" in event or not ref:
                continue
            resource = ref["resource"] + ("/" + ref["subresource"] if ref.get("subresource") else "")
            key = (ref.get("apiGroup", ""), resource, event["verb"], ref.get("name", ""))
            codes = seen.setdefault(key, {})
            code = event.get("responseStatus", {}).get("code", 0)
            codes[code] = codes.get(code, 0) + 1
    return seen


def granted(paths):
    """Every single right of the roles: (file, group, resource, verb, name or None)."""
    for path in paths:
        with open(path) as file:
            for role in yaml.safe_load_all(file):
                for rule in (role or {}).get("rules", []):
                    for group in rule["apiGroups"]:
                        for resource in rule["resources"]:
                            for verb in rule["verbs"]:
                                for name in rule.get("resourceNames", [None]):
                                    yield path, group, resource, verb, name


def missing(ran, tests):
    passed = set(pathlib.Path(ran).read_text().split()) if pathlib.Path(ran).exists() else set()
    return sorted(set(tests.split(",")) - passed)


def main():
    log, ran, tests, *roles = sys.argv[1:]
    if missing(ran, tests):
        print("SKIP: it judges the other tests, of which these have not passed:", " ".join(missing(ran, tests)))
        return 77
    seen = requests(log)
    used = {key for key, codes in seen.items() if set(codes) - {401, 403}}
    faults, early = [], 0
    for (group, resource, verb, name), codes in sorted(seen.items()):
        if 403 not in codes:
            continue
        if any(key[:3] == (group, resource, verb) for key in used):
            early += codes[403]  # a server that has just been restarted does not know the roles yet
        else:
            faults.append(f"refused {codes[403]} x: {verb} {resource}.{group} {name}")
    rights = list(granted(roles))
    for path, group, resource, verb, name in rights:
        if not any(key[:3] == (group, resource, verb) and (name is None or key[3] == name) for key in used):
            faults.append(f"never used: {verb} {resource}.{group} {name or ''} of {path}")
    for fault in faults:
        print("FAIL", fault)
    total = sum(sum(codes.values()) for codes in seen.values())
    print(f"{total} requests of {len(seen)} kinds, {len(rights)} rights; {early} refused by a server that had just started")
    print(f"{1 if not faults else 0} passed, {len(faults)} failed")
    return 1 if faults or not total else 0


sys.exit(main())
