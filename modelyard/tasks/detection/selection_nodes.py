"""The same as select.py as nodes of an ONNX graph, behind the network's: what is served needs no code of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.tasks.detection.pipeline import RAW_BOXES, RAW_SCORES
from modelyard.tasks.detection.select import BOXES, CHOSEN, CLASSES, COUNT, MOST, OVERLAP, SCORE, SCORES

if TYPE_CHECKING:
    import onnx

PREFIX = "select/"


def append_selection(proto: onnx.ModelProto, cells: int, classes: int) -> None:
    """Boxes and scores of all cells stay outputs; behind them come the chosen ones, K = MOST places a picture.

    NonMaxSuppression answers a list of unknown length over all pictures. So that each picture has K places, the scores
    that it chose are scattered into zeros [n, C x N], of which the K largest are taken.
    """
    import onnx
    from onnx import helper, numpy_helper

    graph = proto.graph
    kinds = onnx.TensorProto

    def constant(name: str, value: Any, dtype: Any) -> str:
        graph.initializer.append(numpy_helper.from_array(np.array(value, dtype=dtype), PREFIX + name))
        return PREFIX + name

    def node(op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        named = [name if name in CHOSEN else PREFIX + name for name in outputs]
        graph.node.append(helper.make_node(op, inputs, named, name=PREFIX + outputs[0], **attributes))

    def inner(name: str) -> str:
        return PREFIX + name

    node("Transpose", [RAW_SCORES], ["by_class"], perm=[0, 2, 1])
    limits = [
        constant("most", [MOST], np.int64),
        constant("overlap", [OVERLAP], np.float32),
        constant("score", [SCORE], np.float32),
    ]
    # Corners in any order: its IoU does not care which axis comes first.
    node("NonMaxSuppression", [RAW_BOXES, inner("by_class"), *limits], ["chosen"])
    node("GatherND", [inner("by_class"), inner("chosen")], ["chosen_scores"])
    node("Shape", [inner("by_class")], ["shape"])
    zero = numpy_helper.from_array(np.zeros(1, dtype=np.float32))
    node("ConstantOfShape", [inner("shape")], ["zeros"], value=zero)
    node("ScatterND", [inner("zeros"), inner("chosen"), inner("chosen_scores")], ["kept"])
    node("Reshape", [inner("kept"), constant("flat", [0, cells * classes], np.int64)], ["row"])
    node("TopK", [inner("row"), limits[0]], [SCORES, "places"], axis=1)
    width = constant("cells", cells, np.int64)
    node("Div", [inner("places"), width], ["class_of_place"])
    node("Mod", [inner("places"), width], ["cell"])
    node("Unsqueeze", [inner("cell"), constant("last", [2], np.int64)], ["cell_column"])
    node("GatherND", [RAW_BOXES, inner("cell_column")], ["boxes_of_places"], batch_dims=1)
    node("Greater", [SCORES, constant("none", 0.0, np.float32)], ["there"])
    node("Unsqueeze", [inner("there"), constant("side", [2], np.int64)], ["there_column"])
    node("Where", [inner("there_column"), inner("boxes_of_places"), constant("no_side", 0.0, np.float32)], [BOXES])
    node("Where", [inner("there"), inner("class_of_place"), constant("no_class", 0, np.int64)], [CLASSES])
    node("Cast", [inner("there")], ["ones"], to=kinds.INT32)
    node("ReduceSum", [inner("ones"), constant("places_axis", [1], np.int64)], [COUNT], keepdims=0)
    batch = graph.input[0].type.tensor_type.shape.dim[0].dim_param or "batch"
    shapes = ((BOXES, kinds.FLOAT, [MOST, 4]), (SCORES, kinds.FLOAT, [MOST]), (CLASSES, kinds.INT64, [MOST]))
    for name, kind, shape in (*shapes, (COUNT, kinds.INT32, [])):
        graph.output.append(helper.make_tensor_value_info(name, kind, [batch, *shape]))
