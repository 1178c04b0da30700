#!/usr/bin/env python3
"""Reads what `kubectl get sr -w -o json` printed, object after object, maybe of several such calls in a row, and checks that no
status was ever lost: of each object no older version comes after a newer one, no step of a run's attempt goes back, and what was
started keeps its id. Prints what it has seen as one line of JSON; exit status 1 and a line per fault if there are any."""
import json
import sys

RANK = {"Waiting": 0, "Intended": 1, "Running": 2, "Done": 3, "Failed": 3, "Skipped": 3, "Undone": 4}


def objects(text):
    decoder, at = json.JSONDecoder(), 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            return  # cut off when the watch ended
        for item in value["items"] if value.get("kind", "").endswith("List") else [value]:
            if item.get("kind") in ("StagingRefresh", "AWSAccount"):  # kubectl also prints what ended its watch
                yield item


def rows(status):
    run = status.get("run", {})
    for database in status.get("databases", []):
        for step in database.get("steps", []):
            yield (run.get("id"), database["name"], step["name"], step.get("attempt", 0)), step
    for step in status.get("switchover", {}).get("steps", []):
        yield (run.get("id"), "", step["name"], step.get("attempt", 0)), step


class History:
    def __init__(self):
        self.version, self.ranks, self.ids, self.run, self.steps_of = 0, {}, {}, None, 0

    def take(self, name, item):
        """Faults, one sentence each."""
        version, status = int(item["metadata"]["resourceVersion"]), item.get("status", {})
        if version < self.version:
            yield "%s: version %d after %d" % (name, version, self.version)
        self.version = version
        run = status.get("run", {}).get("id")
        if self.run and run != self.run:
            yield "%s: the run %s became %s" % (name, self.run, run)
        self.run = run
        for key, step in rows(status):
            rank, was = RANK[step["state"]], self.ranks.get(key, 0)
            if rank < was:
                yield "%s: %s went back from rank %d to %s" % (name, key, was, step["state"])
            self.ranks[key] = rank
            if self.ids.get(key) and step.get("externalID") != self.ids[key]:
                yield "%s: %s had the id %s and has %s" % (name, key, self.ids[key], step.get("externalID"))
            self.ids[key] = step.get("externalID")


def main():
    histories, seen, faults = {}, 0, []
    with open(sys.argv[1]) as file:
        text = file.read()
    for item in objects(text):
        name = item["metadata"]["name"]
        history = histories.setdefault(item["metadata"]["uid"], History())
        faults += history.take(name, item)
        seen += 1
    print(json.dumps({"objects": len(histories), "versions": seen, "steps": sum(len(h.ranks) for h in histories.values())}))
    for fault in faults[:20]:
        print(fault)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
