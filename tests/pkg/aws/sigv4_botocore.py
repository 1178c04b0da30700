#!/usr/bin/env python3
"""Compares our signer with botocore's, bit for bit, at every stage.

usage: sigv4_botocore.py DRIVER [COUNT] [SEED]

DRIVER is the program made of sigv4_driver.c.  Exits with 77 when there is no botocore.
"""
import base64
import datetime
import json
import random
import subprocess
import sys

try:
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    print("no botocore: skipped")
    sys.exit(77)

SERVICES = ["backup", "rds", "dynamodb", "sts", "ssm", "secretsmanager", "ecs", "kms", "lambda", "states", "sqs"]
REGIONS = ["ap-northeast-1", "eu-central-1", "us-east-1", "cn-north-1", "us-gov-west-1"]
# Not signed by either side.
UNSIGNED = ["User-Agent", "Connection", "Expect", "X-Amzn-Trace-Id", "TE", "Transfer-Encoding"]
UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"


def encode(text):
    out = []
    for byte in text.encode():
        char = chr(byte)
        out.append(char if char in UNRESERVED else "%%%02X" % byte)
    return "".join(out)


def any_text(rng, longest):
    alphabet = UNRESERVED + " :/%+&=?,;@!*'()$[]\"<>|\\^`{}\u00e9\u3042\U0001f600"
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(0, longest)))


def any_path(rng):
    kind = rng.randrange(10)
    if kind == 0:
        return ""
    if kind == 1:
        return "/"
    segments = []
    for _ in range(rng.randint(1, 5)):
        what = rng.randrange(12)
        if what == 0:
            segments.append(".")
        elif what == 1:
            segments.append("..")
        elif what == 2:
            segments.append("")
        elif what == 3:
            segments.append(encode("arn:aws:rds:eu-central-1:444455556666:cluster-snapshot:awsbackup:job-%d" % rng.randrange(99)))
        elif what == 4:
            segments.append(encode("arn:aws:dynamodb:r:1:table/t/backup/%d" % rng.randrange(99)))
        else:
            segments.append(encode(any_text(rng, 12)))
    return "/" + "/".join(segments) + rng.choice(["", "/"])


def any_query(rng):
    pieces = []
    for _ in range(rng.choice([0, 0, 1, 2, 3, 6])):
        name = rng.choice([encode(any_text(rng, 6)), "a", "a-b", "a.b", "A", "resourceArn"])
        what = rng.randrange(6)
        if what == 0:
            pieces.append(name)
        elif what == 1:
            pieces.append(name + "=")
        elif what == 2:
            pieces.append(name + "=1=2")
        else:
            pieces.append(name + "=" + encode(any_text(rng, 10)))
    return "&".join(pieces)


def any_headers(rng):
    headers = []
    if rng.random() < 0.5:
        headers.append([rng.choice(["content-type", "Content-Type"]), rng.choice(["application/json", "application/x-amz-json-1.1"])])
    if rng.random() < 0.5:
        headers.append(["X-Amz-Target", "Service_1.Op%d" % rng.randrange(99)])
    for _ in range(rng.choice([0, 0, 1, 2])):
        name = rng.choice(["X-Amz-Meta", "x-amz-meta", "x-amz-a", "X-Custom"])
        value = rng.choice(["plain", "  two  words ", "tab\there", "a,b", "", "\"quoted  text\""])
        headers.append([name, value])
    if rng.random() < 0.3:
        headers.append([rng.choice(UNSIGNED), "whatever"])
    return headers


def any_case(rng):
    host = rng.choice(["%s.%s.amazonaws.com", "127.0.0.1:4566", "localhost"])
    service, region = rng.choice(SERVICES), rng.choice(REGIONS)
    if "%" in host:
        host = host % (service, region)
    body = rng.randbytes(rng.choice([0, 0, 1, 20, 500])) if rng.random() < 0.5 else any_text(rng, 40).encode()
    return {
        "method": rng.choice(["GET", "PUT", "POST", "DELETE"]),
        "host": host,
        "path": any_path(rng),
        "query": any_query(rng),
        "headers": any_headers(rng),
        "body": base64.b64encode(body).decode(),
        "access_key": "AKID%d" % rng.randrange(10**6),
        "secret_key": base64.b64encode(rng.randbytes(30)).decode(),
        "token": base64.b64encode(rng.randbytes(rng.randint(1, 300))).decode() if rng.random() < 0.5 else None,
        "region": region,
        "service": service,
        # Any second of this century but a few.
        "wall_ms": rng.randrange(946684800, 4102444800) * 1000 + rng.randrange(1000),
    }


def theirs(case):
    url = "https://%s%s" % (case["host"], case["path"])
    if case["query"]:
        url += "?" + case["query"]
    request = AWSRequest(method=case["method"], url=url, data=base64.b64decode(case["body"]))
    for name, value in case["headers"]:
        request.headers.add_header(name, value)
    request.headers.add_header("Host", case["host"])
    now = datetime.datetime.fromtimestamp(case["wall_ms"] // 1000, datetime.timezone.utc)
    # Under two names, as releases differ.
    botocore.auth.get_current_datetime = lambda *args, **kwargs: now

    class Clock(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return now

    if hasattr(botocore.auth, "datetime") and hasattr(botocore.auth.datetime, "datetime"):
        botocore.auth.datetime.datetime = Clock
    signer = botocore.auth.SigV4Auth(
        Credentials(case["access_key"], case["secret_key"], case["token"]), case["service"], case["region"])
    stages = {}
    canonical_request, string_to_sign = signer.canonical_request, signer.string_to_sign

    def keep_canonical(request):
        stages["canonical"] = canonical_request(request)
        return stages["canonical"]

    def keep_string(request, canonical):
        stages["string_to_sign"] = string_to_sign(request, canonical)
        return stages["string_to_sign"]

    signer.canonical_request, signer.string_to_sign = keep_canonical, keep_string
    signer.add_auth(request)
    stages["authorization"] = request.headers["Authorization"]
    return stages


def main():
    driver = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20261122
    rng = random.Random(seed)
    real_datetime = datetime.datetime
    cases = [any_case(rng) for _ in range(count)]
    lines = []
    for case in cases:
        sent = dict(case, headers=case["headers"] + [["Host", case["host"]]])
        if sent["token"] is None:
            del sent["token"]
        lines.append(json.dumps(sent))
    done = subprocess.run([driver], input="\n".join(lines).encode(), stdout=subprocess.PIPE, check=True)
    ours = [json.loads(line) for line in done.stdout.decode().splitlines()]
    if len(ours) != count:
        sys.exit("the driver answered %d of %d cases" % (len(ours), count))
    wrong = 0
    for case, got in zip(cases, ours):
        want = theirs(case)
        datetime.datetime = real_datetime
        if got == want:
            continue
        wrong += 1
        if wrong <= 3:
            print("case:", json.dumps(case))
            for stage in want:
                if got.get(stage) != want[stage]:
                    print("%s\n  ours:   %r\n  theirs: %r" % (stage, got.get(stage), want[stage]))
    if wrong:
        sys.exit("%d of %d requests differ (seed %d)" % (wrong, count, seed))
    print("%d requests, every stage equal (botocore %s, seed %d)" % (count, botocore.__version__, seed))


if __name__ == "__main__":
    main()
