"""A REST side over kept connections of TLS: server.py CERTIFICATE KEY [URI]; prints its port.

It has one channel. With a URI it also gives tokens, and makes a channel at that URI that permits all topics.
"""

import http.server
import json
import ssl
import sys
import time

CHANNELS = "/api/v2/notifications/channels"
ID = "streaming-2-aa5h48uk0srhpugh2994klj918"
URI = sys.argv[3] if len(sys.argv) > 3 else None


def channel(expires="2026-02-03T17:59:07.650Z"):
    return {"connectUri": URI or f"wss://streaming.mypurecloud.com/channels/{ID}", "id": ID, "expires": expires}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, value):
        body = json.dumps(value, separators=(",", ":")).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_GET(self):
        if self.path.split("?")[0] != CHANNELS:
            return self.send_error(404)
        return self.answer({"entities": [] if URI else [channel()]})

    def do_POST(self):
        self.body()
        if URI and self.path == "/oauth/token":
            return self.answer({"access_token": "a-token", "token_type": "bearer", "expires_in": 86399})
        if URI and self.path == CHANNELS:
            end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
            return self.answer(channel(end))
        return self.send_error(404)

    def do_PUT(self):
        topics = json.loads(self.body())
        return self.answer({"entities": [{"id": topic["id"], "state": "Permitted"} for topic in topics]})

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
