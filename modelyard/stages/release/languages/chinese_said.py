"""What the stages say, in Chinese: they speak English, in sentences of a fixed shape that are turned here.

`{name}` stands for whatever the stage filled in, which is turned in the same way when it is such a sentence itself.
A sentence of no known shape (an error of a library, words from the data) is shown as it was said.
"""

from __future__ import annotations

import re
from functools import cache

# In the order in which they are tried: of two that fit, the longer stands first.
SAID: tuple[tuple[str, str], ...] = (
    # train
    (
        "{rows} validation rows, after epoch {epoch}, eager float32",
        "{rows} 行验证数据，第 {epoch} 轮之后，eager float32",
    ),
    (
        "peak; base_lr {base} at batch 256, {scaling} scaling to batch {batch}",
        "峰值；批大小 256 时基准学习率为 {base}，按 {scaling} 规则缩放到批大小 {batch}",
    ),
    ("micro batches of {rows}", "微批大小 {rows}"),
    ("best main metric on validation, then the lower loss", "验证集主指标最好者，相同时取损失较低者"),
    # adopt, and the rows that a model from elsewhere is judged by
    (
        "nothing says how tokens become one vector: their mean is taken, brought to length 1",
        "没有文件说明如何由各词元得到一个向量：取其平均值，并归一化为长度 1",
    ),
    (
        "the classes have no names ({names}); say them: --labels negative,positive",
        "类别没有名称（{names}）；请说明：--labels negative,positive",
    ),
    (
        "{rows} rows: too few to part, so that variants are chosen on the same rows that the figures stand for",
        "只有 {rows} 行，太少而无法划分：挑选变体与得出指标用的是同样的行",
    ),
    # export
    (
        "largest |difference| of the raw outputs ({outputs}), the model in PyTorch float32 against the graph in ONNX"
        " Runtime,"
        " {cases} cases of batch and length",
        "原始输出（{outputs}）之差的最大绝对值，PyTorch float32 模型对比 ONNX Runtime 中的图，"
        "共 {cases} 组批大小与长度",
    ),
    (
        "|{metric} of the graph - {metric_} of the model|, {found} and {wanted} on {rows} validation rows",
        "|图的{metric} − 模型的{metric}|，在 {rows} 行验证数据上分别为 {found} 和 {wanted}",
    ),
    (
        "the directory does not say how tokens become one vector: their mean is taken, brought to length 1",
        "模型目录没有说明各词元如何合成一个向量：取其平均值并归一化",
    ),
    # optimize
    (
        "P50 of the {reference} over {name}, both as served, one request at a time, in short turns"
        " on the same inputs (median of the turns), {requests} requests each, one thread",
        "{reference}的 P50 除以 {name} 的 P50，均按实际服务方式、单线程、逐个请求，在相同输入上短轮次交替测量"
        "（取各轮中位数），各 {requests} 次请求",
    ),
    (
        "{rows} validation rows, paired with the {reference}, {interval}",
        "{rows} 行验证数据，与{reference}逐行配对，{interval}",
    ),
    ("plain float graph", "普通浮点图"),
    ("float graph", "浮点图"),
    ("graph as it came ({name})", "原图（{name}）"),
    ("interval by paired bootstrap", "区间按配对自助法（bootstrap）"),
    ("interval by Agresti and Min", "区间按 Agresti-Min 方法"),
    (
        "the graph as it came ({name}): the reference, and the last resort of the package",
        "原图（{name}）：对比的基准，也是模型包的后备",
    ),
    ("graph files, plain float over {name}", "图文件体积，普通浮点图除以 {name}"),
    (
        "the plain float graph: the reference, and the last resort of the package",
        "普通浮点图：对比的基准，也是模型包的后备",
    ),
    (
        "{name}: {points} points of {metric} lost on validation (95 %: {low} to {high}): too few validation rows"
        " to exclude"
        " a loss of more than {most} point",
        (
            "{name}：验证集{metric}损失 {points} 个百分点（95% 区间 {low}～{high}）：验证数据太少，不能排除损失超过"
            " {most} 个百分点"
        ),
    ),
    (
        "{name}: {lost} of {metric} lost on validation (95 %: {low} to {high}): too few validation rows to exclude a"
        " loss of more than {most}",
        "{name}：验证集{metric}损失 {lost}（95% 区间 {low}～{high}）：验证数据太少，不能排除损失超过 {most}",
    ),
    ("not really faster: {speed}", "并非确实更快：{speed}"),
    (
        "{points} points of {metric} lost on validation (95 %: {low} to {high}), all of it beyond {most}",
        "验证集{metric}损失 {points} 个百分点（95% 区间 {low}～{high}），整体超过 {most} 个百分点",
    ),
    (
        "{points} points of {metric} lost on validation (95 %: {low} to {high}), more likely than not beyond {most}",
        "验证集{metric}损失 {points} 个百分点（95% 区间 {low}～{high}），多半超过 {most} 个百分点",
    ),
    (
        "{speed} times as fast as float at one request at a time (95 %: {low} to {high}); {accuracy}",
        "逐个请求时速度是浮点图的 {speed} 倍（95% 区间 {low}～{high}）；{accuracy}",
    ),
    (
        "{speed} times as fast as float at one request at a time (95 %: {low} to {high})",
        "逐个请求时速度是浮点图的 {speed} 倍（95% 区间 {low}～{high}）",
    ),
    (
        "{points} points of {metric} lost on validation (95 %: {low} to {high})",
        "验证集{metric}损失 {points} 个百分点（95% 区间 {low}～{high}）",
    ),
    (
        "{speed} times as fast as {reference} at one request at a time (95 %: {low} to {high}); {lost}",
        "逐个请求时速度是 {reference} 的 {speed} 倍（95% 区间 {low}～{high}）；{lost}",
    ),
    (
        "{speed} times as fast as {reference} at one request at a time (95 %: {low} to {high})",
        "逐个请求时速度是 {reference} 的 {speed} 倍（95% 区间 {low}～{high}）",
    ),
    (
        "{lost} of {metric} lost on validation (95 %: {low} to {high}), all of it beyond {most}",
        "验证集{metric}损失 {lost}（95% 区间 {low}～{high}），整体超过 {most}",
    ),
    (
        "{lost} of {metric} lost on validation (95 %: {low} to {high}), more likely than not beyond {most}",
        "验证集{metric}损失 {lost}（95% 区间 {low}～{high}），多半超过 {most}",
    ),
    (
        "{lost} of {metric} lost on validation (95 %: {low} to {high})",
        "验证集{metric}损失 {lost}（95% 区间 {low}～{high}）",
    ),
    ("its answers have no {metric}: all are one and the same", "答案全部相同，{metric}没有意义"),
    ("the golden set fails: {reason}", "黄金样本集未通过：{reason}"),
    ("it does not run here: {reason}", "在本机无法运行：{reason}"),
    ("it could not be made: {reason}", "无法生成：{reason}"),
    ("no pattern of the graph can be fused", "图中没有可以融合的结构"),
    ("the graph has no weight matrix to quantise", "图中没有可量化的权重矩阵"),
    (
        "an output channel loses {part} of its largest weight ({tensor} with one scale a tensor)",
        "某个输出通道的误差达到其最大权重的 {part}（整个张量共用一个缩放系数时为 {tensor}）",
    ),
    ("differs from the reference by {worst}, the tolerance is {tolerance}", "与基准相差 {worst}，容差为 {tolerance}"),
    (
        "{differing} of {checked} golden answers are not the reference's",
        "{checked} 个黄金样本中有 {differing} 个与基准不同",
    ),
    # evaluate
    (
        "variant {name} gives {same} of {checked} golden inputs the label of the float model, at most {most} may"
        " differ; raw"
        " outputs differ by {worst} at most, tolerance {tolerance}",
        "变体 {name} 对 {checked} 个黄金样本中的 {same} 个给出与浮点模型相同的标签，最多允许 {most} 个不同；"
        "原始输出最大相差 {worst}，容差 {tolerance}",
    ),
    (
        "variant {name} gives {same} of {checked} golden inputs {answer}, at most {most} may differ; raw outputs differ"
        " by {worst} at most, tolerance {tolerance}",
        "变体 {name} 对 {checked} 个黄金样本中的 {same} 个给出{answer}，最多允许 {most} 个不同；"
        "原始输出最大相差 {worst}，容差 {tolerance}",
    ),
    ("the answer of the reference", "与基准相同的答案"),
    ("the text of the float model", "与浮点模型相同的文本"),
    ("the vector of the reference (cosine 0.99 or more)", "与基准相同的向量（余弦值不低于 0.99）"),
    ("variant {name} is passed over on this machine: {reason}", "变体 {name} 在本机上被跳过：{reason}"),
    (
        "{rows} test rows, percentile bootstrap, {resamples} resamples",
        "{rows} 行测试数据，百分位自助法（bootstrap），重抽样 {resamples} 次",
    ),
    ("{rows} test rows, mean over {classes} classes", "{rows} 行测试数据，{classes} 个类别的平均"),
    ("{rows} test rows, {bins} equal-width bins", "{rows} 行测试数据，{bins} 个等宽分箱"),
    ("graph files of {name}", "{name} 的图文件"),
    (
        "user and system CPU time of the server an answer, {setting}",
        "服务进程每次应答的用户态与内核态 CPU 时间，{setting}",
    ),
    (
        "as served by one worker, one thread, {flags}; test inputs, one a request, {requests} requests one at a time",
        "按实际服务方式：单进程、单线程、{flags}；测试输入，每次请求一条，逐个发送 {requests} 次请求",
    ),
    (
        (
            "as served by one worker, one thread, {flags}; test inputs, one a request, {requests} requests, {many} at"
            " a time"
        ),
        "按实际服务方式：单进程、单线程、{flags}；测试输入，每次请求一条，共 {requests} 次请求，同时 {many} 个",
    ),
    ("no special instructions", "无特殊指令集"),
    (
        "against {reference}: 1 - ours / its P50, in turns on the same inputs, {requests} requests each, one at a time",
        "对比对象为{reference}；1 − 本服务的 P50 / 其 P50，在相同输入上交替测量，各 {requests} 次请求，逐个发送",
    ),
    (
        "against {reference}: 1 - ours / its CPU seconds an answer, in turns on the same inputs, {requests} requests"
        " each, {many} at a time",
        "对比对象为{reference}；1 − 本服务每次应答的 CPU 秒数 / 其 CPU 秒数，"
        "在相同输入上交替测量，各 {requests} 次请求，同时 {many} 个",
    ),
    ("the eager model ({how})", " eager 模型（{how}）"),
    (
        "transformers eager float32, torch 1 thread, raw ASGI handler on uvicorn, no batching",
        "transformers eager float32，torch 单线程，uvicorn 上的普通 ASGI 处理函数，不合批",
    ),
    (
        "PyTorch eager float32, torch 1 thread, raw ASGI handler on uvicorn, no batching",
        "PyTorch eager float32，torch 单线程，uvicorn 上的普通 ASGI 处理函数，不合批",
    ),
    (
        "Keras on PyTorch, eager float32, torch 1 thread, raw ASGI handler on uvicorn, no batching",
        "Keras（PyTorch 后端）eager float32，torch 单线程，uvicorn 上的普通 ASGI 处理函数，不合批",
    ),
    (
        "{rows} validation rows, the share whose chosen boxes are, as sets, those of the model in PyTorch",
        "{rows} 行验证数据，所选的框（作为集合）与 PyTorch 中的模型一致的比例",
    ),
    (
        "{rows} validation rows, the share whose tokens are those of the model in PyTorch",
        "{rows} 行验证数据，写出的词元与 PyTorch 中的模型一致的比例",
    ),
    (
        "a translation memory: the target of the train row whose source is most alike (TF-IDF of words and of 2 to 5"
        " characters), same split: {train} train and {test} test rows",
        "翻译记忆：取原文最相似的训练行的译文（词与 2 至 5 个字符的 TF-IDF），"
        "同一划分：训练 {train} 行，测试 {test} 行",
    ),
    (
        "{checked} golden inputs, the share whose answers by {runtime} are those of the model in PyTorch",
        "{checked} 个黄金样本，{runtime} 的答案与 PyTorch 中的模型一致的比例",
    ),
    ("the plain float ONNX behind the same server", "同一服务中的普通浮点 ONNX 图"),
    ("the plain float graph itself is served", "上线的就是普通浮点图本身"),
    ("no eager model was given", "没有提供 eager 模型"),
    (
        "models of {framework} have no eager baseline in the task {task}",
        "任务 {task} 的 {framework} 模型没有 eager 基线",
    ),
    ("there is no eager baseline of the task {task}", "任务 {task} 没有 eager 基线"),
    ("the eager model is not measured: {reason}", "eager 模型未测量：{reason}"),
    ("the eager model over the wire, {asked}", "通过网络请求 eager 模型，{asked}"),
    ("{metric} has no value on {asked}", "{asked}上{metric}没有意义"),
    ("the first {rows} of {all} test rows", "{all} 行测试数据中的前 {rows} 行"),
    ("{requests} requests are too few", "{requests} 次请求太少"),
    ("from starting `modelyard serve` to the first answer", "从启动 `modelyard serve` 到第一次应答"),
    ("resident memory of the server process after the load", "压测之后服务进程的常驻内存"),
    (
        "TF-IDF of words and word pairs, logistic regression, C = {c} chosen on validation, same split: {train}"
        " train and"
        " {test} test rows",
        "词与相邻词对的 TF-IDF 加逻辑回归，C = {c} 由验证集选出，同一划分：训练 {train} 行，测试 {test} 行",
    ),
    ("the package has no float graph", "模型包中没有浮点图"),
    ("the data have no {side} side", "数据没有{side}集"),
    ("train and no validation", "训练集和验证"),
    ("train", "训练"),
    ("validation", "验证"),
    ("the training texts hold no word, or one class alone", "训练文本中没有任何词，或只有一个类别"),
    ("the training pictures hold no box, or nothing beside one", "训练图片中没有任何框，或框外没有任何内容"),
    (
        "windows of {sizes} sizes, histograms of gradients, logistic regression, same split: {train} train and {test}"
        " test rows",
        "{sizes} 种大小的滑动窗口、梯度直方图加逻辑回归，同一划分：训练 {train} 行，测试 {test} 行",
    ),
    ("the training pictures are of one class alone", "训练图片只有一个类别"),
    (
        "colours of {patch} and histograms of gradients of pictures scaled to {side}, logistic regression, C = {c} /"
        " {features} features chosen on validation, same split: {train} train and {test} test rows",
        "缩放到 {side} 的图片：{patch} 像素块的颜色与梯度直方图加逻辑回归，C = {c} / {features} 个特征，由验证集选出，"
        "同一划分：训练 {train} 行，测试 {test} 行",
    ),
    ("length in tokens", "长度（词元）"),
    # annotate
    (
        "{items} items, two people who labelled blind gave the same label",
        "{items} 个条目，两人盲标给出相同标签",
    ),
    (
        "{items} items, the decision is one that at least one of the pair gave; with two classes there is hardly"
        " another one: it shows nothing",
        "{items} 个条目，最终结论是两人中至少一人给出的标签；只有两个类别时几乎必然如此，说明不了什么",
    ),
    (
        "{items} items, the decision is one that at least one of the pair gave",
        "{items} 个条目，最终结论是两人中至少一人给出的标签",
    ),
    (
        "{items} hidden items with a known label, the decision of the people",
        "{items} 个已知标签的隐藏条目，以最终结论计",
    ),
    ("no gold items were given", "没有提供黄金题"),
    ("{items} items, blind answers of the pair, beyond chance", "{items} 个条目，两人的盲标回答，扣除偶然一致"),
    (
        "no gold items: nothing shows where two people are wrong in the same way   (give some: annotate.gold)",
        "没有黄金题：两人犯同样的错误时无从发现（请提供：annotate.gold）",
    ),
    ("the guideline shows no example of the variant {variant}", "标注规范没有给出变体“{variant}”的例子"),
    ("no label can be given", "无法给出标签"),
    # split
    ("(largest class - smallest class) / largest class, all rows", "（最大类 − 最小类）/ 最大类，全部数据"),
    (
        "largest difference between the share of a stratum's rows on a side and the share asked for; met in"
        " expectation,"
        " because a group is never cut",
        "某一层在某一侧的实际占比与目标占比的最大差值；按期望满足，因为同组的行不会被拆开",
    ),
    (
        "{rows} rows would leak between the sides and were set aside: {first}",
        "{rows} 行会造成数据泄漏，已搁置：{first}",
    ),
    (
        "class counts differ by {value}, the bar is {bar}: {shown} (change: {keys})",
        "类别行数相差 {value}，要求不超过 {bar}：{shown}（修改：{keys}）",
    ),
    ("exact twins", "完全相同"),
    ("near duplicates", "近似重复"),
    # clean
    ("exact duplicate", "完全重复"),
    ("conflicting labels", "标签冲突"),
    ("conflicting targets", "目标值冲突"),
    ("empty after cleaning", "清洗后为空"),
    ("whitespace", "空白字符"),
    ("mojibake", "乱码"),
    ("control characters", "控制字符"),
    ("Unicode NFC", "Unicode NFC 规范化"),
    ("Unicode NFKC", "Unicode NFKC 规范化"),
    # ingest
    ("no label", "没有标签"),
    ("no text", "没有文本"),
    ("broken quoting", "引号不配对"),
    # the parity cases of export
    ("shortest", "最短"),
    ("median", "中等"),
    ("longest", "最长"),
    ("truncated", "被截断"),
    ("short beside long", "长短混合"),
    ("tokens", "词元"),
    ("pixels", "像素"),
    ("accuracy", "准确率"),
    ("spearman", "Spearman 相关系数"),
    ("Parity boxes", "导出一致性：所选框"),
    # The end of longer sentences, of which the shapes stand above.
    ("{rows} test rows", "{rows} 行测试数据"),
)


@cache
def _shapes() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(_pattern(english), re.DOTALL), chinese) for english, chinese in SAID)


def _pattern(english: str) -> str:
    parts = re.split(r"{(\w+)}", english)
    return "".join(re.escape(part) if index % 2 == 0 else f"(?P<{part}>.+?)" for index, part in enumerate(parts))


def in_chinese(text: str) -> str:
    """The sentence in Chinese; as it is when its shape is not known."""
    for shape, chinese in _shapes():
        if found := shape.fullmatch(text):
            return chinese.format(**{name: in_chinese(value) for name, value in found.groupdict().items()})
    return text
