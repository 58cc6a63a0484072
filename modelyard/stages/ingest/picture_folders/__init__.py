"""Folders of pictures, and what COCO, YOLO, a metadata file or their folders say of them."""
