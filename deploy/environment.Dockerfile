# The Python of the nodes, as an archive: on clusters the bootstrap action unpacks it below /opt/nextbasket, Serverless below ./environment.
# docker build -f deploy/environment.Dockerfile --output . .   writes environment.tar.gz
# x86-64, as the nodes of the settings' machine types are, on whatever machine it is built.
FROM --platform=linux/amd64 ghcr.io/astral-sh/uv:0.9 AS uv

FROM --platform=linux/amd64 amazonlinux:2023 AS build
RUN dnf install -y --setopt=install_weak_deps=False tar gzip && dnf clean all
COPY --from=uv /uv /usr/local/bin/
# A whole Python that works wherever it lies; a venv would look for its standard library where it was made.
RUN uv python install --install-dir /python 3.11 \
 && mv /python/cpython-3.11.* /environment \
 && rm -f /environment/lib/python3.11/EXTERNALLY-MANAGED
COPY requirements.lock /tmp/
RUN grep -E '^(numpy|pandas|pyarrow|safetensors|torch)==' /tmp/requirements.lock > /tmp/wanted.txt \
 && /environment/bin/python -m pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -r /tmp/wanted.txt
RUN mv /environment /moved && /moved/bin/python -c 'import numpy, pandas, pyarrow, safetensors, torch' \
 && tar --create --gzip --file /environment.tar.gz --directory /moved .

FROM scratch
COPY --from=build /environment.tar.gz /
