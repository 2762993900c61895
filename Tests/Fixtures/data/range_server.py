"""A small HTTP server on loopback for the tests of downloads: it gives ranges, and fails on demand.

    range_server.py FOLDER MODE

Prints its port on the first line. It ends with its standard input. MODE is
  plain        ranges, as a good server
  break=N      each answer breaks off after N bytes
  norange      no ranges: always the whole file, status 200
  slow=N       N bytes, then one byte every fifth of a second
"""

import http.server
import os
import re
import sys
import threading
import time


def main():
    folder, mode = sys.argv[1], sys.argv[2]
    name, _, number = mode.partition("=")

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            path = os.path.join(folder, os.path.basename(self.path.split("?")[0]))
            if not os.path.isfile(path):
                self.send_error(404)
                return
            with open(path, "rb") as file:
                data = file.read()
            start, limit = 0, int(number or 0)
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
            if asked and name != "norange":
                start = int(asked.group(1))
                if start >= len(data):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(data)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            body = data[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with open(os.path.join(folder, "requests.log"), "a") as log:
                log.write(f"{os.path.basename(path)} {start}\n")
            if name in ("break", "slow") and len(body) > limit:
                self.wfile.write(body[:limit])
                self.wfile.flush()
                while name == "slow" and limit < len(body):
                    time.sleep(0.2)
                    self.wfile.write(body[limit : limit + 1])
                    self.wfile.flush()
                    limit += 1
                self.close_connection = True
                return
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.buffer.read()


main()
