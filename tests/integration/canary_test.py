#!/usr/bin/env python3
"""A password of staging is found nowhere: not in status, log, argv or environ, not in the simulator's journal,
and after the Password step not in the memory of the process either, read as root would read it."""
import json, os, pathlib, subprocess, sys, tempfile, time, urllib.request

BINARY, SIMULATOR = sys.argv[1], sys.argv[2]
ROOT = pathlib.Path(__file__).resolve().parents[2]
CANARY = "Canary-7f3Kq9wZ_x2Lm"
SCALE = "120"


def memory_holds(pid, needle):
    """Where the needle is in the process's writable memory."""
    found = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, access, rest = line.split(maxsplit=2)
            if not access.startswith("rw") or "[v" in rest:
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            try:
                mem.seek(start)
                block = mem.read(end - start)
            except OSError:
                continue
            at = block.find(needle)
            while at >= 0:
                found.append(f"{start + at:#x} in {span} {rest.split()[-1]}: {block[max(0, at - 40):at + 40]!r}")
                at = block.find(needle, at + 1)
    return found


def password_state(state_dir):
    """The Password row as it was last written, and all that is written there."""
    texts = [path.read_text(errors="replace") for path in pathlib.Path(state_dir).rglob("*") if path.is_file()]
    for text in texts:
        try:
            status = json.loads(text).get("status", {})
        except (ValueError, AttributeError):
            continue
        for database in status.get("databases", []):
            for step in database.get("steps", []):
                if step["name"] == "Password":
                    return step["state"], texts
    return "", texts


def look_into(run, state_dir, faults):
    """Twice: once the reset has been asked for, and once it is done."""
    seen = set()
    while run.poll() is None and len(seen) < 2:
        state, _ = password_state(state_dir)
        if state in ("Running", "Done") and state not in seen:
            time.sleep(0.3)  # the pass that has read the secret is over
            if run.poll() is not None:
                break
            seen.add(state)
            faults += [f"memory ({state}): {place}" for place in memory_holds(run.pid, CANARY.encode())]
            for name in ("cmdline", "environ"):
                if CANARY.encode() in pathlib.Path(f"/proc/{run.pid}/{name}").read_bytes():
                    faults.append(f"it is in the process's {name}")
            if not memory_holds(run.pid, b"example-secret"):  # it signs with this one all the time
                faults.append("the test cannot see what is in memory")
        time.sleep(0.02)
    if not seen:
        faults.append("the Password step was never seen")


def main():
    if os.geteuid() != 0:
        print("SKIP: only root may read another process's memory")
        return 77
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        world = (ROOT / "hack/awssim/worlds/shop.yaml").read_text().replace("staging-password", CANARY)
        pathlib.Path(folder, "world.yaml").write_text(world)
        ready, state_dir = pathlib.Path(folder, "ready"), pathlib.Path(folder, "state")
        sim = subprocess.Popen([SIMULATOR, "--world", f"{folder}/world.yaml", "--listen", "127.0.0.1:0",
                                "--time-scale", SCALE, "--seed", "1", "--ready-file", ready])
        try:
            while not (ready.exists() and ready.read_text().strip()):
                time.sleep(0.05)
            url = ready.read_text().strip()
            environment = {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": url, "AWS_REGION": "ap-northeast-1",
                           "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example-secret"}
            with open(f"{folder}/out", "wb") as out, open(f"{folder}/err", "wb") as err:
                run = subprocess.Popen([BINARY, "run", "-f", ROOT / "manifests/samples/shop.yaml", "--state-dir",
                                        state_dir, "--output", "json", "--time-scale", SCALE, "--log-level", "debug"],
                                       env=environment, stdout=out, stderr=err)
                look_into(run, state_dir, faults)
                code = run.wait(timeout=300)
            if code:
                faults.append(f"the run ended with {code}: {pathlib.Path(folder, 'err').read_text()[-2000:]}")
            _, texts = password_state(state_dir)
            for name in ("out", "err"):
                texts.append(pathlib.Path(folder, name).read_text(errors="replace"))
            for name in ("journal", "calls", "world"):
                texts.append(urllib.request.urlopen(f"{url}/_sim/{name}").read().decode())
            faults += ["it is in a text: " + text[max(0, text.find(CANARY) - 80):][:200] for text in texts if CANARY in text]
        finally:
            sim.terminate()
            sim.wait()
    for fault in faults:
        print(fault)
    print(f"canary: {len(faults)} faults")
    return 1 if faults else 0


sys.exit(main())
