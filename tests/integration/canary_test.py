#!/usr/bin/env python3
"""A password of staging is found nowhere: not in status, log, argv or environ, not in the simulator's journal,
and after the Password step not in the memory of the process either, read as root would read it. Once with a
password that staging has, once with one that the program itself makes."""
import datetime, json, os, pathlib, signal, subprocess, sys, tempfile, time, urllib.request

BINARY, SIMULATOR = sys.argv[1], sys.argv[2]
ROOT = pathlib.Path(__file__).resolve().parents[2]
CANARY = "Canary-7f3Kq9wZ_x2Lm"
MANIFEST = (ROOT / "manifests/samples/shop.yaml").read_text()
AWS = subprocess.run(["bash", "-c", "source hack/lib/paths.sh && printf %s \"$SR_AWS\""], cwd=ROOT, check=True,
                     stdout=subprocess.PIPE, text=True).stdout


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


def look(run, secret, when, faults):
    """In the process, as root would."""
    faults += [f"memory ({when}): {place}" for place in memory_holds(run.pid, secret)]
    for name in ("cmdline", "environ"):
        if secret in pathlib.Path(f"/proc/{run.pid}/{name}").read_bytes():
            faults.append(f"it is in the process's {name}")
    if not memory_holds(run.pid, b"example-secret"):  # it signs with this one all the time
        faults.append("the test cannot see what is in memory")


def look_twice(run, state_dir, faults):
    """Once the reset has been asked for, and once it is done."""
    seen = set()
    while run.poll() is None and len(seen) < 2:
        state, _ = password_state(state_dir)
        if state in ("Running", "Done") and state not in seen:
            time.sleep(0.3)  # the pass that has read the secret is over
            if run.poll() is not None:
                break
            seen.add(state)
            look(run, CANARY.encode(), state, faults)
        time.sleep(0.02)
    if not seen:
        faults.append("the Password step was never seen")


class Stage:
    """A simulated world, and the program to be run in it."""

    def __init__(self, folder, scale):
        self.folder, self.scale, self.runs = pathlib.Path(folder), scale, []
        self.state_dir = self.folder / "state"
        world = (ROOT / "hack/awssim/worlds/shop.yaml").read_text().replace("staging-password", CANARY)
        (self.folder / "world.yaml").write_text(world)
        ready = self.folder / "ready"
        self.sim = subprocess.Popen([SIMULATOR, "--world", self.folder / "world.yaml", "--listen", "127.0.0.1:0",
                                     "--time-scale", scale, "--seed", "1", "--ready-file", ready])
        while not (ready.exists() and ready.read_text().strip()):
            time.sleep(0.05)
        self.url = ready.read_text().strip()
        self.environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "AWS_ENDPOINT_URL": self.url,
                            "AWS_REGION": "ap-northeast-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
                            "AWS_SECRET_ACCESS_KEY": "example-secret"}

    def start(self, manifest):
        (self.folder / "refresh.yaml").write_text(manifest)
        with open(self.folder / "out", "ab") as out, open(self.folder / "err", "ab") as err:
            run = subprocess.Popen([BINARY, "run", "-f", self.folder / "refresh.yaml", "--state-dir", self.state_dir,
                                    "--output", "json", "--time-scale", self.scale, "--log-level", "debug"],
                                   env=self.environment, stdout=out, stderr=err)
        self.runs.append(run)
        return run

    def errors(self):
        return (self.folder / "err").read_text(errors="replace")[-2000:]

    def texts(self):
        """Everything that the program and the world around it say."""
        found = password_state(self.state_dir)[1]
        found += [(self.folder / name).read_text(errors="replace") for name in ("out", "err")]
        for name in ("journal", "calls", "world"):
            found.append(urllib.request.urlopen(f"{self.url}/_sim/{name}").read().decode())
        return found

    def aws(self, *words, credentials=None):
        environment = dict(self.environment, AWS_DEFAULT_REGION=self.environment["AWS_REGION"])
        if credentials:
            environment.update(AWS_ACCESS_KEY_ID=credentials["AccessKeyId"], AWS_SESSION_TOKEN=credentials["SessionToken"],
                               AWS_SECRET_ACCESS_KEY=credentials["SecretAccessKey"])
        return json.loads(subprocess.run([AWS, "--output", "json", *words], env=environment, check=True,
                                         stdout=subprocess.PIPE).stdout)

    def password(self, stage):
        """What staging's secret holds under that label."""
        role = self.aws("sts", "assume-role", "--role-session-name", "canary", "--external-id", "staging-cluster",
                        "--role-arn", "arn:aws:iam::222222222222:role/staging-refresh")
        answer = self.aws("secretsmanager", "get-secret-value", "--secret-id", "shop/stg/db", "--version-stage", stage,
                          credentials=role["Credentials"])
        return json.loads(answer["SecretString"])["password"]

    def close(self):
        for process in self.runs:
            process.kill()
        self.sim.terminate()
        self.sim.wait()


def in_texts(texts, secret):
    return ["it is in a text: " + text[max(0, text.find(secret) - 80):][:200] for text in texts if secret in text]


def from_secret(stage):
    """The copy gets the password that staging's secret holds."""
    faults = []
    run = stage.start(MANIFEST)
    look_twice(run, stage.state_dir, faults)
    code = run.wait(timeout=300)
    if code:
        faults.append(f"the run ended with {code}: {stage.errors()}")
    return faults + in_texts(stage.texts(), CANARY)


def generate(stage):
    """The program makes one. A window keeps the run from switching over until we have seen which."""
    faults = []
    held = MANIFEST.replace("fromSecret:", "generate:")
    hour = (datetime.datetime.now(datetime.timezone.utc).hour + 12) % 24
    window = f'policy: Automatic\n    window: {{from: "{hour:02}:00", to: "{hour:02}:30", timeZone: UTC}}'
    run = stage.start(held.replace("policy: Automatic", window))
    while run.poll() is None and not any('"phase":"AwaitingWindow"' in text.replace(": ", ":")
                                         for text in password_state(stage.state_dir)[1]):
        time.sleep(0.1)
    if run.poll() is not None:
        return [f"the run ended with {run.returncode} before its window: {stage.errors()}"]
    made = stage.password("stagingrefresh-next")
    look(run, made.encode(), "made", faults)
    run.send_signal(signal.SIGINT)
    if run.wait(timeout=60) != 130:
        faults.append(f"interrupted, the run ended with {run.returncode}: {stage.errors()}")
    run = stage.start(held)
    if run.wait(timeout=300):
        faults.append(f"the run ended with {run.returncode}: {stage.errors()}")
    if made == CANARY or stage.password("AWSCURRENT") != made:
        faults.append("staging's secret does not hold the new password")
    return faults + in_texts(stage.texts(), made) + in_texts(stage.texts(), CANARY)


def main():
    if os.geteuid() != 0:
        print("SKIP: only root may read another process's memory")
        return 77
    if not os.access(AWS, os.X_OK):
        print("SKIP: there is no aws command; hack/setup.sh --tests installs it")
        return 77
    failed = 0
    for play, scale in ((from_secret, "120"), (generate, "600")):
        with tempfile.TemporaryDirectory() as folder:
            stage = Stage(folder, scale)
            try:
                faults = play(stage)
            finally:
                stage.close()
        for fault in faults:
            print(fault)
        failed += len(faults)
        print(f"canary, {play.__name__}: {len(faults)} faults")
    return 1 if failed else 0


sys.exit(main())
