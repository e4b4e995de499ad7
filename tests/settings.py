"""The product's settings, with what differs under test. DATABASE_URL and REDIS_URL choose the machinery."""

import atexit
import os
import shutil
import tempfile
from urllib.parse import urlsplit

# The developer's own configuration must not reach the tests.
for name in [name for name in os.environ if name.startswith("PHAROS_")]:
    del os.environ[name]

_folder = tempfile.mkdtemp(prefix="pharos-test-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["PHAROS_DATA_DIR"] = _folder
os.environ["PHAROS_SECRET_KEY"] = "only-for-tests-" + "x" * 40
os.environ["PHAROS_VAULT_KEY"] = "dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q="

if os.environ.get("REDIS_URL"):
    # Parallel test processes share one server but no key: database 1 belongs to the first process, and so on.
    _number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) + 1
    os.environ["REDIS_URL"] = urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{_number}").geturl()

from config.settings import *  # noqa: E402, F403
from config.settings import DATA_DIR, DATABASES, INSTALLED_APPS, STORAGES  # noqa: E402

INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# The receivers and targets of tests are on this machine, whatever shape they run in.
OUTBOUND_ALLOW_LOOPBACK = True
# Limits have their own tests, which set them; elsewhere they would only depend on the order of the tests.
RATE_READS = RATE_WRITES = RATE_INGEST_BYTES = RATE_MONITOR_REQUESTS = RATE_MONITOR_RUNS = 0
# Tests of grouping and flap damping set these; elsewhere each alert is told by itself and at once.
ALERT_GROUP_WAIT_S = ALERT_GROUP_INTERVAL_S = ALERT_SETTLE_S = 0

if "sqlite" in DATABASES["default"]["ENGINE"]:
    # A file, not memory: threads see each other's commits only as they do in the product.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 0
