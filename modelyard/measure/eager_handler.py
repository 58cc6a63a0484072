"""What a person writes by hand: the model in eager PyTorch float32 behind one handler, a request at a time.

Run as `python -m modelyard.measure.eager_handler KIND MODEL PORT MAX_LENGTH [GENERATION]`, KIND one of KINDS,
GENERATION the settings of a search in JSON. The handler is raw ASGI, the cheapest there is, and calls the model in the
event loop: the baseline is not slowed by a framework.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
# Texts or files to the outputs of V2, in JSON.
Answer = Callable[[list[Any]], list[dict[str, Any]]]


def classifier(model: Path, max_length: int) -> Answer:
    """Texts to labels and scores."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from modelyard.store import Model

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForSequenceClassification.from_pretrained(model, dtype=torch.float32).eval()
    labels = Model.open(model).labels  # which may have been told, and are not those of config.json then

    def classify(texts: list[str]) -> list[dict[str, Any]]:
        with torch.inference_mode():
            feeds = tokenizer(texts, padding=True, truncation=True, max_length=max_length, return_tensors="pt")
            scores, classes = torch.softmax(network(**feeds).logits, dim=-1).max(dim=-1)
        named = [labels[int(index)] for index in classes]
        return [
            {"name": "label", "datatype": "BYTES", "shape": [len(named)], "data": named},
            {"name": "score", "datatype": "FP32", "shape": [len(named)], "data": scores.tolist()},
        ]

    return classify


def embedder(model: Path, max_length: int) -> Answer:
    """Texts to vectors: what the cards of such models write, after the pooling that the directory names."""
    import torch
    from torch.nn.functional import normalize
    from transformers import AutoModel, AutoTokenizer

    from modelyard.tasks.text_embedding.pooling import read_pooling

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModel.from_pretrained(model, dtype=torch.float32).eval()
    pooling = read_pooling(model)

    def embed(texts: list[str]) -> list[dict[str, Any]]:
        with torch.inference_mode():
            feeds = tokenizer(texts, padding=True, truncation=True, max_length=max_length, return_tensors="pt")
            hidden = network(**feeds).last_hidden_state
            mask = feeds["attention_mask"].unsqueeze(-1).float()
            vectors = hidden[:, 0] if pooling.mode == "cls" else (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            if pooling.normalize:
                vectors = normalize(vectors, dim=1)
        return [
            {"name": "embedding", "datatype": "FP32", "shape": list(vectors.shape), "data": vectors.flatten().tolist()}
        ]

    return embed


def detector(model: Path, max_length: int) -> Answer:
    """Files of pictures to boxes: Pillow, the network, and its boxes chosen in NumPy, picture by picture."""
    import numpy as np
    import torch

    from modelyard.measure.reference import Reference
    from modelyard.store import Model
    from modelyard.tasks.detection.training import DetectionTraining

    torch.set_num_threads(1)
    labels, training = Model.open(model).labels, DetectionTraining()
    pipeline = training.pipeline(str(model), labels, max_length)
    graphs = {"model": Reference(training, training.load(str(model), labels, {}))}

    def detect(files: list[bytes]) -> list[dict[str, Any]]:
        parts = []
        for file in files:
            feeds = pipeline.collate([pipeline.prepare({"image": file})])
            parts.append(pipeline.decode(pipeline.run(graphs, feeds)))
        outputs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        kinds = {"labels": "BYTES", "count": "INT32"}
        return [
            {
                "name": name,
                "datatype": kinds.get(name, "FP32"),
                "shape": list(array.shape),
                "data": array.ravel().tolist(),
            }
            for name, array in outputs.items()
        ]

    return detect


def picture_classifier(model: Path, max_length: int) -> Answer:
    """Files of pictures to labels and scores: Pillow and the image processor that the directory names."""
    import io

    import torch
    from PIL import Image, ImageOps
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    from modelyard.store import Model
    from modelyard.tasks.image_classification.network import position_options
    from modelyard.tasks.image_classification.preparation import read_preparation

    torch.set_num_threads(1)
    processor = AutoImageProcessor.from_pretrained(model)
    network = AutoModelForImageClassification.from_pretrained(model, dtype=torch.float32).eval()
    labels = Model.open(model).labels  # which may have been told, and are not those of config.json then
    extra = position_options(network, read_preparation(model).framing.image_size)

    def classify(files: list[bytes]) -> list[dict[str, Any]]:
        with torch.inference_mode():
            images = [ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB") for file in files]
            feeds = processor(images=images, return_tensors="pt")
            scores, classes = torch.softmax(network(**feeds, **extra).logits, dim=-1).max(dim=-1)
        named = [labels[int(index)] for index in classes]
        return [
            {"name": "label", "datatype": "BYTES", "shape": [len(named)], "data": named},
            {"name": "score", "datatype": "FP32", "shape": [len(named)], "data": scores.tolist()},
        ]

    return classify


def keras_picture_classifier(model: Path, max_length: int) -> Answer:
    """The same with Keras: its model called as it is, which costs less than `predict`."""
    import io

    import numpy as np
    import torch
    from PIL import Image, ImageOps

    from modelyard.store import Model
    from modelyard.tasks.keras.model_file import FILE, open_keras

    torch.set_num_threads(1)
    network: Any = open_keras(model / FILE)
    labels = Model.open(model).labels
    _, height, width, channels = network.input_shape
    colours, kind = {1: "L", 3: "RGB"}[channels], network.inputs[0].dtype

    def pixels(file: bytes) -> Any:
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB")
        scaled = image.resize((width, height), Image.Resampling.BILINEAR).convert(colours)
        return np.asarray(scaled, dtype=kind).reshape(height, width, channels)

    def classify(files: list[bytes]) -> list[dict[str, Any]]:
        with torch.inference_mode():
            logits = network(torch.from_numpy(np.stack([pixels(file) for file in files])), training=False)
            scores, classes = torch.softmax(logits, dim=-1).max(dim=-1)
        named = [labels[int(index)] for index in classes]
        return [
            {"name": "label", "datatype": "BYTES", "shape": [len(named)], "data": named},
            {"name": "score", "datatype": "FP32", "shape": [len(named)], "data": scores.tolist()},
        ]

    return classify


def generator(model: Path, max_length: int, generation: Mapping[str, Any]) -> Answer:
    """Texts to texts: `generate` of transformers, by the settings that the package searches with."""
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, GenerationConfig

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForSeq2SeqLM.from_pretrained(model, dtype=torch.float32).eval()
    said = network.generation_config
    # What the directory says besides (a penalty of repetition, say) the package does not follow either.
    network.generation_config = GenerationConfig(
        decoder_start_token_id=said.decoder_start_token_id,
        eos_token_id=said.eos_token_id,
        pad_token_id=said.pad_token_id,
    )
    beams = int(generation["beams"])
    search: dict[str, Any] = {"do_sample": False, "num_beams": beams, "max_new_tokens": generation["max_new_tokens"]}
    if beams > 1:
        search["length_penalty"] = generation["length_penalty"]

    def write(texts: list[str]) -> list[dict[str, Any]]:
        with torch.inference_mode():
            feeds = tokenizer(texts, padding=True, truncation=True, max_length=max_length, return_tensors="pt")
            written = network.generate(input_ids=feeds["input_ids"], attention_mask=feeds["attention_mask"], **search)
        answers = tokenizer.batch_decode(written, skip_special_tokens=True)
        return [{"name": "text", "datatype": "BYTES", "shape": [len(answers)], "data": answers}]

    return write


# What a Task names as `eager`; of models in another framework than PyTorch, FRAMEWORK_NAME.
# `generator` takes what its package searches by, the others nothing more.
KINDS: dict[str, Callable[..., Answer]] = {
    "classifier": classifier,
    "embedder": embedder,
    "detector": detector,
    "generator": generator,
    "keras_picture_classifier": keras_picture_classifier,
    "picture_classifier": picture_classifier,
}


def read_items(body: bytes, header_length: str | None) -> list[Any]:
    """The items of the one input: texts of JSON, or files behind a JSON header of that length (binary extension)."""
    if header_length is None:
        items: list[Any] = json.loads(body)["inputs"][0]["data"]
        return items
    place, items = int(header_length), []
    while place < len(body):
        size = int.from_bytes(body[place : place + 4], "little")
        items.append(body[place + 4 : place + 4 + size])
        place += 4 + size
    return items


def application(answer_items: Answer) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
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
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        outputs = answer_items(read_items(body, headers.get("inference-header-content-length")))
        await answer(send, json.dumps({"model_name": "eager", "outputs": outputs}).encode())

    return handle


def main() -> None:
    import uvicorn

    kind, model, port, max_length = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    settings = [json.loads(value) for value in sys.argv[5:]]
    application_ = application(KINDS[kind](model, max_length, *settings))
    uvicorn.run(application_, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="off")


if __name__ == "__main__":
    main()
