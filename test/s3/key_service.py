# key_service.py PID_FILE PORT: keys for a Ceph gateway that encrypts objects by itself (SSE-S3,
# "AES256"). It speaks as much of HashiCorp Vault's transit engine as the gateway needs
# (https://developer.hashicorp.com/vault/api-docs/secret/transit): a named key exists as soon as it is
# asked for, and a data key is "wrapped" by naming it, so there is nothing to remember and nothing is
# protected. For tests alone.
import base64
import http.server
import json
import os
import sys

WRAPPED = "vault:v1:"


def answer(path, request):
    """What the engine says to a request, by the part of the path that tells what is wanted."""
    if "/datakey/plaintext/" in path:
        key = base64.b64encode(os.urandom(32)).decode()
        return {"plaintext": key, "ciphertext": WRAPPED + key}
    if "/decrypt/" in path:
        return {"plaintext": request["ciphertext"].removeprefix(WRAPPED)}
    if "/keys/" in path:
        return {"name": path.rsplit("/", 1)[1], "type": "aes256-gcm96", "keys": {"1": 1}}
    return {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        text = json.dumps({"data": answer(self.path, json.loads(body) if body else {})}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = reply

    def log_message(self, *unused):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
with open(sys.argv[1], "w", encoding="ascii") as pid_file:
    print(os.getpid(), file=pid_file)
server.serve_forever()
