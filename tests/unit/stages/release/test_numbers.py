from __future__ import annotations

import math

import pytest

from modelyard.stages.release.numbers import CHINESE, FORMATS, Numbers

numbers = Numbers()
chinese = Numbers(CHINESE)


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (numbers.share, 0.85234, "0.852"),
        (numbers.share, -0.0021, "\u22120.002"),
        (numbers.share, -0.00001, "0.000"),
        (numbers.percent, 0.113, "11 %"),
        (numbers.percent, 0.042, "4.2 %"),
        (numbers.percent, 0, "0 %"),
        (numbers.points, 0.0017, "0.2 points"),
        (numbers.points, -0.037, "\u22123.7 points"),
        (numbers.count, 4790, "4,790"),
        (numbers.rows, 4790, "4,790 rows"),
        (numbers.ratio, 3.935, "3.9x"),
        (numbers.ratio, 0.999, "1.0x"),
        (numbers.milliseconds, 4.12, "4.1 ms"),
        (numbers.milliseconds, 9.96, "10.0 ms"),
        (numbers.milliseconds, 128.3, "128 ms"),
        (numbers.milliseconds, 2300, "2.3 s"),
        (numbers.duration, 0.4, "0.4 s"),
        (numbers.duration, 200, "3 min 20 s"),
        (numbers.duration, 119.7, "2 min"),
        (numbers.duration, 3900, "1 h 5 min"),
        (numbers.duration, 7199.6, "2 h"),
        (numbers.size, 23_100_000, "23 MB"),
        (numbers.size, 1_230_000_000, "1.2 GB"),
        (numbers.size, 999_900, "1.0 MB"),
        (numbers.size, 912_000, "912 kB"),
        (numbers.size, 12, "12 bytes"),
        (numbers.megabytes, 121.4, "121 MB"),
        (numbers.rate, 151.2, "151/s"),
        (numbers.significant, 1.1e-6, "1.1e\u22126"),
        (numbers.significant, 1e-6, "1e\u22126"),
        (numbers.significant, 0.00999, "0.010"),
        (numbers.significant, 0, "0"),
    ],
)  # fmt: skip
def test_a_number_is_written_as_people_read_it(form, value, text):
    assert form(value) == text


@pytest.mark.parametrize("form", [*FORMATS.values()])
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, "7", True])
def test_what_is_no_number_is_no_data(form, value):
    assert form(numbers, value) == "no data"
    assert form(chinese, value) == "无数据"


def test_an_interval_stands_beside_its_value():
    assert numbers.with_interval(0.852, (0.839, 0.864), "share") == "0.852 (0.839-0.864)"
    assert numbers.with_interval(0.002, (-0.004, 0.009), "share") == "0.002 (\u22120.004 to 0.009)"
    assert numbers.with_interval(1.95, (1.88, 2.03), "ratio") == "1.9x (1.9-2.0)"
    assert numbers.with_interval(950, (900, 1100), "ms") == "950 ms (900 ms to 1.1 s)"
    assert numbers.with_interval(0.852, None, "share") == "0.852"
    assert numbers.with_interval(0.852, (math.nan, 0.9), "share") == "0.852"
    assert numbers.with_interval(0.0, (0.0, 0.0), "share") == "0.000"


def test_a_bar_is_written_as_it_was_set():
    assert numbers.written_bar(0.8, "share") == "0.8"
    assert numbers.written_bar(1e-3, "number") == "0.001"
    assert numbers.written_bar(0.2, "percent") == "20 %"
    assert numbers.written_bar(3.5, "ratio") == "3.5x"
    assert numbers.written_bar(0.01, "points") == "1 point"
    assert numbers.written_bar(0.002, "points") == "0.2 points"


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (chinese.percent, 0.113, "11%"),
        (chinese.points, 0.002, "0.2 个百分点"),
        (chinese.ratio, 3.935, "3.9 倍"),
        (chinese.milliseconds, 4.12, "4.1 ms"),
        (chinese.milliseconds, 2300, "2.3 秒"),
        (chinese.duration, 200, "3 分 20 秒"),
        (chinese.duration, 3900, "1 小时 5 分"),
        (chinese.rate, 151.2, "151 次/秒"),
        (chinese.rows, 4790, "4,790 行"),
    ],
)
def test_a_number_is_written_as_chinese_readers_expect_it(form, value, text):
    assert form(value) == text


def test_a_chinese_interval_has_a_wave_dash_between_its_bounds():
    assert chinese.with_interval(0.852, (0.839, 0.864), "share") == "0.852 (0.839～0.864)"
    assert chinese.with_interval(0.002, (-0.004, 0.009), "share") == "0.002 (\u22120.004～0.009)"
    assert chinese.with_interval(1.95, (1.88, 2.03), "ratio") == "1.9 倍 (1.9～2.0)"
    assert chinese.with_interval(0.62, (0.61, 0.65), "percent") == "62% (61～65)"
