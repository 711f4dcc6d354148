# The console and its worker, without the demo, the local PingOne and the tests. compose.yaml runs it.
FROM python:3.11-slim-bookworm AS build
WORKDIR /srv/console
COPY requirements.txt ./
RUN python3 -m venv .venv && .venv/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY . ./
# The keys exist for this one step: collectstatic signs and seals nothing.
RUN SECRET_KEY=$(python3 -c "import secrets; print(secrets.token_urlsafe(50))") \
    CREDENTIAL_KEYS=$(python3 -c "import base64, secrets; print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())") \
    PUBLIC_URL=http://localhost .venv/bin/python manage.py collectstatic --noinput --verbosity 0
RUN .venv/bin/python -m compileall -q console pingone_integration manage.py gunicorn.conf.py

FROM python:3.11-slim-bookworm
# pg_dump, pg_restore and psql, for backups. They must not be older than the server.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin console
WORKDIR /srv/console
COPY --from=build /srv/console ./
# A new volume takes the owner of the folder below it: SQLite's file, and the secrets that compose.yaml makes.
RUN install --directory --owner=console --mode=0700 var /secrets/console /secrets/database
ENV PATH=/srv/console/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER console
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from http.client import HTTPConnection as To; to = To('127.0.0.1', 8000, timeout=4); to.request('GET', '/healthz'); raise SystemExit(to.getresponse().status != 200)"]
CMD ["gunicorn", "console.wsgi"]
