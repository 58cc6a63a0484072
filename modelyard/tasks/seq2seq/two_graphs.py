"""The float graphs of a T5: encoder, and one step of the decoder with its cache (see decoding.py for their tensors).

The step is written over the modules of transformers' own model: its cache objects do not go through the exporter, and
the decoder never recomputes the keys and values of the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from modelyard.tasks.onnx_graph import GRAPH, traced, write_graph
from modelyard.tasks.seq2seq.decoding import CROSS, INPUT_IDS, LOGITS, MASK, PAST, PRESENT, TOKEN
from modelyard.tasks.seq2seq.settings import scaled

if TYPE_CHECKING:
    from transformers import T5ForConditionalGeneration

FOLDER = Path(GRAPH).parent
# Two texts of different lengths, three steps behind them: an exporter that sees 1 may write it into the graph.
ROWS, SOURCE, STEPS = 2, 8, 3


class Encoder(nn.Module):
    """input_ids, attention_mask int64 [n, source] to key and value of every decoder layer [n, heads, source, width]."""

    def __init__(self, model: T5ForConditionalGeneration) -> None:
        super().__init__()
        self.encoder = model.encoder
        self.attentions: Any = nn.ModuleList(block.layer[1].EncDecAttention for block in model.decoder.block)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return tuple(
            by_heads(project(hidden), attention)
            for attention in self.attentions
            for project in (attention.k, attention.v)
        )


class Step(nn.Module):
    """One token a row, the mask of the source, cross keys and values, past keys and values, to logits and the past one
    step longer."""

    def __init__(self, model: T5ForConditionalGeneration) -> None:
        super().__init__()
        self.decoder, self.lm_head = model.decoder, model.lm_head
        self.scale = model.model_dim**-0.5 if scaled(model.config) else None

    def forward(
        self, token: torch.Tensor, attention_mask: torch.Tensor, *kept: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        blocks = self.decoder.block
        cross, past = kept[: 2 * len(blocks)], kept[2 * len(blocks) :]
        steps = past[0].shape[2]
        hidden = self.decoder.embed_tokens(token)
        hole = torch.finfo(hidden.dtype).min
        source = (1.0 - attention_mask[:, None, None, :].to(hidden.dtype)) * hole
        present: list[torch.Tensor] = []
        for place, block in enumerate(blocks):
            own, looking = block.layer[0], block.layer[1]
            normed, attention = own.layer_norm(hidden), own.SelfAttention
            if attention.has_relative_attention_bias:  # T5: the first layer's is that of all; UMT5: each has its own
                bias = attention.compute_bias(1, steps + 1, past_seen_tokens=steps)
            key = torch.cat([past[2 * place], by_heads(attention.k(normed), attention)], dim=2)
            value = torch.cat([past[2 * place + 1], by_heads(attention.v(normed), attention)], dim=2)
            present += [key, value]
            hidden = hidden + attend(attention, normed, key, value, bias)
            normed, attention = looking.layer_norm(hidden), looking.EncDecAttention
            hidden = hidden + attend(attention, normed, cross[2 * place], cross[2 * place + 1], source)
            hidden = block.layer[2](hidden)
        hidden = self.decoder.final_layer_norm(hidden)
        if self.scale is not None:
            hidden = hidden * self.scale
        return (self.lm_head(hidden)[:, 0], *present)


def by_heads(values: torch.Tensor, attention: Any) -> torch.Tensor:
    """[n, tokens, heads x width] to [n, heads, tokens, width]."""
    return values.view(*values.shape[:2], attention.n_heads, attention.key_value_proj_dim).transpose(1, 2)


def attend(
    attention: Any, hidden: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    """hidden [n, 1, model width] looks at key and value; T5 does not scale the products."""
    weights = torch.softmax(by_heads(attention.q(hidden), attention) @ key.transpose(2, 3) + bias, dim=-1)
    answered: torch.Tensor = attention.o((weights @ value).transpose(1, 2).flatten(2))
    return answered


def export_two_graphs(model: T5ForConditionalGeneration, package: Path) -> dict[str, Any]:
    """Write both graphs; answers the `graphs` of the variant."""
    layers, config = len(model.decoder.block), model.config
    n, source, steps = torch.export.Dim("batch"), torch.export.Dim("source"), torch.export.Dim("steps")
    ids = torch.arange(1, 1 + ROWS * SOURCE).reshape(ROWS, SOURCE) % config.vocab_size
    mask = torch.ones((ROWS, SOURCE), dtype=torch.int64)
    mask[1, SOURCE // 2 :] = 0
    of_source, of_past = {0: n, 2: source}, {0: n, 2: steps}
    kept = [torch.randn(ROWS, config.num_heads, SOURCE, config.d_kv) for _ in range(2 * layers)]
    past = [torch.randn(ROWS, config.num_heads, STEPS, config.d_kv) for _ in range(2 * layers)]
    weights = sum(parameter.nbytes for parameter in model.parameters())
    encoder = traced(
        Encoder(model), [ids, mask], [INPUT_IDS, MASK], names(CROSS, layers), ({0: n, 1: source}, {0: n, 1: source})
    )
    decoder = traced(
        Step(model),
        [ids[:, :1], mask, *kept, *past],
        [TOKEN, MASK, *names(CROSS, layers), *names(PAST, layers)],
        [LOGITS, *names(PRESENT, layers)],
        ({0: n}, {0: n, 1: source}, tuple([of_source] * len(kept) + [of_past] * len(past))),
    )
    graphs = {}
    for role, proto in (("encoder", encoder), ("decoder", decoder)):
        files = write_graph(proto, package / FOLDER / f"{role}.onnx", weights)
        graphs[role] = {"format": "onnx", "files": [(FOLDER / name).as_posix() for name in files]}
    return graphs


def names(prefix: str, layers: int) -> Sequence[str]:
    return [f"{prefix}{layer}.{part}" for layer in range(layers) for part in ("key", "value")]
