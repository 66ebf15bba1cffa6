"""A tool over HTTP, with only the standard library: python server.py [PORT]

It gets {"name", "arguments", "tool_call_id", "conversation_id"} by POST, and answers a JSON object.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Tool(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps({"hours": "nine to five", "asked": call["arguments"]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000), Tool)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
