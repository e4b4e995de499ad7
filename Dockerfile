# The product in one image; docker-compose.yml starts its processes from it.
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app

# Libraries change seldom: with only the declarations copied, this layer stays when code changes.
COPY pyproject.toml README.md ./
COPY config/__init__.py config/
COPY fleet/agent/pyproject.toml fleet/agent/README.md fleet/agent/
COPY fleet/agent/pharos_agent/__init__.py fleet/agent/pharos_agent/
RUN pip install -e ".[tools,busy]" ./fleet/agent

COPY . .
RUN pip install -e ".[tools,busy]" \
    && pip install --force-reinstall --no-deps ./fleet/agent \
    && pip wheel --no-deps --wheel-dir fleet/agent/dist ./fleet/agent \
    && rm -rf fleet/agent/build

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home pharos \
    && install -d -o pharos -g pharos /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PHAROS_DATA_DIR=/data
WORKDIR /app
USER pharos
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "deploy/healthy.py", "http://127.0.0.1:8000/healthz"]
# Without DATABASE_URL and REDIS_URL this is the whole product in one process.
ENV PHAROS_BIND=0.0.0.0
CMD ["pharos", "up"]
