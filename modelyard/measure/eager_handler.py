"""What a person writes by hand: AutoModel and AutoTokenizer in eager float32 behind one handler, a request at a time.

Run as `python -m modelyard.measure.eager_handler MODEL PORT MAX_LENGTH`. The handler is raw ASGI, the cheapest there
is, and calls the model in the event loop: the baseline is not slowed by a framework.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def classifier(model: Path, max_length: int) -> Callable[[list[str]], tuple[list[str], list[float]]]:
    """Texts to labels and scores."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForSequenceClassification.from_pretrained(model, dtype=torch.float32).eval()
    labels = network.config.id2label

    def classify(texts: list[str]) -> tuple[list[str], list[float]]:
        with torch.inference_mode():
            feeds = tokenizer(texts, padding=True, truncation=True, max_length=max_length, return_tensors="pt")
            scores, classes = torch.softmax(network(**feeds).logits, dim=-1).max(dim=-1)
        return [labels[int(index)] for index in classes], scores.tolist()

    return classify


def application(
    classify: Callable[[list[str]], tuple[list[str], list[float]]],
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """An ASGI application: ready, and infer in V2 JSON."""

    async def answer(send: Send, body: bytes) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] == "GET":
            await answer(send, b"{}")
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        labels, scores = classify(json.loads(body)["inputs"][0]["data"])
        outputs = [
            {"name": "label", "datatype": "BYTES", "shape": [len(labels)], "data": labels},
            {"name": "score", "datatype": "FP32", "shape": [len(scores)], "data": scores},
        ]
        await answer(send, json.dumps({"model_name": "eager", "outputs": outputs}).encode())

    return handle


def main() -> None:
    import uvicorn

    model, port, max_length = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    application_ = application(classifier(model, max_length))
    uvicorn.run(application_, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="off")


if __name__ == "__main__":
    main()
