"""Answers GET of the channels over kept connections of TLS: server.py CERTIFICATE KEY; prints its port."""

import http.server
import ssl
import sys

ID = "streaming-2-aa5h48uk0srhpugh2994klj918"
BODY = (f'{{"entities":[{{"connectUri":"wss://streaming.mypurecloud.com/channels/{ID}","id":"{ID}",'
        '"expires":"2026-02-03T17:59:07.650Z"}]}').encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path.split("?")[0] != "/api/v2/notifications/channels":
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
