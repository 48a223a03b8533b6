"""Lists the channels with requests, over a kept connection: requests_client.py COUNT BASE CA-FILE"""

import json
import sys

import requests

count, base, ca = int(sys.argv[1]), sys.argv[2], sys.argv[3]
session = requests.Session()
session.headers["Authorization"] = "Bearer token"
for _ in range(count):
    answer = session.get(f"{base}/api/v2/notifications/channels", timeout=30, verify=ca)
    answer.raise_for_status()
    channels = answer.json()["entities"]
print(json.dumps({"calls": count, "channels": len(channels)}))
