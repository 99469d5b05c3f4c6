//! A runner in Python whose runtimes are HTTP servers: `mine/http` greets, `mine/wrong` greets nobody, `mine/broken` fails.

use std::path::{Path, PathBuf};
use std::process::Command;

/// With the argument `serve` it is the server; otherwise the runner, which starts itself as the server.
const SCRIPT: &str = r#"
import http.server, json, subprocess, sys, time, urllib.parse

class Greeter(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        if sys.argv[2] == "mine/broken":
            self.send_error(500, "as told")
            return
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        name = "nobody" if sys.argv[2] == "mine/wrong" else query.get("NAME", "World")
        body = f"Hello, {name}!\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

if sys.argv[1:2] == ["serve"]:
    # Its own five are too few for as many connections at once.
    http.server.ThreadingHTTPServer.request_queue_size = 1024
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Greeter)
    print(server.server_address[1], flush=True)
    server.serve_forever()

RUNTIMES = [{
    "id": id, "version": "1", "wasi": "none", "execution": "interpreter", "concurrent": True,
    "class": "server", "scenarios": ["http-start", "http-closed", "http-knee"],
    "enforcement": {"wall_time": "process", "memory": "process", "stack": "process"}, "proposals": [],
} for id in ["mine/http", "mine/wrong", "mine/broken"]]
servers = {}
for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "describe":
        reply = {"reply": "described", "protocol": 2, "version": "1", "runtimes": RUNTIMES}
    elif request["op"] == "serve":
        start = time.monotonic_ns()
        child = subprocess.Popen([sys.executable, __file__, "serve", request["runtime"]],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        port = int(child.stdout.readline())
        handle = len(servers) + 1
        servers[handle] = child
        url = f"http://127.0.0.1:{port}/greet"
        reply = {"reply": "serving", "handle": handle, "url": url, "elapsed_ns": time.monotonic_ns() - start}
    elif request["op"] == "release":
        child = servers.pop(request["handle"])
        child.kill()
        child.wait()
        reply = {"reply": "done", "elapsed_ns": 1}
    else:
        reply = {"reply": "failed", "error": {"failure": {"failure": "host", "message": "it serves, and nothing else"}}}
    print(json.dumps(reply), flush=True)
"#;

/// Writes the runner and its manifest into a folder. Returns its program and arguments; `None`, with a line that says so,
/// where there is no Python.
pub fn python(folder: &Path) -> Option<(PathBuf, Vec<String>)> {
    // Runners have no environment, so a program that looks for the real one does not find it.
    let asked = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let Some(program) = asked.ok().filter(|output| output.status.success()) else {
        eprintln!("skipped: there is no python3; apt-get install python3");
        return None;
    };
    let program = PathBuf::from(String::from_utf8(program.stdout).unwrap().trim());
    let script = folder.join("mine.py");
    std::fs::write(&script, SCRIPT).unwrap();
    let manifest = format!(
        "family = \"mine\"\nprogram = \"{}\"\nargs = [\"{}\"]\nremedy = \"install Python\"\n",
        program.display(),
        script.display()
    );
    std::fs::write(folder.join("mine.toml"), manifest).unwrap();
    Some((program, vec![script.to_str().unwrap().to_owned()]))
}
