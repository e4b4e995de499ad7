"""Django settings. Everything that differs between machines comes from `config.env`."""

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from kombu import Queue

from config import logs
from config.env import load, make_vault_key
from config.version import VERSION

env = load()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.data_dir.resolve()
EMBEDDED = env.embedded
DEBUG = env.debug
SECRET_KEY = env.kept_secret("secret.key", env.secret_key, lambda: secrets.token_urlsafe(48))
VAULT_KEY = env.kept_secret("vault.key", env.vault_key, make_vault_key)
VAULT_KEY_FILE = None if env.vault_key else DATA_DIR / "vault.key"
ALLOWED_HOSTS = env.allowed_hosts
AGENT_WHEELS = BASE_DIR / "fleet" / "agent" / "dist"

INSTALLED_APPS = [
    "config",
    "security",
    "fleet",
    "monitors",
    "loadtest",
    "loadtest.signals",
    "loadtest.replay",
    "alerts",
    "costs",
    "config.apps.AdminSiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "django_htmx",
    "csp",
    "axes",
    "django_structlog",
]

MIDDLEWARE = [
    "django_structlog.middlewares.RequestMiddleware",
    "config.middleware.request_id",
    "config.measuring.measured",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.cors.Cors",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.principal",
    "config.middleware.time_zone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
ASGI_THREADS = env.asgi_threads

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "alerts.overview.frame.frame",
            ],
            "builtins": ["config.templatetags.pharos"],
        },
    }
]

# --- storage -------------------------------------------------------------------------------------------------
if env.database_url:
    DATABASES = {"default": dj_database_url.parse(env.database_url, conn_max_age=600, conn_health_checks=True)}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(DATA_DIR / "pharos.sqlite3"),
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                # A transaction that reads and then writes fails at once unless it starts IMMEDIATE.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000",
            },
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.redis_url
CACHES: dict[str, dict[str, Any]]
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "config.cache.HintCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 50_000},
        }
    }

# --- work that runs later ------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600} if REDIS_URL else {"polling_interval": 0.1}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
# A worker takes from all of them unless it is started with --queues.
CELERY_TASK_QUEUES = [Queue("default"), Queue("monitors"), Queue("load")]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_CONCURRENCY = env.worker_threads
# Ticks carry no state worth a file: what is due is told by rows.
CELERY_BEAT_SCHEDULER = "config.scheduler:FixedScheduler"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
DJANGO_STRUCTLOG_CELERY_ENABLED = True
WORKER_THREADS = env.worker_threads

# --- people ---------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "security.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
API_AUTHENTICATE = "security.keys.services.authenticate_request"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (  # how long it is depends on the door: see security.accounts.passwords
        ("UserAttributeSimilarityValidator", {"user_attributes": ("email", "name")}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
LOGIN_URL = "ui:login"
LOGIN_REDIRECT_URL = "ui:overview"
SESSION_ENGINE = "security.accounts.sessions"
SESSION_COOKIE_AGE = 7 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.api.envelopes.csrf_failure"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=5)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "email"
AXES_LOCKOUT_CALLABLE = "security.accounts.ui.entry.locked_out"
AXES_HANDLER = "axes.handlers.cache.AxesCacheHandler"  # failures fade by themselves; no table grows
AXES_CLIENT_IP_CALLABLE = "config.api.throttling.peer_address"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
REQUIRE_SECOND_FACTOR = env.require_second_factor
AGENT_KEY = env.agent_key.get_secret_value() if env.agent_key else None

# --- the edge of the product ---------------------------------------------------------------------------------
BASE_URL = env.base_url or f"http://{'127.0.0.1' if env.bind in ('0.0.0.0', '::') else env.bind}:{env.port}"  # noqa: S104
BIND, PORT = env.bind, env.port
TRUSTED_PROXIES = env.trusted_proxies
LOADTEST_ANONYMOUS_FROM = env.anonymous_from
OUTBOUND_ALLOW = env.outbound_allow
OUTBOUND_ALLOW_LOOPBACK = EMBEDDED
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.https
SECURE_SSL_REDIRECT = False  # the proxy in front redirects; agents on the inner network use plain HTTP
SECURE_HSTS_SECONDS = 31_536_000 if env.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.https
if env.https:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_TRUSTED_ORIGINS = [env.base_url] if env.base_url else []
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # the redirect to HTTPS: see SECURE_SSL_REDIRECT
    "auth.W004",  # e-mail addresses are unique whatever their case, by a constraint that this check does not know
    "axes.W001",  # a cache in memory counts failed tries well where there is exactly one process
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
CORS_ALLOWED_ORIGINS = env.cors_origins
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
CORS_ALLOW_HEADERS = ["content-type", "authorization", "x-api-key", "x-instance-id", "last-event-id"]
CORS_EXPOSE_HEADERS = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Total-Count"]
CORS_PREFLIGHT_MAX_AGE = 600
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.storage.StaticFiles"},
}

REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "config.api.envelopes.exception_handler",
    "DEFAULT_AUTHENTICATION_CLASSES": ["config.api.authentication.PrincipalAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["config.api.permissions.HasRole"],
    "DEFAULT_THROTTLE_CLASSES": ["config.api.throttling.RateLimit"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.api.negotiation.OneLanguage",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "config.api.schema.ApiSchema",
    "UNAUTHENTICATED_USER": None,
    "UNICODE_JSON": False,  # escaped: an answer may have to quote half a character that no encoding knows
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Pharos",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": ["config.api.permissions.HasRole"],
    "SERVE_AUTHENTICATION": None,
    "COMPONENT_SPLIT_REQUEST": True,
    "DISABLE_ERRORS_AND_WARNINGS": True,
    "ENABLE_DJANGO_DEPLOY_CHECK": False,  # it looks at one document of everything; ours are one per base URL
}

# --- what drives machines ------------------------------------------------------------------------------------
PROVIDER_DRIVERS = env.provider_drivers
DOCKER_HOST, DOCKER_CERT_PATH = env.docker_host or "", env.docker_cert_path
DIGITALOCEAN_TOKEN = env.digitalocean_token.get_secret_value() if env.digitalocean_token else ""
DIGITALOCEAN_URL = env.digitalocean_url.rstrip("/")
SSH_KEY_FILE, SSH_KNOWN_HOSTS = env.ssh_key_file, env.ssh_known_hosts
SINDRI_CLI, REGISTRY_CATALOGUE = env.sindri_cli or "", env.registry_catalogue
BACKUP_DIR, BACKUP_TIMEOUT_S = env.backup_dir or DATA_DIR / "backups", env.backup_timeout_s

# --- limits ---------------------------------------------------------------------------------------------------
RATE_READS, RATE_WRITES = env.rate_reads, env.rate_writes
RATE_INGEST_BYTES = env.rate_ingest_bytes
RATE_MONITOR_REQUESTS, RATE_MONITOR_RUNS = env.rate_monitor_requests, env.rate_monitor_runs
RATE_LOADTEST_REQUESTS = env.rate_loadtest_requests
COLLECTORS_REGISTER = env.collectors_register
SERIES_PER_INSTANCE, SERIES_IN_TOTAL = env.series_per_instance, env.series_in_total
OFFLINE_AFTER_S = env.offline_after_s
ALERT_INTERVAL_S = env.alert_interval_s
ALERT_GROUP_WAIT_S = env.alert_group_wait_s
ALERT_GROUP_INTERVAL_S = env.alert_group_interval_s
ALERT_SETTLE_S = env.alert_settle_s
STRICT_ROLES = env.strict_roles
FIX_WITHIN_DAYS = env.fix_within_days
SECRET_REMIND_DAYS = env.secret_remind_days
KEEP_DAYS = {
    "samples": env.keep_samples_days,
    "hourly": env.keep_hourly_days,
    "daily": env.keep_daily_days,
    "events": env.keep_events_days,
    "logs": env.keep_logs_days,
    "terminals": env.keep_terminals_days,
    "commands": env.keep_commands_days,
    "audit": env.keep_audit_days,
    "costs": env.keep_costs_days,
    "run_logs": env.keep_run_logs_days,
    "runs": env.keep_runs_days,
    "captures": env.keep_captures_days,
}
TERMINAL_RECORDING = env.terminal_recording
COMMANDS_NEED_APPROVAL, COMMANDS_APPROVAL_MINUTES = env.commands_need_approval, env.commands_approval_minutes
MONITOR_MIN_INTERVAL_S = env.monitor_min_interval_seconds
MONITOR_MAX_CONCURRENT = env.monitor_max_concurrent
MONITOR_TARGET_DENY = env.monitor_target_deny
MONITOR_ALLOW_UNSANDBOXED = env.monitor_allow_unsandboxed
CHROMIUM = env.chromium
LOAD_CEILINGS = {  # administrators are bound by the API's own limits only
    "rps": env.load_max_rps,
    "duration_s": env.load_max_duration_s,
    "concurrency": env.load_max_concurrency,
    "in_flight": env.load_max_in_flight,
}
LOAD_MAX_CONCURRENT, LOAD_SHARDS = env.load_max_concurrent, env.load_shards
LOAD_KEEP_RUNS, LOAD_KEEP_DAYS = env.load_keep_runs, env.load_keep_days
REPLAY_API_TOKEN = env.replay_api_token.get_secret_value() if env.replay_api_token else ""
REPLAY_CAPTURE_DIR, REPLAY_CAPTURE_NAME = env.replay_capture_dir, env.replay_capture_name
REPLAY_SCRUB_HEADERS = frozenset(env.replay_scrub_headers)
REPLAY_MAX_BODY_BYTES, REPLAY_MAX_CAPTURE_BYTES = env.replay_max_body_bytes, env.replay_max_capture_bytes
REPLAY_EXPIRE_HOURS = env.replay_expire_hours
SIGNALS_MAX_SCENARIOS, SIGNALS_MAX_BODY_BYTES = env.signals_max_scenarios, env.signals_max_body_bytes
SIGNALS_SCRAPE_DEFAULT, SIGNALS_RESUME = env.signals_scrape_default, env.signals_resume
SIGNALS_ENV_ALLOWLIST = env.signals_env_allowlist
SIGNALS_ALLOW_PRIVATE_TARGETS = (
    EMBEDDED if env.signals_allow_private_targets is None else env.signals_allow_private_targets
)
LICENSE_PUBLIC_KEYS = env.license_public_keys
EMAIL_URL = env.email_url
DEFAULT_FROM_EMAIL = env.email_from

# --- words and times ------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
PEOPLE_TIME_ZONE = env.time_zone
LOGGING = logs.configure(level=env.log_level, json=env.log_json)
