# The classroom in a box: JupyterLab with the lessons, the kernel, and all that they
# need, compiled. So the first cell takes no longer than any other, and nothing
# needs a network.
#
#	docker build -t prodcons .
#	docker run --rm -p 8888:8888 prodcons           # JupyterLab; it prints its address
#	docker run --rm prodcons nbrun -clock virtual   # the lessons, headlessly
#	docker run --rm -v "$PWD:/work" prodcons nbrun /work
FROM golang:1.26-bookworm

# As Binder wants it: a user of this number, and notebook and jupyterhub too.
ARG NB_USER=jovyan NB_UID=1000
ENV HOME=/home/$NB_USER
ENV GOPATH=$HOME/go PATH=$HOME/go/bin:/opt/jupyter/bin:$PATH
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv /opt/jupyter \
 && pip install --no-cache-dir jupyterlab==4.6.6 notebook==7.6.5 jupyterhub==6.1.1 \
 && useradd --create-home --uid "$NB_UID" "$NB_USER"
COPY pkg/nbrun/lab/overrides.json /opt/jupyter/etc/jupyter/labconfig/default_setting_overrides.json
USER $NB_USER
WORKDIR $HOME/prodcons

# The kernel and what completes its cells change seldom: a layer of their own.
COPY --chown=$NB_UID go.mod go.sum ./
RUN go build -o "$GOPATH/bin/" github.com/janpfeifer/gonb golang.org/x/tools/cmd/goimports \
 && go install golang.org/x/tools/gopls@v0.21.1 \
 && gonb --install \
 && go clean -cache

COPY --chown=$NB_UID . .
# Each lesson is run once, in the kernel and on the virtual clock: the packages that
# this compiles are found compiled. The programs themselves are not kept, nor the
# modules' archives.
# Learners get copies without outputs, as from scripts/lab.
RUN go build -o "$GOPATH/bin/" ./scripts/nbrun \
 && go run ./scripts/lab -copy \
 && nbrun -engine gonb -p speed=100 -o /tmp/warm >/dev/null \
 && nbrun -clock virtual -o /tmp/warm >/dev/null \
 && rm -rf /tmp/* "$HOME"/.cache/nbrun/gonb_* \
 && find "$GOPATH/pkg/mod/cache/download" -name '*.zip' -delete

EXPOSE 8888
HEALTHCHECK CMD curl -fsS http://127.0.0.1:8888/api
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "--ServerApp.root_dir=my-notebooks", \
     "--LabApp.default_url=/lab/tree/00-index.ipynb"]
