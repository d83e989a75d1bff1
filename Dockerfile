# Runs the lessons headlessly, or any GoNB notebooks that are mounted:
#
#	docker build -t prodcons .
#	docker run --rm prodcons
#	docker run --rm -v "$PWD:/notebooks" prodcons nbrun /notebooks
FROM golang:1.26-bookworm

RUN useradd --create-home --uid 1000 jovyan
USER jovyan
WORKDIR /home/jovyan/prodcons
COPY --chown=jovyan go.mod go.sum ./
RUN go mod download
COPY --chown=jovyan . .
# What the first run would compile, it finds compiled.
RUN mkdir -p "$HOME/bin" && go build -o "$HOME/bin/nbrun" ./scripts/nbrun && "$HOME/bin/nbrun" -clock virtual
ENV PATH=/home/jovyan/bin:$PATH
CMD ["nbrun", "-clock", "virtual"]
