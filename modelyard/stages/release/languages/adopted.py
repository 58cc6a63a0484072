"""What the report says of a model that came from elsewhere, in both languages."""

from __future__ import annotations

ENGLISH: dict[str, str] = {
    "section.adopted": "The model",
    "adopted.finding": "adopted from {name}",
    "adopted.source": "source",
    "adopted.form": "what it was",
    "adopted.form_directory": "a Hugging Face directory",
    "adopted.form_text_onnx": "an ONNX file with its tokenizer",
    "adopted.form_model": "a Model of Modelyard's",
    "adopted.form_package": "a Package of Modelyard's",
    "adopted.task": "task",
    "adopted.architecture": "architecture",
    "adopted.labels": "classes, in the order of the logits",
    "adopted.output": "output that is read",
    "adopted.opset": "ONNX opset",
    "adopted.quantised": "weights",
    "adopted.quantised_yes": "eight bits already: it is held against itself, and not quantised again",
    "adopted.quantised_no": "float",
    "adopted.max_length": "longest text, tokens",
    "adopted.pooling": "tokens to one vector",
    "adopted.not_held": (
        "There is no model in PyTorch beside it: nothing says whether the export that made the file was right, and no "
        "cut against PyTorch is stated. The golden set holds its own answers."
    ),
    "figure.golden_set_own": "Golden set, answers as the graph that came",
    "data.judged": "variants chosen on {choosing}, figures from {judging}",
}

CHINESE: dict[str, str] = {
    "section.adopted": "模型",
    "adopted.finding": "取自 {name}",
    "adopted.source": "来源",
    "adopted.form": "原来的形式",
    "adopted.form_directory": "Hugging Face 目录",
    "adopted.form_text_onnx": "ONNX 文件及其分词器",
    "adopted.form_model": "Modelyard 的 Model",
    "adopted.form_package": "Modelyard 的 Package",
    "adopted.task": "任务",
    "adopted.architecture": "架构",
    "adopted.labels": "类别（按 logits 的顺序）",
    "adopted.output": "读取的输出",
    "adopted.opset": "ONNX opset",
    "adopted.quantised": "权重",
    "adopted.quantised_yes": "已是八位：以其自身为基准，不再量化",
    "adopted.quantised_no": "浮点",
    "adopted.max_length": "最长文本（词元数）",
    "adopted.pooling": "由词元得到向量的方式",
    "adopted.not_held": (
        "没有对应的 PyTorch 模型：无法得知生成该文件的导出是否正确，因此不给出相对 PyTorch 的缩减。"
        "黄金样本集保存的是它自己的回答。"
    ),
    "figure.golden_set_own": "黄金样本集：与原图结论一致的比例",
    "data.judged": "{choosing} 行用于挑选变体，{judging} 行用于得出指标",
}
