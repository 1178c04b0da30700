#!/usr/bin/env python3
"""Stands between a client and an API server and is a bad one: answers 429 and 500 at random, loses answers, cuts watches.

  faulty_proxy.py --upstream URL --pki DIR --settings FILE --ready-file FILE [--seed N]

Serves TLS on a free port of 127.0.0.1 with DIR's certificate of the API server, so that a kubeconfig only needs another address;
FILE holds the URL once it serves. FILE of settings is JSON and may be written anew at any time:

  {"busy": 0.05,           of requests, watches among them: 429, come again in a second; not handed on
   "error": 0.03,          500; not handed on
   "error_after": 0.02,    of requests that are no watch: handed on, then 500
   "lost": 0.02,           handed on, then the connection is closed
   "cut": 20,              seconds that a watch lives at most; 0: as long as it wants
   "hold_watches": false,  no watch gets through, those that are there are cut
   "mute": false}          watches stay, and what they bring is kept back until this ends

GET /_proxy/counts gives what was done so far, {"busy": 12, "gone": 1, ...}.
"""
import argparse
import collections
import http.client
import http.server
import json
import os
import random
import socket
import socketserver
import ssl
import threading
import time
import urllib.parse

STATUS = {
    429: {"reason": "TooManyRequests", "message": "the server is busy (a fault of the test)"},
    500: {"reason": "InternalError", "message": "an error on the server (a fault of the test)"},
}
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection", "content-length"}
UPSTREAM_TIMEOUT_S = 40


class Faults:
    def __init__(self, settings_file, seed):
        self.settings_file, self.random = settings_file, random.Random(seed)
        self.lock, self.counts, self.settings, self.read_of = threading.Lock(), collections.Counter(), {}, None

    def get(self, name):
        with self.lock:
            stat = os.stat(self.settings_file)
            if (stat.st_ino, stat.st_mtime_ns) != self.read_of:
                with open(self.settings_file) as file:
                    self.settings = json.load(file)
                self.read_of = (stat.st_ino, stat.st_mtime_ns)
            return self.settings.get(name, 0)

    def count(self, name, by=1):
        with self.lock:
            self.counts[name] += by

    def draw(self):
        with self.lock:
            return self.random.random()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream = None

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except (OSError, ssl.SSLError):
            pass  # the client is gone
        finally:
            if self.upstream:
                self.upstream.close()

    def answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, code):
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, **STATUS[code]}
        headers = [("Content-Type", "application/json")] + ([("Retry-After", "1")] if code == 429 else [])
        self.answer(code, headers, json.dumps(status).encode())

    def hang_up(self):
        self.close_connection = True

    def handed_on(self):
        return {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}

    def forward(self, body):
        """The upstream's answer, or None when there was none."""
        try:
            if not self.upstream:
                self.upstream = http.client.HTTPSConnection(*self.server.upstream, context=self.server.client_tls,
                                                            timeout=UPSTREAM_TIMEOUT_S)
            self.upstream.request(self.command, self.path, body=body, headers=self.handed_on())
            response = self.upstream.getresponse()
            return response.status, [h for h in response.getheaders() if h[0].lower() not in HOP_BY_HOP], response.read()
        except (OSError, http.client.HTTPException):
            self.upstream.close()
            self.upstream = None
            return None

    def unary(self):
        faults, drawn = self.server.faults, self.server.faults.draw()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = None
        for name in ("busy", "error", "error_after", "lost"):
            if drawn < faults.get(name):
                fault = name
                break
            drawn -= faults.get(name)
        if fault in ("busy", "error"):
            faults.count(fault)
            return self.refuse(429 if fault == "busy" else 500)
        reply = self.forward(body)
        if reply is None:
            faults.count("no_answer")
            return self.hang_up()
        if fault:
            faults.count(fault)
            faults.count("%s_of_%s" % (fault, self.command))
            return self.refuse(500) if fault == "error_after" else self.hang_up()
        faults.count("passed")
        return self.answer(*reply)

    def pipe(self, raw, until):
        """Bytes as they come; the 410s among them are counted."""
        faults, seen, kept = self.server.faults, b"", b""
        while time.monotonic() < until and not faults.get("hold_watches"):
            try:
                data = raw.recv(65536)
                kept += data
            except (socket.timeout, ssl.SSLWantReadError):
                data = None
            if kept and not faults.get("mute"):
                seen = seen[-20:] + kept
                if b'"code":410' in seen or seen.startswith(b"HTTP/1.1 410"):
                    faults.count("gone")
                    seen = b""
                self.wfile.write(kept)
                kept = b""
            if data == b"":
                return
        faults.count("cut")

    def watch(self):
        faults, drawn = self.server.faults, self.server.faults.draw()
        self.close_connection = True
        if faults.get("hold_watches"):
            return faults.count("held")
        if drawn < faults.get("busy"):
            faults.count("busy_watch")
            return self.refuse(429)
        if drawn < faults.get("busy") + faults.get("error"):
            faults.count("error_watch")
            return self.refuse(500)
        lives_s = faults.get("cut") * (0.5 + faults.draw() / 2) or 3600
        headers = "".join("%s: %s\r\n" % item for item in self.handed_on().items() if item[0].lower() != "host")
        head = "GET %s HTTP/1.1\r\nHost: %s:%d\r\n%sConnection: close\r\n\r\n" % ((self.path,) + self.server.upstream + (headers,))
        with socket.create_connection(self.server.upstream, timeout=UPSTREAM_TIMEOUT_S) as plain:
            with self.server.client_tls.wrap_socket(plain, server_hostname=self.server.upstream[0]) as raw:
                raw.sendall(head.encode())
                raw.settimeout(0.2)
                faults.count("watches")
                self.pipe(raw, time.monotonic() + lives_s)
        return None

    def serve(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        if self.path == "/_proxy/counts":
            with self.server.faults.lock:
                body = json.dumps(self.server.faults.counts).encode()
            self.answer(200, [("Content-Type", "application/json")], body)
        elif query.get("watch", ["0"])[0] in ("1", "true"):
            self.watch()
        else:
            self.unary()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # a handshake or an upstream that failed: the client sees it


def main():
    parser = argparse.ArgumentParser()
    for name in ("upstream", "pki", "settings", "ready-file"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    server = Server(("127.0.0.1", 0), Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.pki + "/apiserver.crt", options.pki + "/apiserver.key")
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.client_tls = ssl.create_default_context(cafile=options.pki + "/ca.crt")
    address = urllib.parse.urlsplit(options.upstream)
    server.upstream = (address.hostname, address.port)
    server.faults = Faults(options.settings, options.seed)
    with open(options.ready_file + ".part", "w") as file:
        file.write("https://127.0.0.1:%d" % server.server_address[1])
    os.rename(options.ready_file + ".part", options.ready_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
