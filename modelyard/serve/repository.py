"""The models of one server by name, version and label, and whether it is ready or stopping."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from modelyard.serve.problems import Problem, shortened
from modelyard.serve.served_model import TENSOR, ServedModel, Signature


@dataclass(frozen=True)
class Endpoint:
    """A model at one of its levels: raw items, or what the graph takes."""

    model: ServedModel
    signature: Signature
    tensor_level: bool

    @property
    def name(self) -> str:
        return self.model.tensor_name if self.signature is self.model.tensor else self.model.name

    @property
    def whole(self) -> bool:
        """Whether a request is any tensors that the graph takes: perhaps no items, of no number that is limited."""
        return self.model.tensor is None

    @property
    def streamed(self) -> str:
        """The output that comes in pieces, of a model that streams."""
        return next(iter(self.signature.outputs))


@dataclass
class Repository:
    """`loaded` is set when every model passed its golden set, `draining` when the server was asked to stop."""

    models: dict[str, dict[str, ServedModel]] = field(default_factory=dict)
    loaded: bool = False
    draining: bool = False

    @property
    def ready(self) -> bool:
        return self.loaded and not self.draining

    def add(self, model: ServedModel) -> None:
        """The first version of a name that is added answers when a request names none."""
        self.models.setdefault(model.name, {})[model.version] = model

    def all(self) -> list[ServedModel]:
        return [model for versions in self.models.values() for model in versions.values()]

    def find(self, name: str, version: str = "", label: str = "") -> Endpoint:
        """Raises Problem 404 for a model, version or label that is not here, 503 while models are loading."""
        versions = self.models.get(name)
        below = False
        if versions is None and name.endswith(TENSOR):
            under = self.models.get(name.removesuffix(TENSOR), {})
            versions = {version: model for version, model in under.items() if model.tensor is not None} or None
            below = True
        if versions is None:
            if not self.loaded:
                raise Problem(503, "models are still loading", retry_after=1)
            raise Problem(404, f"there is no model {shortened(name)}; models here: {', '.join(self.models)}")
        if label:
            model = next((model for model in versions.values() if label in model.labels), None)
            if model is None:
                raise Problem(404, f"model {name} has no label {shortened(label)}")
        elif version:
            model = versions.get(version)
            if model is None:
                raise Problem(
                    404, f"model {name} has no version {shortened(version)}; versions here: {', '.join(versions)}"
                )
        else:
            model = next(iter(versions.values()))
        if below and model.tensor is not None:
            return Endpoint(model, model.tensor, True)
        return Endpoint(model, model.public, model.tensor is None)

    def metadata(self, endpoint: Endpoint, version: str = "") -> dict[str, Any]:
        versions = [version] if version else list(self.models[endpoint.model.name])
        return endpoint.model.metadata(endpoint.signature, endpoint.name, versions)

    def index(self) -> list[dict[str, str]]:
        """What is served, tensor level left out."""
        state = "READY" if self.ready else "UNAVAILABLE"
        return [{"name": model.name, "version": model.version, "state": state, "reason": ""} for model in self.all()]
