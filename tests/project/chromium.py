"""A headless Chromium, driven over its debugging protocol: enough to log in, wait and take a picture."""

import base64
import json
import shutil
import subprocess
import time
import urllib.request

import websocket

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
]


def found():
    """Path of the browser, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """One browser with one page. A context manager: leaving it ends the browser.

    Parameters: `profile`, an empty folder for the browser's own data; `width` and `height` of the page in pixels.
    """

    def __init__(self, profile, *, width, height):
        self.profile = profile
        self.size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}

    def __enter__(self):
        self.process = subprocess.Popen(
            [found(), *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.socket = None
        port_file = self.profile / "DevToolsActivePort"
        wait_for(lambda: port_file.exists() and "\n" in port_file.read_text(encoding="utf-8"), 60, "the browser did not start")
        port = port_file.read_text(encoding="utf-8").split("\n")[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
            page = next(target for target in json.load(answer) if target["type"] == "page")
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=60, suppress_origin=True)
        self.last_id = 0
        self.responses = {}
        self.finished = set()
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", **self.size)
        return self

    def __exit__(self, *_):
        if self.socket:
            self.socket.close()
        self.process.terminate()
        self.process.wait(30)

    def call(self, method, **parameters):
        """The result of one command; events that arrive meanwhile are noted."""
        self.last_id += 1
        self.socket.send(json.dumps({"id": self.last_id, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("method") == "Network.responseReceived":
                self.responses[message["params"]["requestId"]] = message["params"]["response"]
            elif message.get("method") == "Network.loadingFinished":
                self.finished.add(message["params"]["requestId"])
            elif message.get("id") == self.last_id:
                assert "error" not in message, (method, message)
                return message["result"]

    def evaluate(self, expression):
        """The value of a JavaScript expression in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def open(self, url):
        self.call("Page.navigate", url=url)

    def answers(self, part):
        """[(status, body)] of the finished requests whose address contains `part`."""
        return [
            (response["status"], self.call("Network.getResponseBody", requestId=request)["body"])
            for request, response in list(self.responses.items())
            if part in response["url"] and request in self.finished
        ]

    def picture(self, path):
        """Write what the page shows as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


def wait_for(condition, seconds, otherwise):
    """Return once the condition holds; fail with a sentence after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, otherwise
        time.sleep(0.25)
