"""The instance metadata service and the container endpoint, for one set of credentials.

usage: credentials_server.py READY-FILE KEY SECRET TOKEN [ADDRESS...]

Serves on a port of its own, which READY-FILE tells, and on port 80 of each address.
"""
import http.server
import json
import os
import sys
import threading
import time

READY, KEY, SECRET, TOKEN = sys.argv[1:5]
ADDRESSES = sys.argv[5:]
SESSION = "metadata-session"
ROLE = "/latest/meta-data/iam/security-credentials/"


def answer(**more):
    expiration = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    return json.dumps(dict(AccessKeyId=KEY, SecretAccessKey=SECRET, Token=TOKEN, Expiration=expiration, **more))


class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, status, text=""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        if self.path.startswith("/v1/"):  # a metadata service of old
            return self.reply(404)
        if self.path != "/latest/api/token" or not self.headers.get("x-aws-ec2-metadata-token-ttl-seconds"):
            return self.reply(400)
        self.reply(200, SESSION)

    def do_GET(self):
        if self.path == "/container":
            # What the token file holds, as it is.
            good = self.headers.get("Authorization") == "container-token"
            return self.reply(200, answer()) if good else self.reply(403)
        if self.path == "/v2/credentials/task":  # whoever reaches a task's endpoint has the task's role
            return self.reply(200, answer())
        is_old = self.path.startswith("/v1/")
        self.path = self.path[3:] if is_old else self.path
        if not is_old and self.headers.get("x-aws-ec2-metadata-token") != SESSION:
            return self.reply(401)
        if self.path == ROLE:
            return self.reply(200, "node-role")
        if self.path == ROLE + "node-role":
            return self.reply(200, answer(Code="Success", Type="AWS-HMAC", LastUpdated="2026-01-01T00:00:00Z"))
        self.reply(404)

    def log_message(self, *args):
        pass


for address in ADDRESSES:
    threading.Thread(target=http.server.ThreadingHTTPServer((address, 80), Handler).serve_forever, daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(READY + ".new", "w") as file:
    file.write("http://127.0.0.1:%d" % server.server_address[1])
os.rename(READY + ".new", READY)
server.serve_forever()
