"""A Dataset of pictures and boxes as folders that other tools open: one format a file."""

from modelyard.annotate.export.coco import write_coco
from modelyard.annotate.export.yolo import write_yolo

__all__ = ["write_coco", "write_yolo"]
