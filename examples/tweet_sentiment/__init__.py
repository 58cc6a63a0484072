"""A task of one's own: tweets, whose @names and links stand for one another.

As in BERTweet (Nguyen et al., 2020): every @name becomes @USER and every link HTTPURL before the tokenizer sees the
text, in training and in serving alike, because both go through this one pipeline.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelyard.tasks.package_labels import package_labels
from modelyard.tasks.pipeline import Prepared
from modelyard.tasks.text.prepare import read_text
from modelyard.tasks.text_classification import TextClassification, TextClassificationPipeline

NAME = re.compile(r"(?<!\w)@\w{1,15}")
LINK = re.compile(r"https?://\S+|www\.\S+")


def normal_tweet(item: Mapping[str, Any]) -> dict[str, str]:
    return {"text": NAME.sub("@USER", LINK.sub("HTTPURL", read_text(item)))}


class TweetPipeline(TextClassificationPipeline):
    def prepare(self, item: Mapping[str, Any]) -> Prepared:
        return super().prepare(normal_tweet(item))

    def prepare_batch(self, items: Sequence[Mapping[str, Any]]) -> list[Prepared]:
        return super().prepare_batch([normal_tweet(item) for item in items])


class TweetSentiment(TextClassification):
    name = "tweet_sentiment"
    eager = None  # the handler that is there would get tweets as they are written

    def open_pipeline(self, folder: Path, spec: Mapping[str, Any]) -> TweetPipeline:
        return TweetPipeline.open(folder, spec, package_labels(folder))

    def training(self, framework: str = "torch") -> Any:
        from .training import TweetTraining

        return TweetTraining()


TASK = TweetSentiment()
