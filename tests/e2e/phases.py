#!/usr/bin/env python3
"""phases.py FOLDER: reads what `kubectl get sr -w -o json` printed, for AWSAccounts too, and keeps one object of each kind of moment
there was: a phase with its conditions. Each becomes FOLDER/N.json; standard output has a line for each: N, the phase, the health
that Argo CD is to show, and the status that kstatus is to compute. Both follow from what the phase means to people, not from the
conditions, which is what the health script and kstatus go by. An AWSAccount has no phase: the reason of its Ready is in its place."""
import json
import os
import sys

from status_history import objects

HEALTH = {"Succeeded": ("Healthy", "Current"), "Failed": ("Degraded", "Failed"), "AwaitingApproval": ("Suspended", "InProgress")}
HEALTH["AWSAccount:IdentityProved"] = ("Healthy", "Current")
UNDER_WAY = ("Progressing", "InProgress")


def condition(item, kind):
    return next((c for c in item.get("status", {}).get("conditions", []) if c["type"] == kind), {})


def phase(item):
    if item["kind"] == "AWSAccount":
        return "AWSAccount:" + condition(item, "Ready").get("reason", "none")
    return item.get("status", {}).get("phase", "none")


def moment(item):
    conditions = item.get("status", {}).get("conditions", [])
    return (phase(item), item["spec"].get("suspend", False), "deletionTimestamp" in item["metadata"],
            item.get("status", {}).get("observedGeneration") == item["metadata"]["generation"],
            tuple(sorted((c["type"], c["status"], c["reason"]) for c in conditions)))


def wanted(item):
    """None: says nothing of itself yet."""
    status = item.get("status", {})
    if "deletionTimestamp" in item["metadata"]:
        return "Progressing", "Terminating"
    if "conditions" not in status:
        return None
    if status.get("observedGeneration") != item["metadata"]["generation"]:
        return UNDER_WAY
    if condition(item, "Stalled").get("status") == "True":  # a run that cannot go on, or a request that cannot be met
        return "Degraded", "Failed"
    health = HEALTH.get(phase(item), UNDER_WAY)
    return ("Suspended", health[1]) if item["spec"].get("suspend") else health


def main():
    seen, folder = {}, sys.argv[1]
    for item in objects(sys.stdin.read()):
        seen.setdefault(moment(item), item)
    for number, item in enumerate(seen.values()):
        expected = wanted(item)
        if not expected:
            continue
        with open(os.path.join(folder, "%d.json" % number), "w", encoding="utf-8") as file:
            json.dump(item, file)
        print(number, phase(item), *expected)


if __name__ == "__main__":
    main()
