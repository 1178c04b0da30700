"""TLS in front of another server, and a proxy that leads there whatever host it is asked for.

usage: credentials_front.py READY-FILE CERTIFICATE KEY TARGET-PORT
The file gets two lines: the port of the one, and of the other.
"""
import http.client
import http.server
import os
import select
import socket
import ssl
import sys
import threading

READY, CERTIFICATE, KEY, TARGET = sys.argv[1:5]


class Front(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target = http.client.HTTPConnection("127.0.0.1", int(TARGET))
        target.request("POST", self.path, body, dict(self.headers))
        reply = target.getresponse()
        data = reply.read()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.headers.get("Content-Type", ""))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


class Proxy(http.server.BaseHTTPRequestHandler):
    def do_CONNECT(self):
        there = socket.create_connection(front.server_address)
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        other = {self.connection: there, there: self.connection}
        while True:
            for side in select.select(list(other), [], [])[0]:
                data = side.recv(65536)
                if not data:
                    return there.close()
                other[side].sendall(data)

    def log_message(self, *args):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
front = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
front.socket = context.wrap_socket(front.socket, server_side=True)
front.handle_error = lambda *args: None  # who does not trust us hangs up
proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
with open(READY + ".new", "w") as file:
    file.write("%d\n%d\n" % (front.server_address[1], proxy.server_address[1]))
os.rename(READY + ".new", READY)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
front.serve_forever()
