"""``genrec serve``: a model behind HTTP, with a page and a record of events."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    data: Annotated[
        str | None, typer.Option("--data", help="Data set with the catalog. Default: the one it was trained on.")
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen at; one that others can reach needs --keys.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    events: Annotated[Path, typer.Option("--events", help="File of events; made if it is not there.")] = Path(
        "genrec-events.db"
    ),
    keys: Annotated[Path | None, typer.Option("--keys", help="File of API keys: `genrec keys add` makes one.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="report.html of a benchmark, to show on the page.")
    ] = None,
    engine: Annotated[
        str,
        typer.Option("--engine", help="What computes the model: torch, vllm, or the address of a vLLM server."),
    ] = "torch",
    quantization: Annotated[
        str | None,
        typer.Option("--quantization", help="none, int8, nf4, or dynamic-int8 on a CPU. Default: as trained."),
    ] = None,
    max_batch: Annotated[int, typer.Option("--max-batch", min=1, help="Most requests decoded together.")] = 32,
    threads: Annotated[
        int | None,
        typer.Option("--threads", min=1, help="Threads that decode. Default: one for a small model, or all."),
    ] = None,
    cache: Annotated[
        int,
        typer.Option("--cache", min=0, help="MiB to remember prompts in: who comes back costs what is new. 0: none."),
    ] = 256,
    queue: Annotated[int, typer.Option("--queue", min=1, help="Most requests that may wait.")] = 256,
    timeout: Annotated[float, typer.Option("--timeout", min=0.01, help="Most seconds for an answer.")] = 10.0,
    fallback: Annotated[
        bool, typer.Option("--fallback/--no-fallback", help="What would be late is answered by a simpler model.")
    ] = True,
    rate: Annotated[
        float | None, typer.Option("--rate", min=0.001, help="Most requests a second of each key. Default: any number.")
    ] = None,
    max_body: Annotated[int, typer.Option("--max-body", min=1024, help="Most bytes of a request body.")] = 2 * 2**20,
    online: Annotated[
        bool, typer.Option("--online", help="A light model follows the events within seconds: what is met more now.")
    ] = False,
    drain: Annotated[
        float, typer.Option("--drain", min=0, help="Most seconds that requests under way get after SIGTERM.")
    ] = 30.0,
    notice: Annotated[
        float, typer.Option("--notice", min=0, help="Seconds after SIGTERM in which it is not ready and still answers.")
    ] = 0.0,
) -> None:
    """Serve a model: an HTTP API, a web page at /, and events that the next answer knows of."""
    from genrec.cli.finetune import quiet_libraries
    from genrec.errors import ConfigError

    try:
        import fastapi  # noqa: F401 (asked here, so that what is missing is said in one line)
        import prometheus_client  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"{error.name} is not installed", hint="pip install 'genrec[serve]'") from error
    from genrec.events import EventStore
    from genrec.model.config import check_quantization
    from genrec.model.description import ModelDescription
    from genrec.serve.engine import Service
    from genrec.serve.online import OnlineLoader
    from genrec.serve.server import serve as run
    from genrec.serve.settings import ServeSettings

    settings = ServeSettings(
        host=host,
        port=port,
        keys=keys,
        report=report,
        max_body_bytes=max_body,
        rate_per_s=rate,
        timeout_s=timeout,
        drain_s=drain,
        notice_s=notice,
    )
    settings.check()
    quiet_libraries()
    base = ModelDescription.read(model).base  # what is wrong with it shows before a file of events is made
    if quantization is not None:
        check_quantization(base, quantization)
    store = EventStore.open(events)
    loader = OnlineLoader(model, store, data=data, engine=engine, quantization=quantization) if online else None
    service = Service(
        loader or model,
        data=data,
        engine=engine,
        quantization=quantization,
        max_batch=max_batch,
        max_waiting=queue,
        timeout_s=timeout,
        cache_bytes=cache * 2**20,
        threads=threads,
        fallback=fallback,
    )
    run(service, store, settings, loader)
