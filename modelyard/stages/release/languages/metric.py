"""What the report says where the package is judged by another metric than accuracy, in both languages.

`KEY.metric` takes the place of KEY; `{metric}` is what people call it.
"""

from __future__ import annotations

ENGLISH: dict[str, str] = {
    "verdict.accuracy.metric": "{value} {metric}",
    "figure.parity_accuracy.metric": "Export parity, difference of {metric}",
    "figure.parity_boxes": "Export parity, the same boxes",
    "figure.parity_sequences": "Export parity, the same texts",
    "figure.accuracy_lost.metric": "{metric} lost by optimizing",
    "figure.accuracy.metric": "{metric}",
    "figure.eager_accuracy.metric": "{metric} of the eager model",
    "figure.accuracy_over_baseline.metric": "{metric} above the baseline",
    "metric.spearman": "Spearman correlation",
    "metric.map": "mAP",
    "metric.chrf": "chrF",
    "tile.accuracy.metric": "{metric}",
    "next.weak_slice.metric": "Look at the rows of {column} = {value}: {accuracy} ({interval}), {overall} overall.",
    "card.no_limits.metric": "No slice lies clearly below the {metric} over all rows.",
    "card.embeds": "Gives one vector for a text; the cosine of two vectors tells how alike the texts are.",
    "card.writes": "Writes a text for a text, with a score: the mean log-probability of a token.",
    "card.names": "Gives one of {labels} for a picture, with a score.",
    "card.boxes": "Gives the boxes of what lies on a picture, each with one of {labels} and a score.",
    "card.outputs": "Gives {outputs}.",
    "parity.accuracy.metric": "{metric} on validation, model and graph",
    "parity.note.metric": (
        "Each case is a batch of real validation rows padded to one length, answered by the model in PyTorch "
        "(float32) and by the exported graph in ONNX Runtime. The difference is that of the raw outputs; the bar is "
        "{bar}."
    ),
    "training.accuracy.metric": "{metric} {accuracy} on validation",
    "variants.column_lost.metric": "{metric} lost",
    "variants.column_agreement.metric": "Same answer",
    "variants.why_reference": "The graph as it came ({name}) is served: no variant was really faster and as good.",
    "variants.why_faster": "{name} is served: {gain} as fast as the graph as it came ({reference}).",
    "variants.note.metric": (
        "Each variant is started as a server of its own and loaded in short turns with the reference, one request at "
        "a time, {requests} requests each. Speed-up: P50 of the reference over its P50, median of the turns. "
        "{metric} lost: on the validation rows, paired with the reference. Same answer: share of the validation "
        "requests that are answered as the reference does (vectors: a cosine of 0.99 or more with the reference's). "
        "A variant stays when the whole 95 % interval of its speed-up lies above 1 and its loss within the bar."
    ),
    "chart.variants_float.metric": "No variant beat {base} and kept its {metric}",
    "quality.finding.metric": "{metric} {accuracy} on {rows} test rows",
    "quality.slices.metric": "{metric} by {columns}",
    "quality.accuracy.metric": "{metric}",
    "quality.apart": "The {shown} rows whose place by their answers is furthest from their place by what was wanted",
    "quality.wanted": "Wanted",
    "quality.answered": "Answered",
    "chart.slices_even.metric": "No slice lies clearly below the {metric} of {overall} overall",
    "chart.levels": "Where {high} was wanted the middle answer is {above}, where {low} was wanted {below}",
    "chart.levels_note": (
        "One line for each wanted value, rows in brackets. Dots are medians, whiskers hold 80 % of the answers."
    ),
    "axis.accuracy.metric": "{metric}",
    "axis.cosine": "Cosine of the two vectors",
    "axis.answered_number": "Answer",
    "data.role_number": "target, {field}",
}

CHINESE: dict[str, str] = {
    "verdict.accuracy.metric": "{metric} {value}",
    "figure.parity_accuracy.metric": "导出一致性：{metric}差值",
    "figure.parity_boxes": "导出一致性：所选的框相同",
    "figure.parity_sequences": "导出一致性：写出的文本相同",
    "figure.accuracy_lost.metric": "优化造成的{metric}损失",
    "figure.accuracy.metric": "{metric}",
    "figure.eager_accuracy.metric": "eager 模型的{metric}",
    "figure.accuracy_over_baseline.metric": "{metric}高出基线",
    "metric.spearman": "Spearman 相关系数",
    "metric.map": "mAP",
    "metric.chrf": "chrF",
    "tile.accuracy.metric": "{metric}",
    "next.weak_slice.metric": "查看 {column} = {value} 的数据：{accuracy}（{interval}），总体为 {overall}。",
    "card.no_limits.metric": "没有切片明显低于总体的{metric}。",
    "card.embeds": "为一条文本给出一个向量；两个向量的余弦值表示两条文本有多相似。",
    "card.writes": "为一条文本写出一条文本，并给出分数：各词元对数概率的平均值。",
    "card.names": "对一张图片给出 {labels} 之一及其分数。",
    "card.boxes": "给出图片上各物体的框，每个框附带 {labels} 之一及其分数。",
    "card.outputs": "给出 {outputs}。",
    "parity.accuracy.metric": "验证集上的{metric}（模型、图）",
    "parity.note.metric": (
        "每组是一批真实的验证数据，填充到相同长度，分别由 PyTorch 中的模型（float32）和 ONNX Runtime"
        " 中导出的图作答。差值取自原始输出，要求不高于 {bar}。"
    ),
    "training.accuracy.metric": "验证集{metric} {accuracy}",
    "variants.column_lost.metric": "{metric}损失",
    "variants.column_agreement.metric": "答案一致",
    "variants.why_reference": "最终上线原图（{name}）：没有变体既确实更快又同样好。",
    "variants.why_faster": "最终上线 {name}：速度是原图（{reference}）的 {gain}。",
    "variants.note.metric": (
        "每个变体单独启动一个服务，与基准短轮次交替加压，逐个发送请求，各 {requests} 次。加速：基准的 P50 除以该"
        "变体的 P50，取各轮的中位数。{metric}损失：在验证集上与基准逐行配对比较。答案一致：验证集的请求中与基准答案相"
        "同的比例（向量：与基准向量的余弦值不低于 0.99）。加速的 95% 区间整体大于 1，且损失不超过要求，变体才会保留。"
    ),
    "chart.variants_float.metric": "没有变体既快于 {base} 又保持{metric}",
    "quality.finding.metric": "{rows} 行测试数据，{metric} {accuracy}",
    "quality.slices.metric": "按 {columns} 划分的{metric}",
    "quality.accuracy.metric": "{metric}",
    "quality.apart": "按答案排的名次与按目标值排的名次相差最大的 {shown} 行",
    "quality.wanted": "目标值",
    "quality.answered": "答案",
    "chart.slices_even.metric": "没有切片明显低于总体的{metric} {overall}",
    "chart.levels": "目标值为 {high} 处答案的中位数为 {above}，为 {low} 处为 {below}",
    "chart.levels_note": "每个目标值一行，括号内为行数。圆点为中位数，横线包含 80% 的答案。",
    "axis.accuracy.metric": "{metric}",
    "axis.cosine": "两个向量的余弦值",
    "axis.answered_number": "答案",
    "data.role_number": "目标（{field}）",
}
