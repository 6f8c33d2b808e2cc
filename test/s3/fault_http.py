"""HTTP/1.1 messages as S3 clients and servers send them, and the signature of a request."""

import datetime
import hashlib
import hmac
import re
import urllib.parse

PIECE = 64 << 10  # bytes of a body passed at a time


class Ended(Exception):
    """This connection is over."""


class Head:
    """The first line and the headers of a message."""

    def __init__(self, data):
        self.first, *lines = data.decode("latin-1").rstrip("\r\n").split("\r\n")
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]

    def get(self, name, default=""):
        return next((v for n, v in self.headers if n.lower() == name), default)

    def set(self, name, value):
        self.headers = [(n, v) for n, v in self.headers if n.lower() != name]
        if value is not None:
            self.headers.append((name, value))

    def data(self):
        lines = [self.first] + [f"{name}: {value}" for name, value in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    @property
    def length(self):
        return int(self.get("content-length", "0"))


class Request(Head):
    def __init__(self, data):
        super().__init__(data)
        self.method, self.target, _ = self.first.split(" ")
        path, _, query = self.target.partition("?")
        names = {name for name, _ in urllib.parse.parse_qsl(query, keep_blank_values=True)}
        self.operation = self.name_operation(path, names)

    def name_operation(self, path, names):
        if "uploadId" in names:
            names_of = {"PUT": "UploadPart", "POST": "Complete", "DELETE": "Abort"}
            return names_of.get(self.method, "ListParts")
        if "uploads" in names:
            return "CreateUpload" if self.method == "POST" else "ListUploads"
        if self.method == "GET" and ("list-type" in names or path.count("/") < 2):
            return "List"
        return self.method.capitalize()


class Signer:
    """Signs a request again for another time (AWS Signature Version 4), from its own headers."""

    def __init__(self, file):
        with open(file, encoding="utf-8") as lines:
            keys = dict(re.findall(r"^\s*(\w+)\s*=\s*(\S+)", lines.read(), re.M))
        self.secret = keys["aws_secret_access_key"]

    def sign(self, request):
        pattern = r"Credential=([^/]+)/\d+/([^,]+), ?SignedHeaders=([^,]+)"
        key_id, scope, signed = re.search(pattern, request.get("authorization")).groups()
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{now[:8]}/{scope}"
        request.set("x-amz-date", now)
        path, _, query = request.target.partition("?")
        query = "&".join(sorted(p if "=" in p else p + "=" for p in query.split("&") if p))
        headers = "".join(f"{name}:{request.get(name)}\n" for name in signed.split(";"))
        canonical = "\n".join(
            [request.method, path, query, headers, signed, request.get("x-amz-content-sha256")]
        )
        key = ("AWS4" + self.secret).encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        hashed = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashed}"
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        request.set(
            "authorization",
            f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={signed}, "
            f"Signature={signature}",
        )


def request_time(request):
    time_of = datetime.datetime.strptime(request.get("x-amz-date"), "%Y%m%dT%H%M%SZ")
    return time_of.replace(tzinfo=datetime.timezone.utc).timestamp()


async def pieces(reader, length):
    """A body of known length, piece by piece."""
    while length > 0:
        piece = await reader.read(min(PIECE, length))
        if not piece:
            raise Ended
        length -= len(piece)
        yield piece


async def chunks(reader):
    """A chunked body as it is on the wire, one chunk at a time."""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        yield line + await reader.readexactly(size + 2)
        if size == 0:
            return


def answer_length(request, answer):
    """Of the body in bytes; None when the server does not say."""
    if request.method == "HEAD" or answer.first.split(" ")[1] in ("204", "304"):
        return 0
    return None if answer.get("transfer-encoding") == "chunked" else answer.length
