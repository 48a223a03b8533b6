"""Lists the channels with the vendor's SDK, over a kept connection: sdk_client.py COUNT BASE CA-FILE"""

import json
import sys

import PureCloudPlatformClientV2 as sdk

count, base, ca = int(sys.argv[1]), sys.argv[2], sys.argv[3]
sdk.configuration.host = base
sdk.configuration.ssl_ca_cert = ca
sdk.configuration.access_token = "token"
api = sdk.NotificationsApi()
for _ in range(count):
    channels = api.get_notifications_channels().entities
print(json.dumps({"calls": count, "channels": len(channels)}), flush=True)
