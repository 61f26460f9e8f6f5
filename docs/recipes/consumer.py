"""Calls an API through rotations of the client secret: URLs on standard input, the status of each on standard output."""
import json, os, random, sys, threading, time
from datetime import datetime, timezone
import boto3, requests

DEFAULT_ENDPOINT = "https://api.tradeaware.live-eo.com/auth/machine-to-machine-clients/token"
now = time.monotonic

class Tokens:
    def __init__(self, secret_id, wait_seconds=60):
        self.secret_id, self.wait_seconds, self.lock = secret_id, wait_seconds, threading.Lock()
        self.secrets = boto3.client("secretsmanager")
        self.token, self.renew_at, self.expires_at = None, 0, 0

    def get(self):  # The token in hand; from half of its life on another, if there is one to be had.
        with self.lock:
            deadline = now() + self.wait_seconds
            while now() >= self.renew_at and not self.renew():
                if now() < self.expires_at:
                    self.renew_at = min(now() + 60, self.expires_at)
                elif now() >= deadline:
                    raise RuntimeError(f"no access token for {self.secret_id} in {self.wait_seconds} s")
                else:
                    time.sleep(random.uniform(0.5, 2))
            return self.token

    def renew(self):
        for source in ["AWSCURRENT", "AWSPENDING"] + ["bridge"] * (now() >= self.expires_at):
            try:
                self.token, life = self.bridge() if source == "bridge" else self.mint(source)
                self.renew_at, self.expires_at = now() + life / 2, now() + life * 0.9
                return True
            except Exception as failure:  # Whatever it is, a live token serves on. Its words may quote a secret.
                print(source, type(failure).__name__, file=sys.stderr)

    def read(self, secret_id, stage):
        return json.loads(self.secrets.get_secret_value(SecretId=secret_id, VersionStage=stage)["SecretString"])

    def mint(self, stage):
        client = self.read(self.secret_id, stage)
        body = {key: client[key] for key in ("client_id", "client_secret")} | {"grant_type": "client_credentials"}
        endpoint = client.get("token_endpoint", DEFAULT_ENDPOINT)
        answer = requests.post(endpoint, json=body, timeout=10, allow_redirects=False)
        answer.raise_for_status()
        return answer.json()["access_token"], max(float(answer.json().get("expires_in") or 300), 1)

    def bridge(self):
        bridge = self.read(self.read(self.secret_id, "AWSCURRENT")["bridge_secret_arn"], "AWSCURRENT")
        left = datetime.fromisoformat(bridge["expires_at"].replace("Z", "+00:00")) - datetime.now(timezone.utc)
        if left.total_seconds() < 1:
            raise ValueError("expired")
        return bridge["access_token"], min(left.total_seconds(), 60)  # Only to get by.

    def drop(self, token):
        with self.lock:
            if token == self.token:
                self.renew_at = self.expires_at = 0

def call(tokens, url):
    for last in (False, True):
        token = tokens.get()
        answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        if answer.status_code != 401 or last:
            return answer
        tokens.drop(token)

if __name__ == "__main__":
    tokens = Tokens(os.environ["SECRET_ID"])
    for line in sys.stdin:
        print(call(tokens, line.strip()).status_code, flush=True)
