"""The report in the reader's language."""

from __future__ import annotations

import re
from html import unescape

from tests.unit.stages.release.test_report import Document

# Words that stay English in Chinese: names of products, formats, stages, units and the columns of the data.
ENGLISH_WORDS = re.compile(r"[A-Za-z][a-z]{3,} [a-z]{3,} [a-z]{2,}")


def text_of(html: str) -> str:
    return "".join(Document(html).text)


def test_the_page_is_chinese_when_asked_for_verdict_tables_and_charts(released):
    made = released(language="zh", gates={"accuracy": 0.84})
    html = made.html
    assert '<html lang="zh-CN">' in html
    assert (
        made.json["verdict"] == "已发布：准确率 0.852、P50 延迟 4.1 ms、体积比浮点模型压缩 3.9 倍；5 项门禁全部通过。"
    )
    assert made.json["next"][0]["text"] == "启动服务。"
    for words in (
        "决定发布的指标",
        "节省了多少，与什么相比",
        "下一步",
        "(0.823～0.880)",
        "最常见的错误",
        "不低于 0.84",
    ):
        assert words in html


def test_no_english_sentence_is_left_on_the_chinese_page_but_what_the_data_say(released, evidence):
    contents = evidence.contents()
    contents["evaluate"]["details"]["examples_wrong"] = []
    contents["clean"]["details"]["dropped_examples"] = []
    contents["clean"]["details"]["repaired_examples"] = []
    contents["optimize"]["details"]["variants"] = []
    shown = unescape(text_of(released(contents, language="zh").html))
    for command_or_product in ("transformers eager float32", "modelyard serve reviews@champion"):
        shown = shown.replace(command_or_product, "")
    assert ENGLISH_WORDS.findall(shown) == []


def test_the_other_language_lies_beside_and_each_links_the_other(released):
    made = released()
    assert 'href="report.zh.html" hreflang="zh-CN"' in made.html
    assert 'href="report.html" hreflang="en"' in made.page("zh")
    assert "已发布" in made.page("zh") and "Released" in made.html
    turned = released(language="zh")
    assert 'href="report.en.html" hreflang="en"' in turned.html
    assert "Released: 0.852 accuracy" in turned.page("en")


def test_both_pages_show_the_same_figures(released):
    def numbers(html: str) -> list[str]:
        part = html[html.index('class="figures"') : html.index('<section class="next">')]
        return re.findall(r'<td class="number[^"]*">([\d.−e]+)', part)

    made = released(gates={"accuracy": 0.84})
    assert numbers(made.html) == numbers(made.page("zh"))
    assert len(numbers(made.html)) > 6


def test_the_model_card_is_chinese_too(released):
    card = released(language="zh").card
    assert "## 已知局限" in card and "| 准确率 | 0.852 (0.823～0.880) |" in card


def test_a_refused_version_says_why_in_chinese(released):
    made = released(language="zh", gates={"accuracy": 0.9})
    assert made.json["verdict"] == "未发布：准确率为 0.852，要求不低于 0.9；5 项门禁中 1 项未通过。"
    assert made.json["next"][0]["text"].startswith("准确率要求不低于 0.9：先看错误样例")
