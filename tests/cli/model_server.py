#!/usr/bin/env python3
"""A server of model files on the loopback, with the habits of real ones. For test_pull.sh.

usage: model_server.py FOLDER LOG    prints its port, serves until it is killed

  /plain/FILE    with ETag and ranges
  /bare/FILE     with neither
  /cut/FILE      the first answer breaks off in the middle
  /busy/FILE     the first answer is 503
  /gated/FILE    asks for the token "secret"
  /page/FILE     answers with a page of HTML
  /far/FILE      redirects to /plain/FILE under another name of this host
  /api/models/USER/REPO/tree/main, /USER/REPO/resolve/main/FILE   as Hugging Face does

LOG gets a line for each request: path, Range, Authorization. It serves as a proxy, too: for a URL of
whatever host it answers from the URL's path.
"""

import hashlib
import http.server
import json
import pathlib
import sys
import urllib.parse

folder, log = pathlib.Path(sys.argv[1]), sys.argv[2]
seen = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", len(body))
        self.end_headers()
        self.wfile.write(body)

    def send_file(self, data, validate=True):
        etag = '"%s"' % hashlib.sha256(data).hexdigest()[:16]
        asked = self.headers.get("Range")
        if not validate:
            return self.answer(200, data)
        if not asked or self.headers.get("If-Range", etag) != etag:
            return self.answer(200, data, ETag=etag)
        start = int(asked.split("=")[1].rstrip("-"))
        if start >= len(data):
            return self.answer(416, b"", Content_Range="bytes */%d" % len(data))
        span = "bytes %d-%d/%d" % (start, len(data) - 1, len(data))
        return self.answer(206, data[start:], ETag=etag, Content_Range=span)

    def list_files(self):
        entries = []
        for path in sorted(folder.iterdir()):
            data = path.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            entries.append({"path": path.name, "size": len(data), "lfs": {"oid": digest}})
        self.answer(200, json.dumps(entries).encode())

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(url.path)
        with open(log, "a") as f:
            authorization = self.headers.get("Authorization", "-")
            print(url.netloc + path, self.headers.get("Range", "-"), authorization, file=f)
        kind, name = path.split("/")[1], path.split("/")[-1]
        first = path not in seen
        seen.add(path)
        if kind == "api":
            return self.list_files()
        if not (folder / name).is_file():
            return self.answer(404, b"no such\nfile")
        data = (folder / name).read_bytes()
        if kind == "busy" and first:
            return self.answer(503, b"later")
        if kind == "gated" and self.headers.get("Authorization") != "Bearer secret":
            return self.answer(401, b"who are you?")
        if kind == "page":
            return self.answer(200, b"<html>please log in</html>")
        if kind == "cut" and first:
            self.send_response(200)
            self.send_header("ETag", '"%s"' % hashlib.sha256(data).hexdigest()[:16])
            self.send_header("Content-Length", len(data))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.close_connection = True
            return None
        if kind == "far" or "resolve" in path:
            to = "http://localhost:%d/plain/%s" % (self.server.server_port, name)
            return self.answer(302, b"", Location=to, X_Linked_Etag='"%s"' % hashlib.sha256(data).hexdigest())
        return self.send_file(data, validate=kind != "bare")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
