#!/usr/bin/env python3
"""A webhook of a real server hears of each transition of a refresh, under one id; a redirect is not followed,
trouble is tried again, and what is secret in the URL is not logged."""
import http.server, json, os, pathlib, subprocess, sys, tempfile, threading, time

BINARY, SIMULATOR = sys.argv[1], sys.argv[2]
ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = "very-secret-token"
WANTED = {"RunStarted", "SwitchingOver", "RunSucceeded"}
SCALE = "600"


class Receiver(http.server.BaseHTTPRequestHandler):
    seen, troubles = [], [302, 503]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = self.troubles.pop(0) if self.troubles else 204
        self.seen.append((self.path, dict(self.headers), body, status))
        self.send_response(status)
        if status == 302:
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *words):
        pass


def check(state, run, log):
    faults, ids = [], {}
    if run != 0:
        faults.append(f"exit status {run}: {log[-1500:]}")
    for path, headers, body, status in Receiver.seen:
        if path != f"/hook?token={TOKEN}":
            faults.append(f"a request for {path}")
        if not headers.get("content-type", "").startswith("application/cloudevents+json"):
            faults.append(f"content type {headers.get('content-type')}")
        event = json.loads(body)
        if event["specversion"] != "1.0" or event["data"]["name"] != "shop":
            faults.append(f"not an event of ours: {body!r}")
        ids.setdefault(event["data"]["transition"], set()).add((event["source"], event["id"]))
    delivered = {json.loads(body)["data"]["transition"] for _, _, body, status in Receiver.seen if status == 204}
    if not WANTED <= delivered:
        faults.append(f"delivered {sorted(delivered)}: {log[-1500:]}")
    faults += [f"{name} has {len(found)} ids" for name, found in ids.items() if len(found) != 1]
    if Receiver.troubles:
        faults.append("the troubles were not met")
    if TOKEN in log:
        faults.append("the URL's secret is in the log")
    left = [path for path in state.rglob("*.json") if json.loads(path.read_text()).get("status", {}).get("notifications")]
    faults += [f"{path.name}: something is still to be told" for path in left]
    return faults


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        ready, state = folder / "ready", folder / "state"
        world = ROOT / "hack/awssim/worlds/shop.yaml"
        simulator = subprocess.Popen([SIMULATOR, "--world", world, "--listen", "127.0.0.1:0", "--time-scale", SCALE,
                                      "--seed", "1", "--ready-file", ready])
        try:
            while not (ready.exists() and ready.read_text().strip()):
                time.sleep(0.05)
            told = (f"  notifications:\n  - name: hook\n    webhook: {{url: 'http://127.0.0.1:{server.server_port}"
                    f"/hook?token={TOKEN}'}}\n  switchover:\n    policy")
            manifest = (ROOT / "manifests/samples/shop.yaml").read_text().replace("  switchover:\n    policy", told)
            (folder / "refresh.yaml").write_text(manifest)
            environment = {"PATH": os.environ["PATH"], "HOME": name, "AWS_ENDPOINT_URL": ready.read_text().strip(),
                           "AWS_REGION": "ap-northeast-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
                           "AWS_SECRET_ACCESS_KEY": "example-secret"}
            run = subprocess.run([BINARY, "run", "-f", folder / "refresh.yaml", "--state-dir", state, "--output", "json",
                                  "--time-scale", SCALE, "--log-level", "debug"], env=environment,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
            faults = check(state, run.returncode, run.stderr)
        finally:
            simulator.terminate()
            simulator.wait()
    server.shutdown()
    print(f"{len(Receiver.seen)} requests, {sorted({json.loads(seen[2])['data']['transition'] for seen in Receiver.seen})}")
    for fault in faults:
        print("fault:", fault)
    return 1 if faults else 0


sys.exit(main())
