# The Python of the cluster's nodes, as an archive that the bootstrap action unpacks below /opt/nextbasket.
# docker build -f deploy/environment.Dockerfile --output . .   writes environment.tar.gz
FROM amazonlinux:2023 AS build
RUN dnf install -y --setopt=install_weak_deps=False python3.11 python3.11-pip tar gzip && dnf clean all
COPY requirements.lock /tmp/
RUN python3.11 -m venv --copies /opt/nextbasket \
 && grep -E '^(numpy|pandas|pyarrow|safetensors|torch)==' /tmp/requirements.lock > /tmp/wanted.txt \
 && /opt/nextbasket/bin/pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -r /tmp/wanted.txt
RUN tar --create --gzip --file /environment.tar.gz --directory /opt/nextbasket .

FROM scratch
COPY --from=build /environment.tar.gz /
