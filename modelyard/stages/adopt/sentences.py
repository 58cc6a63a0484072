"""Texts of many lengths for the golden set of a model whose user gave no rows: plain sentences, nobody's data."""

from __future__ import annotations

SENTENCES = (
    "Yes.",
    "Thank you!",
    "It rained again.",
    "What time is it now?",
    "The soup was far too salty.",
    "I would not recommend this hotel to anyone.",
    "A wonderful evening from the first note to the last.",
    "Please send the invoice to the address on the second page.",
    "The train left four minutes early and half of us stood on the platform.",
    "Nobody expected the small team from the north to win all five of its games.",
    "My order arrived with a broken lid, but the shop sent me a new one within two days.",
    "Water boils at a lower temperature in the mountains because the air presses less on it.",
    "He said that he had read the contract twice, and that he still did not know what it allowed him to do.",
    "The library opens at nine on weekdays and at ten on Saturdays; on Sundays it stays closed, except before exams.",
    "Although the first half of the film takes its time, the second half is so tense that I forgot to eat my popcorn.",
    "We measured the old bridge three times, in summer, in autumn and in winter, and each time it was a little "
    "longer or shorter than the plan said, which turned out to be quite normal for steel.",
    "If you want to keep herbs fresh, cut the stems, put them into a glass with two fingers of cold water, "
    "cover them loosely with a bag, and change the water whenever it looks cloudy; basil, however, does not "
    "like the cold at all.",
    "The committee met in March to talk about the new school. Some of its members wanted to build at the edge "
    "of the town, where land is cheap; others wanted to repair the old house beside the market, so that "
    "children could walk. After four hours they agreed on one thing only: that they would need another meeting.",
    "Dear all, the heating in the east wing will be off on Thursday from seven in the morning until about noon. "
    "Bring a warm coat, or work from home if you can. The technicians will need the keys of rooms 11 to 19; "
    "please leave them at the desk on Wednesday evening. The coffee machine is not affected. If your room is "
    "still cold on Friday, call the number on the door, not me: I will be on a ship somewhere between two "
    "islands, without any signal, for nine days.",
    "不错。",
    "这家店的服务态度很好，下次还会再来。",
    "包装破了，客服三天都没有回复，我再也不会在这里买东西了。",
    "Ein kurzer Satz auf Deutsch.",
    "Une phrase en français, avec des accents : été, naïve, cœur.",
    "Цена выросла на 12,5 % за год.",
    "Version 2.10.3 (build 4711) fixes #203, #198 & a typo in <config>.",
    "ALL CAPITALS AND THREE EXCLAMATION MARKS!!!",
    "so good 😀 would buy again 10/10",
)
