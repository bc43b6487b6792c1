"""All settings. Every variable of the environment is read here, and each one is described in `.env.example`."""

from __future__ import annotations

import hmac
import os
from pathlib import Path
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from warandpeace import logs, secret_key
from warandpeace.content_policy import CONTENT_SECURITY_POLICY  # noqa: F401  read by django-csp
from warandpeace.databases import configuration, sqlite_configuration
from warandpeace.environment import Environment, refuse_to_start
from warandpeace.theme import UNFOLD  # noqa: F401  read by the admin's theme

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
env.read_env(os.environ.get("ENV_FILE", BASE_DIR / ".env"))

# Everything that is written on this machine goes below this folder.
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)

# prometheus_client looks for this folder when it is first imported; all processes of this machine share it.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(VAR_DIR / "metrics"))
Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)

DATABASE_URL = env.str("DATABASE_URL", default="")
IS_EMBEDDED = not DATABASE_URL
EMBEDDED = VAR_DIR / "warandpeace.sqlite3"

SECRET_KEY = env.str("SECRET_KEY", default="") or (secret_key.own(VAR_DIR / "secret_key") if IS_EMBEDDED else "")
if secret_key.is_weak(SECRET_KEY):
    refuse_to_start("Set SECRET_KEY to 50 random characters or more, which no other site has.")
DEBUG = env.bool("DEBUG", default=False)
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=LOOPBACK)
if DEBUG and (DATABASE_URL or not set(ALLOWED_HOSTS) <= {*LOOPBACK, "testserver"}):
    refuse_to_start("Switch DEBUG off: its error pages show everything, and this is no developer's own machine.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "warandpeace",
    "publishing",
    "articles",
    "usage",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.simple_history",
    "warandpeace.late_admin.LateAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_celery_beat",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "django_otp_webauthn",
    "django_prometheus",
    "simple_history",
]

MIDDLEWARE = [
    "warandpeace.health.Alive",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "warandpeace.middleware.RequestId",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "warandpeace.middleware.ChosenLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "warandpeace.signing_in.gate.Gate",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "warandpeace.urls"
WSGI_APPLICATION = "warandpeace.wsgi.application"

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
            ],
        },
    }
]

# --- database -------------------------------------------------------------------------------------------------------

try:
    DATABASES = {"default": configuration(DATABASE_URL) if DATABASE_URL else sqlite_configuration(EMBEDDED)}
except ImproperlyConfigured as error:
    refuse_to_start(f"Set DATABASE_URL to the address of a database. {error}")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "warandpeace.cache.Local"}}

# --- people ---------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "django_otp_webauthn.backends.WebAuthnBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "admin/signing_in/locked.html"
AXES_HANDLER = "warandpeace.signing_in.guessing.Handler"
AXES_CLIENT_IP_CALLABLE = "warandpeace.signing_in.guessing.client_address"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code", "csrfmiddlewaretoken"]
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
# Passwords and codes that one address may send in a minute, to each web process.
SIGN_INS_PER_MINUTE = env.int("SIGN_INS_PER_MINUTE", default=30)

# Who must show a passkey or a code after the password: off, publishers or everybody.
REQUIRE_SECOND_FACTOR = env.one_of("REQUIRE_SECOND_FACTOR", "off", "publishers", "everybody", default="off")
OTP_TOTP_ISSUER = "War and Peace"

# Passkeys belong to one domain, the first allowed host; there they work, and nowhere else.
OTP_WEBAUTHN_RP_NAME = "War and Peace"
OTP_WEBAUTHN_RP_ID = (ALLOWED_HOSTS or ["localhost"])[0].lstrip(".")
OTP_WEBAUTHN_ALLOWED_ORIGINS = [f"https://{OTP_WEBAUTHN_RP_ID}"]
OTP_WEBAUTHN_HELPER_CLASS = "warandpeace.signing_in.passkeys.Helper"

# --- language and time ----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "ru"
LANGUAGES = [("ru", _("Russian")), ("en", _("English"))]
# Our own texts, and those that the theme and other packages have not translated themselves.
LOCALE_PATHS = [BASE_DIR / "warandpeace" / "locale", BASE_DIR / "warandpeace" / "locale_of_packages"]
TIME_ZONE = env.str("TIME_ZONE", default="Europe/Moscow")
if TIME_ZONE not in available_timezones():
    refuse_to_start("Set TIME_ZONE to the name of a time zone, such as Europe/Moscow or UTC.")
USE_I18N = True
USE_TZ = True

# --- pages and static files -----------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- security -------------------------------------------------------------------------------------------------------

HTTPS_ONLY = env.bool("HTTPS_ONLY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^readyz$", r"^metrics$"]  # asked from inside, without the proxy that speaks HTTPS
SECURE_HSTS_SECONDS = 31536000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SECURE_HSTS_PRELOAD = HTTPS_ONLY
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
X_FRAME_OPTIONS = "DENY"

# --- the desk -------------------------------------------------------------------------------------------------------

# So long an editor may undo an approval before anything is sent. 0: it goes out at once.
UNDO_SECONDS = env.int("UNDO_SECONDS", default=10)

# --- serving and watching -------------------------------------------------------------------------------------------

WEB_WORKERS = env.int("WEB_WORKERS", default=1)
WEB_THREADS = env.int("WEB_THREADS", default=8)

# Lets Prometheus read /metrics from another machine; without it only this machine and operators may.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

# A file that this process touches every few seconds while it gets things done.
ALIVE_FILE = env.str("ALIVE_FILE", default="")

# web, worker, beat or bot: who speaks in a JSON log line.
PROCESS_ROLE = env.str("PROCESS_ROLE", default="")
try:
    LOGGING = logs.configuration(
        level=env.str("LOG_LEVEL", default="INFO"), style=env.str("LOG_FORMAT", default="line")
    )
except ValueError as error:
    refuse_to_start(str(error))

# --- background work ------------------------------------------------------------------------------------------------

BROKER_DIR = VAR_DIR / "broker"
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://")
if CELERY_BROKER_URL == "filesystem://":
    CELERY_BROKER_TRANSPORT = "warandpeace.broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR),
        "data_folder_out": str(BROKER_DIR),
        "control_folder": str(BROKER_DIR / "control"),
        # Also how long a worker whose threads are all busy waits before it looks again.
        "polling_interval": 0.05,
    }
    for folder in (BROKER_DIR, BROKER_DIR / "control"):
        folder.mkdir(parents=True, exist_ok=True)
else:
    # A task that outlives this is delivered again; each is harmless twice.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 900}
CELERY_WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=4)
CELERY_TIMEZONE = TIME_ZONE

# --- backups --------------------------------------------------------------------------------------------------------

BACKUP_DIR = env.str("BACKUP_DIR", default=str(VAR_DIR / "backups"))
BACKUP_RECIPIENTS = env.list("BACKUP_RECIPIENTS", default=[])
BACKUP_HOURS = env.float("BACKUP_HOURS", default=24)
BACKUP_KEEP = env.int("BACKUP_KEEP", default=7)
BACKUP_KEEP_DAYS = env.int("BACKUP_KEEP_DAYS", default=30)
# Where pg_dump, pg_restore and psql are, if not on the PATH.
POSTGRES_BINARIES = env.str("POSTGRES_BINARIES", default="")

# --- the outside world ----------------------------------------------------------------------------------------------

FETCH_ALLOW_PRIVATE = env.bool("FETCH_ALLOW_PRIVATE", default=False)
FETCH_USER_AGENT = env.str("FETCH_USER_AGENT", default="WarAndPeace/1.0 (news reader)")
# To one server: the pause of all processes together, and how many requests of each run at once. Not to this machine.
FETCH_SECONDS_BETWEEN_REQUESTS = env.float("FETCH_SECONDS_BETWEEN_REQUESTS", default=0.5)
FETCH_CONNECTIONS_PER_HOST = env.int("FETCH_CONNECTIONS_PER_HOST", default=4)

TELEGRAM_API_BASE_URL = env.str("TELEGRAM_API_BASE_URL", default="https://api.telegram.org").rstrip("/")
TELEGRAM_BOT_TOKEN = env.str("TELEGRAM_BOT_TOKEN", default="")
TELEGRAM_CHANNEL_ID = env.str("TELEGRAM_CHANNEL_ID", default="")
TELEGRAM_ADMIN_IDS = env.list("TELEGRAM_ADMIN_IDS", cast=int, default=[])
# With an address Telegram brings the bot's updates there; without one the bot asks for them.
TELEGRAM_WEBHOOK_URL = env.str("TELEGRAM_WEBHOOK_URL", default="")
TELEGRAM_WEBHOOK_SECRET = (
    env.str("TELEGRAM_WEBHOOK_SECRET", default="")
    or hmac.digest(SECRET_KEY.encode(), f"webhook of {TELEGRAM_BOT_TOKEN}".encode(), "sha256").hex()
)
# How many updates the bot takes in a minute: of one person, and each web process of all.
TELEGRAM_UPDATES_PER_MINUTE = env.int("TELEGRAM_UPDATES_PER_MINUTE", default=30)
TELEGRAM_WEBHOOK_PER_MINUTE = env.int("TELEGRAM_WEBHOOK_PER_MINUTE", default=1200)

TELEGRAM_TIMEOUT = env.float("TELEGRAM_TIMEOUT", default=20)
# Nobody looks for a post before so many seconds have passed since its call must have ended.
TELEGRAM_QUIET_SECONDS = env.float("TELEGRAM_QUIET_SECONDS", default=30)
# Telegram's limits: of one chat, of one channel, and of one bot in all its channels together.
TELEGRAM_SECONDS_BETWEEN_MESSAGES = env.float("TELEGRAM_SECONDS_BETWEEN_MESSAGES", default=1)
TELEGRAM_MESSAGES_PER_MINUTE = env.float("TELEGRAM_MESSAGES_PER_MINUTE", default=20)
TELEGRAM_MESSAGES_PER_SECOND = env.float("TELEGRAM_MESSAGES_PER_SECOND", default=30)

# News that somebody has subscribed to comes together, once in so many minutes at the most and so often a day.
SUBSCRIBER_BATCH_MINUTES = env.float("SUBSCRIBER_BATCH_MINUTES", default=15)
SUBSCRIBER_NOTES_PER_DAY = env.int("SUBSCRIBER_NOTES_PER_DAY", default=5)

# Channels name the variable that holds their bot's token; only variables that look like one can be named.
TELEGRAM_TOKENS = {
    name: env.str(name)
    for name in {variable.removesuffix("_FILE") for variable in os.environ}
    if name.startswith("TELEGRAM_") and "TOKEN" in name and env.str(name, default="")
}

# --- language models ------------------------------------------------------------------------------------------------

# Rows of providers are made of these by each `migrate`; a key is sent to the server it is listed with and to no other.
LLM_PRIMARY = env.one_of("LLM_PRIMARY", "gemini", "mistral", "openai", default="")
GOOGLE_API_KEYS = env.list("GOOGLE_API_KEYS", default=[])
GEMINI_MODEL = env.str("GEMINI_MODEL", default="gemini-2.5-flash")
GEMINI_BASE_URL = env.str("GEMINI_BASE_URL", default="https://generativelanguage.googleapis.com/v1beta/openai")
MISTRAL_API_KEY = env.str("MISTRAL_API_KEY", default="")
MISTRAL_MODEL = env.str("MISTRAL_MODEL", default="mistral-small-latest")
MISTRAL_BASE_URL = env.str("MISTRAL_BASE_URL", default="https://api.mistral.ai/v1")
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
OPENAI_MODEL = env.str("OPENAI_MODEL", default="gpt-4o-mini")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="https://api.openai.com/v1")
