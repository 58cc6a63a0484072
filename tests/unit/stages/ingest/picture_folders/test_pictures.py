"""Folders of pictures: COCO, YOLO, folders of classes, metadata files, Parquet with pictures in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelyard.errors import BadInput
from modelyard.stages.ingest import ingest, peek, source_digest
from modelyard.stages.ingest.layout import find_format
from modelyard.stages.ingest.opening import open_source
from modelyard.store import Dataset
from tests.pictures import box, config, encoded, write, write_coco, write_yolo
from tests.rows import Heard, classes, column, described, new_run

SCENES = {"a.png": [box("yes"), box("no", 5, 5, 2, 2)], "sub/b.png": [box("no", 0, 0, 24, 16)], "c.png": []}


def by_file(dataset: Dataset, name: str) -> dict[object, object]:
    return dict(zip(column(dataset, "source_file"), column(dataset, name), strict=True))


def test_coco_is_read_with_its_boxes_and_files_as_they_are(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "data", SCENES)
    run = new_run(tmp_path)
    dataset = ingest(folder, config(tmp_path), run)
    assert described(dataset) == {"image": ("image", "input"), "boxes": ("boxes", "target")}
    assert by_file(dataset, "boxes") == SCENES
    assert by_file(dataset, "image") == {name: (folder / name).read_bytes() for name in SCENES}
    assert classes(dataset) == ("no", "yes")
    assert run.details["class_counts"] == {"no": 2, "yes": 1}
    assert (run.details["format"], run.details["annotations"]) == ("coco", ["annotations.json"])


def test_yolo_is_read_with_the_same_boxes(tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "data", SCENES)
    dataset = ingest(folder, config(tmp_path), new_run(tmp_path))
    found = by_file(dataset, "boxes")
    assert found.keys() == {f"images/{name}" for name in SCENES}
    for name, boxes in SCENES.items():
        assert found[f"images/{name}"] == [
            {key: value if key == "label" else pytest.approx(value, abs=1e-6) for key, value in each.items()}
            for each in boxes
        ]


def test_the_same_pictures_have_the_same_ids_from_either_format(tmp_path: Path) -> None:
    ids = []
    for folder in (write_coco(tmp_path / "one", SCENES), write_yolo(tmp_path / "two", SCENES)):
        ids.append(set(column(ingest(folder, config(tmp_path), new_run(tmp_path)), "row_id")))
    assert ids[0] == ids[1]


def test_sides_go_by_annotation_files_and_by_the_folders_of_data_yaml(tmp_path: Path) -> None:
    folder = tmp_path / "coco"
    for seed, (file, image) in enumerate({"train2017": "x.jpg", "val2017": "x.jpg"}.items()):
        write(folder / file / image, encoded(seed, kind="JPEG"))
        document = {
            "images": [{"id": 1, "file_name": image, "width": 24, "height": 16}],
            "annotations": [{"image_id": 1, "category_id": 18, "bbox": [1, 1, 5, 5]}],
            "categories": [{"id": 18, "name": "dog"}],
        }
        write(folder / "annotations" / f"instances_{file}.json", json.dumps(document))
        write(folder / "annotations" / f"captions_{file}.json", json.dumps({**document, "categories": []}))
    found = by_file(ingest(folder, config(tmp_path), new_run(tmp_path)), "split")
    assert found == {"train2017/x.jpg": "train", "val2017/x.jpg": "validation"}

    yaml = "train: ../train/images\nval: ../valid/images\nnames: {0: dog}\n"
    folder = write(tmp_path / "yolo" / "data.yaml", yaml).parent
    for seed, side in enumerate(["train", "valid"]):
        write(folder / side / "images" / "x.png", encoded(seed))
        write(folder / side / "labels" / "x.txt", "0 0.5 0.5 0.5 0.5\n")
    found = by_file(ingest(folder, config(tmp_path), new_run(tmp_path)), "split")
    assert found == {"train/images/x.png": "train", "valid/images/x.png": "validation"}


def test_data_of_one_side_only_are_not_split(tmp_path: Path) -> None:
    write_coco(tmp_path / "data", {"a.png": [box()], "b.png": []}, file="train/_annotations.coco.json")
    dataset = ingest(tmp_path / "data", config(tmp_path), new_run(tmp_path))
    assert not dataset.has("split")
    assert column(dataset, "source_file") == ["train/a.png", "train/b.png"]


def test_rows_that_cannot_be_used_are_set_aside_under_the_name_of_their_file(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "data", {f"{n}.png": [box()] for n in range(5)})
    write(folder / "0.png", encoded(0)[:60])
    write(folder / "1.png", "not a picture")
    (folder / "2.png").unlink()
    write(folder / "3.png", encoded(3, 50, 50))
    run = new_run(tmp_path)
    dataset = ingest(folder, config(tmp_path, max_set_aside=0.9), run)
    assert column(dataset, "source_file") == ["4.png"]
    aside = {each["file"]: each["reason"] for each in run.details["set_aside"]}
    assert aside["annotations.json"] == "there is no picture '2.png'"
    assert "damaged" in aside["0.png"]
    assert "not a picture" in aside["1.png"]
    assert aside["3.png"] == "the boxes were drawn on 24 x 16 pixels, the picture has 50 x 50"


def test_a_wrong_line_of_yolo_is_named_with_its_file_and_line(tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "data", {"a.png": [box()], "b.png": [box()]})
    write(folder / "labels" / "a.txt", "0 0.5 0.5 0.1 0.1\n7 0.5 0.5 0.1 0.1\n")
    run = new_run(tmp_path)
    ingest(folder, config(tmp_path, max_set_aside=0.9), run)
    (bad,) = run.details["set_aside"]
    assert (bad["file"], bad["line"]) == ("labels/a.txt", 2)
    assert bad["reason"] == "a.png: the class 7, which names does not define"


def test_annotations_cannot_name_files_outside_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "secret.png", encoded(9))
    document = json.loads((write_coco(tmp_path / "data", {"a.png": []}) / "annotations.json").read_text())
    others = ["../secret.png", "/etc/passwd", str(tmp_path / "secret.png"), "x/../../secret.png", "..\\secret.png"]
    document["images"] += [{"id": 10 + n, "file_name": name} for n, name in enumerate(others)]
    write(tmp_path / "data" / "annotations.json", json.dumps(document))
    run = new_run(tmp_path)
    assert ingest(tmp_path / "data", config(tmp_path, max_set_aside=0.9), run).rows() == 1
    assert sorted(each["reason"] for each in run.details["set_aside"]) == sorted(
        f"the picture {name!r} leads out of the folder" for name in others
    )


def test_class_folders_give_labels_and_sides(tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    for seed, name in enumerate(["train/cat/1.png", "train/dog/1.png", "test/cat/2.png"]):
        write(folder / name, encoded(seed))
    dataset = ingest(folder, config(tmp_path, "label"), new_run(tmp_path))
    assert by_file(dataset, "label") == {"train/cat/1.png": "cat", "train/dog/1.png": "dog", "test/cat/2.png": "cat"}
    assert set(column(dataset, "split")) == {"train", "test"}


def test_a_metadata_file_says_what_each_picture_is(tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    for seed, name in enumerate(["1.png", "2.png", "3.png"]):
        write(folder / name, encoded(seed))
    write(folder / "metadata.csv", "file_name,label,owner\n1.png,cat,Ann\n2.png,dog,Bob\n9.png,dog,Bob\n")
    run = new_run(tmp_path)
    run.listener = heard = Heard()
    dataset = ingest(folder, config(tmp_path, "label", max_set_aside=0.5), run)
    assert by_file(dataset, "label") == {"1.png": "cat", "2.png": "dog"}
    assert column(dataset, "owner") == ["Ann", "Bob"]
    (bad,) = run.details["set_aside"]
    assert (bad["file"], bad["line"], bad["reason"]) == ("metadata.csv", 4, "the picture '9.png' is not there")
    assert any("1 pictures that metadata.csv does not name" in said for said in heard.warned)


@pytest.mark.parametrize("listed", [False, True])
def test_yolo_that_is_written_in_gbk_is_read_as_it_is_meant(tmp_path: Path, listed: bool) -> None:
    folder = write_yolo(tmp_path / "data", {"狗.png": [box("是")], "b.png": [box("是")]}, ["否", "是"])
    if listed:
        write(folder / "data.yaml", "names: [否, 是]\ntrain: 训练.txt\n".encode("gb18030"))
        write(folder / "训练.txt", "images/狗.png\n".encode("gb18030"))
    else:
        (folder / "data.yaml").unlink()
        write(folder / "classes.txt", "否\n是\n".encode("gb18030"))
    dataset = ingest(folder, config(tmp_path), new_run(tmp_path))
    assert sorted(column(dataset, "source_file")) == (
        ["images/狗.png"] if listed else ["images/b.png", "images/狗.png"]
    )
    assert [each["label"] for each in column(dataset, "boxes")[-1]] == ["是"]


def test_a_folder_that_is_called_as_an_annotation_file_is_none(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "data", SCENES)
    (folder / "old.json").mkdir()
    assert ingest(folder, config(tmp_path), new_run(tmp_path)).rows() == len(SCENES)


def test_boxes_in_metadata_are_read_as_datasets_writes_them(tmp_path: Path) -> None:
    write(tmp_path / "data" / "a.png", encoded(0))
    row = {"file_name": "a.png", "objects": {"bbox": [[1, 2, 3, 4]], "categories": ["yes"]}}
    write(tmp_path / "data" / "metadata.jsonl", json.dumps(row) + "\n")
    dataset = ingest(tmp_path / "data", config(tmp_path), new_run(tmp_path))
    assert column(dataset, "objects") == [[box("yes")]]


def test_parquet_with_pictures_is_read_for_a_task_that_takes_them(tmp_path: Path) -> None:
    rows = [{"image": {"bytes": encoded(n), "path": f"{n}.png"}, "label": "ab"[n], "mask": b"x"} for n in range(2)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "pets.parquet")
    run = new_run(tmp_path)
    run.listener = heard = Heard()
    dataset = ingest(tmp_path / "pets.parquet", config(tmp_path, "label"), run)
    assert column(dataset, "image") == [encoded(0), encoded(1)]
    assert heard.warned == ["columns of binary data are left out: mask"]


@pytest.mark.parametrize(
    ("make", "why", "advice"),
    [
        (lambda d: write(d / "annotations.json", '{"images": [], "categories": ["x"]}'), "not a COCO", "export"),
        (lambda d: write(d / "data.yaml", "names: [a]\ntrain: images\n"), "none of the 1 pictures", "labels/a.txt"),
        (lambda d: write(d / "data.yaml", "names: 5\n"), "class names in data.yaml", "names: "),
        (lambda d: write(d / "data.yaml", b"names: [\xff]\n"), "data.yaml is not UTF-8", "ingest.encoding"),
        (lambda d: write(d / "metadata.csv", "name,label\nx.png,a\n"), "no column file_name", "file_name"),
        (lambda d: write(d / "metadata.csv", "file_name,label\n9.png,a\n"), "'9.png' is not there", "max_set_aside"),
        (lambda d: (write_coco(d, {"gone.png": []}) / "gone.png").unlink(), "none of the 1 pictures", "beside it"),
    ],
)
def test_a_folder_that_cannot_be_read_says_what_to_do(
    tmp_path: Path, make: Callable[[Path], object], why: str, advice: str
) -> None:
    folder = tmp_path / "data"
    write(folder / "x.png", encoded(0))
    make(folder)
    with pytest.raises(BadInput, match=why) as error:
        ingest(folder, config(tmp_path), new_run(tmp_path))
    assert advice in (error.value.next or "")


def test_a_coco_file_alone_says_to_give_its_folder(tmp_path: Path) -> None:
    file = write_coco(tmp_path / "data", SCENES) / "annotations.json"
    with pytest.raises(BadInput, match="its pictures lie elsewhere"):
        find_format(file, None)


def test_what_kind_of_folder_it_is_is_found(tmp_path: Path) -> None:
    assert find_format(write_coco(tmp_path / "a", SCENES), None) == "coco"
    assert find_format(write_yolo(tmp_path / "b", SCENES), None) == "yolo"
    assert find_format(write(tmp_path / "c" / "x" / "1.jpg", encoded(1)).parents[1], None) == "imagefolder"
    assert find_format(write(tmp_path / "d" / "train.parquet", b"PAR1").parent, None) == "huggingface"


def test_the_digest_of_a_folder_is_that_of_all_its_files(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "data", SCENES)
    before = source_digest(folder)
    write(folder / ".DS_Store", b"junk")
    assert source_digest(folder) == before
    write(folder / "c.png", encoded(77))
    assert source_digest(folder) != before


def test_reading_goes_on_at_any_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelyard.stages.ingest.picture_folders.pictures.MEDIA_ROWS", 2)
    folder = write_coco(tmp_path / "data", {f"{n}.png": [box()] for n in range(7)})
    write(folder / "3.png", "no picture")
    whole = list(open_source(folder, config(tmp_path)).source.batches)
    assert [len(batch.files) for batch in whole] == [2, 2, 2]
    for place, batch in enumerate(whole):
        assert batch.after is not None
        rest = list(open_source(folder, config(tmp_path)).source.read_from(batch.after))
        assert [each.files for each in rest] == [each.files for each in whole[place + 1 :]]
        assert [each.bad for each in rest] == [each.bad for each in whole[place + 1 :]]


def test_a_first_look_shows_pictures_too(tmp_path: Path) -> None:
    seen = peek(write_coco(tmp_path / "data", SCENES), config(tmp_path))
    assert (seen.table.num_rows, seen.details["format"]) == (3, "coco")


def test_pictures_of_many_bytes_lie_in_several_parts_and_small_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["modelyard.stages.ingest.ingest"], "PART_CHARACTERS", 4000)
    monkeypatch.setattr("modelyard.stages.ingest.picture_folders.pictures.MEDIA_ROWS", 3)
    monkeypatch.setattr("modelyard.store.writers.MEDIA_ROWS", 2)
    folder = write_coco(tmp_path / "data", {f"{n}.png": [box()] for n in range(9)})
    run = new_run(tmp_path)
    dataset = ingest(folder, config(tmp_path), run)
    assert len(dataset.parts) > 1
    assert np.array_equal(column(dataset, "source_file"), [f"{n}.png" for n in range(9)])
    file = run.store.object(dataset.parts[0].files[0].digest, "parquet")
    groups = pq.ParquetFile(file).metadata
    assert max(groups.row_group(n).num_rows for n in range(groups.num_row_groups)) == 2
