# syntax=docker/dockerfile:1
# The platform's image: code server, web server, daemon, page and the warm Spark service are the same
# image with another command. Fix the base by its digest where there is a registry to ask.

FROM python:3.11.14-slim-bookworm AS java
# Where Spark runs and where the jars are fetched: Java 17, of the system's own packages.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/*
ENV JAVA_HOME=/usr/lib/jvm/java-17-openjdk \
    USAGE_DATA=/var/lib/usage-platform \
    USAGE_JARS=/usr/share/usage-platform/jars \
    PATH=/srv/usage-platform/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
# The folder's own name has the processor's in it.
RUN ln -s /usr/lib/jvm/java-17-openjdk-* "$JAVA_HOME"
WORKDIR /srv/usage-platform

FROM java AS built
# The lock files alone first: this layer stays as long as they do.
COPY requirements-uv.txt requirements-aws.txt requirements-node.txt ./
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-uv.txt \
    && .venv/bin/uv pip install --no-cache --compile-bytecode --python .venv/bin/python --require-hashes -r requirements-aws.txt \
    # npm fetches the page's scripts; only this stage has it.
    && .venv/bin/uv pip install --no-cache --python .venv/bin/python --target /srv/npm --require-hashes -r requirements-node.txt
COPY pyproject.toml README.md LICENSE NOTICE package.json package-lock.json ./
COPY usage_platform usage_platform
COPY dagster.yaml ./
RUN .venv/bin/uv pip install --no-cache --python .venv/bin/python --no-deps --no-build-isolation --editable . \
    # Each jar and script is checked by its sum. A lake on S3 needs more jars, the broker's are not
    # needed. Set-up goes on without the page's scripts, an image must not.
    && USAGE_LAKE=s3://any PYTHONPATH=/srv/npm usage-platform setup \
    && test -f usage_platform/web/static/vendor/package-lock.json \
    && rm -rf "$USAGE_JARS/kafka" "${USAGE_JARS%/*}/npm"

FROM java
RUN useradd --system --uid 10001 --no-create-home --home-dir /var/lib/usage-platform platform \
    && install --directory --owner platform --group platform /var/lib/usage-platform /var/lib/usage-platform/dagster_home \
        /var/lib/usage-platform/run
COPY --from=built /srv/usage-platform /srv/usage-platform
COPY --from=built /usr/share/usage-platform /usr/share/usage-platform
COPY deploy deploy
COPY --chown=platform:platform deploy/dagster.yaml /var/lib/usage-platform/dagster_home/dagster.yaml
ENV DAGSTER_HOME=/var/lib/usage-platform/dagster_home
# The containers of a task share it. Made here, it belongs to the user when it is mounted.
VOLUME /var/lib/usage-platform/run
USER platform
CMD ["usage-platform", "--help"]
